"""A small HTTP client over a raw socket: cheap enough to load a server with, strict enough to check its answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

__all__ = ["Answer", "Connection", "WrongAnswer", "check"]

_RECEIVE_BYTES = 1 << 20
_TIMEOUT_SECONDS = 120


class WrongAnswer(Exception):
    """A server answered something else than the benchmark relies on, so its figures would mean nothing."""


@dataclass(frozen=True)
class Answer:
    """One response; ``wire_bytes`` counts its head as well, ``body`` is empty when a sink took it."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    length: int
    wire_bytes: int


@dataclass
class Connection:
    """One connection, kept alive while the server agrees and opened again when it does not."""

    port: int
    _socket: socket.socket | None = None
    _buffer: bytearray = field(default_factory=lambda: bytearray(_RECEIVE_BYTES), repr=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def get(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        sink: Callable[[memoryview], object] | None = None,
    ) -> Answer:
        """Ask for a path; a sink gets the body in pieces instead of the answer."""
        return await self.send(self.head("GET", path, headers or {}), sink=sink)

    def head(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        """Write a request's head the way wrk does."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    async def send(
        self,
        head: bytes,
        body: Iterable[bytes | Path] = (),
        *,
        sink: Callable[[memoryview], object] | None = None,
    ) -> Answer:
        """Send a head and the parts of a body, where a path stands for its file, and read the answer."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                connected = await self._connected(loop)
                # A refusal may come, and the connection close, before the body is sent: the answer tells why.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    await loop.sock_sendall(connected, head)
                    for part in body:
                        await _send_part(loop, connected, part)
                return await self._receive(loop, connected, sink)
        except BaseException:
            self.close()
            raise

    async def _connected(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        if self._socket is None:
            self._socket = socket.socket()
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(self._socket, ("127.0.0.1", self.port))
        return self._socket

    async def _receive(
        self, loop: asyncio.AbstractEventLoop, connected: socket.socket, sink: Callable[[memoryview], object] | None
    ) -> Answer:
        view = memoryview(self._buffer)
        got, end = 0, -1
        while end < 0:
            received = await loop.sock_recv_into(connected, view[got:])
            if not received:
                raise WrongAnswer("the server closed the connection within the head of its answer")
            got += received
            end = self._buffer.find(b"\r\n\r\n", 0, got)
        version, status, headers = _parse_head(bytes(view[:end]))
        if "transfer-encoding" in headers:
            body, wire_bytes = await self._receive_chunks(loop, connected, bytes(view[end + 4 : got]))
            (sink or len)(memoryview(body))
            return Answer(status, headers, b"" if sink else body, len(body), end + 4 + wire_bytes)
        length, kept = 0, bytearray()
        take = sink or kept.extend
        expected = _body_length(status, headers)
        piece = view[end + 4 : got]
        while True:
            take(piece)
            length += len(piece)
            if expected is not None and length >= expected:
                break
            received = await loop.sock_recv_into(connected, view)
            if not received:
                break
            piece = view[:received]
        if expected not in {None, length}:
            raise WrongAnswer(f"the server sent {length} bytes where it promised {expected}")
        if expected is None or version == "HTTP/1.0" or headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, bytes(kept), length, end + 4 + length)

    async def _receive_chunks(
        self, loop: asyncio.AbstractEventLoop, connected: socket.socket, begun: bytes
    ) -> tuple[bytes, int]:
        """Read a body in chunks whole; return it, and its length on the wire."""
        body, rest, wire_bytes = bytearray(), bytearray(begun), len(begun)
        while True:
            size, line_end, after = rest.partition(b"\r\n")
            count = int(size.split(b";")[0], 16) if line_end else -1
            if count >= 0 and len(after) >= count + 2:
                if count == 0:
                    return bytes(body), wire_bytes
                body += after[:count]
                rest = after[count + 2 :]
                continue
            received = await loop.sock_recv_into(connected, self._buffer)
            if not received:
                raise WrongAnswer("the server closed the connection within a chunk")
            wire_bytes += received
            rest += self._buffer[:received]


def check(answer: Answer, what: str, *, status: int = 200) -> Answer:
    """Pass an answer through that has the expected status, and stop the run at any other."""
    if answer.status != status:
        raise WrongAnswer(f"{what}: expected {status}, got {answer.status} {answer.body[:200]!r}")
    return answer


async def _send_part(loop: asyncio.AbstractEventLoop, connected: socket.socket, part: bytes | Path) -> None:
    if isinstance(part, bytes):
        await loop.sock_sendall(connected, part)
        return
    with part.open("rb") as file:
        await loop.sock_sendfile(connected, file)


def _parse_head(head: bytes) -> tuple[str, int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status = first.split(" ", 2)[:2]
    pairs = (line.split(":", 1) for line in lines)
    return version, int(status), {name.lower(): value.strip() for name, value in pairs}


def _body_length(status: int, headers: Mapping[str, str]) -> int | None:
    if status in {204, 304}:
        return 0
    length = headers.get("content-length")
    return None if length is None else int(length)
