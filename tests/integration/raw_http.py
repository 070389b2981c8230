"""HTTP over a bare socket, for what clients libraries do not let a test do."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from pypiserve.testing.server import Reply

__all__ = ["Address", "RawConnection", "request_head"]

_SECONDS = 20.0


class Address(Protocol):
    """Where a server listens, be it in a thread or in a process of its own."""

    host: str
    port: int


def request_head(method: str, path: str, fields: Mapping[str, str]) -> bytes:
    """Write a request up to its body, with these header fields and no others."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


class RawConnection:
    """One connection; a context manager."""

    def __init__(self, server: Address, *, receive_buffer_bytes: int = 0) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(_SECONDS)
        if receive_buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.connect((server.host, server.port))
        self._received = b""

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def ask(
        self, method: str, path: str, *, body: bytes = b"", more: Mapping[str, str] | None = None, **headers: str
    ) -> None:
        """Send one request; keyword ``if_none_match="…"`` becomes the header ``If-None-Match``."""
        named = {"Host": "test", **{name.replace("_", "-"): value for name, value in headers.items()}, **(more or {})}
        if body:
            named["Content-Length"] = str(len(body))
        self.send(request_head(method, path, named) + body)

    def reply(self, *, to_head: bool = False) -> Reply:
        """Receive one whole response; ``to_head`` for one that has no body whatever its length says."""
        status_line, *lines = self.head().decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        _, status, reason = status_line.split(" ", 2)
        length = 0 if to_head or status == "304" else int(headers.get("content-length", "0"))
        return Reply(int(status), reason, headers, self.read(length))

    def head(self) -> bytes:
        """Receive up to the blank line, which is left out."""
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        return head

    def read(self, length: int) -> bytes:
        """Receive so many bytes."""
        parts, missing = [self._received[:length]], length - len(self._received)
        self._received = self._received[length:]
        while missing > 0:
            chunk = self.socket.recv(min(1 << 20, missing))
            if not chunk:
                raise ConnectionError("the server closed the connection")
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)

    def rest(self) -> bytes:
        """Receive all up to the end of the connection."""
        parts = []
        while not self.is_at_end():
            parts.append(self._received)
            self._received = b""
        return b"".join(parts)

    def is_at_end(self) -> bool:
        """Wait for more bytes or the end of the connection; tell whether it was the end."""
        if self._received:
            return False
        try:
            self._received = self.socket.recv(1 << 16)
        except ConnectionResetError:
            return True
        return not self._received

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def _receive(self) -> None:
        chunk = self.socket.recv(1 << 16)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self._received += chunk
