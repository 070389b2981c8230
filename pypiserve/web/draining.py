"""
What a client still sends after it was refused: read and thrown away, within bounds.

An answer is written as soon as it is known. Some clients (uv, curl) look for it while they send, and stop; most
(twine, poetry, PDM) read nothing before they have sent everything. If the connection were closed on them in the
middle, the system would send a reset for the bytes that nobody read, and a reset may destroy the answer before it is
seen.

Spec: RFC 9112, section 9.6 (closing in stages), section 9.3 (persistence).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable
from dataclasses import dataclass

from tornado.iostream import IOStream

from pypiserve.web.silence import Silence

__all__ = ["BOUNDS", "Drain", "DrainBounds"]


@dataclass(frozen=True)
class DrainBounds:
    """
    How much of what nobody wants is read.

    Attributes:
        reuse_bytes: Up to so many, the connection serves further requests afterwards; beyond, the client is told that
            it will be closed, and our side of it is.
        max_bytes: After so many, no more is read.
        grace_seconds: So long after that the connection is closed; who looks while sending has seen the answer.
        idle_seconds: When nothing came for so long, it is closed.
        seconds: It is closed so long after the answer in any case.
    """

    reuse_bytes: int = 256 << 20
    max_bytes: int = 4 << 30
    grace_seconds: float = 2.0
    idle_seconds: float = 30.0
    seconds: float = 300.0


BOUNDS = DrainBounds()
"""Twice the largest file of a server with default settings, and what a slow client needs for a usual one."""


class Drain:
    """Watches over one connection from an early answer to the end of the request."""

    def __init__(self, stream: IOStream, bounds: DrainBounds) -> None:
        self._stream = stream
        self._bounds = bounds
        self._bytes = 0
        self._silence = Silence(bounds.idle_seconds, stream.close)
        self._timer = asyncio.get_running_loop().call_later(bounds.seconds, stream.close)
        self.is_closing = False
        """Whether our side of the connection is closed; no further request can be answered on it."""

    def take(self, size_bytes: int) -> Awaitable[None] | None:
        """Count bytes that came, and were thrown away; return what to wait for before more are read."""
        self._silence.heard()
        self._bytes += size_bytes
        if self._bytes > self._bounds.reuse_bytes:
            self.close_our_side()
        return self._cut() if self._bytes > self._bounds.max_bytes else None

    def close_our_side(self) -> None:
        """Tell the client that nothing follows the answer, which must be on its way, and read on."""
        if not self.is_closing and not self._stream.closed():
            self.is_closing = True
            # The client may have gone already.
            with contextlib.suppress(OSError):
                self._stream.socket.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Stop watching: the request is over. Safe to call again."""
        self._silence.end()
        self._timer.cancel()
        if self.is_closing:
            self._stream.close()

    async def _cut(self) -> None:
        await asyncio.sleep(self._bounds.grace_seconds)
        self._stream.close()
