"""HTTP over a bare socket, for what clients libraries do not let a test do."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

__all__ = ["RawConnection", "RawReply"]

_SECONDS = 20.0


@dataclass(frozen=True)
class RawReply:
    """
    What came over the wire.

    Attributes:
        head: Status line and headers, as sent.
        headers: By lowercase name.
    """

    status: int
    head: bytes
    headers: Mapping[str, str]
    body: bytes


class RawConnection:
    """One connection; a context manager."""

    def __init__(self, host: str, port: int, *, receive_buffer_bytes: int = 0) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(_SECONDS)
        if receive_buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.connect((host, port))
        self._received = b""

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def ask(
        self, method: str, path: str, *, body: bytes = b"", more: Mapping[str, str] | None = None, **headers: str
    ) -> None:
        """Send one request; keyword ``if_none_match="…"`` becomes the header ``If-None-Match``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()} | dict(more or {})
        if body:
            named["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1", "Host: test", *(f"{name}: {value}" for name, value in named.items())]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def reply(self, *, to_head: bool = False) -> RawReply:
        """Receive one whole response; ``to_head`` for one that has no body whatever its length says."""
        head = self.head()
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split(" ")[1])
        length = 0 if to_head or status == 304 else int(headers.get("content-length", "0"))
        return RawReply(status, head, headers, self.read(length))

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
