"""Listening, and stopping so that running requests finish."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import NamedTuple

import tornado.httpserver
import tornado.web
from tornado.iostream import IOStream

from pypiserve.web.listening import Accepting
from pypiserve.web.site import RunningRequests

__all__ = ["Activity", "WebServer"]

_log = logging.getLogger("pypiserve.web")

_IDLE_SECONDS = 300
_TLS_HANDSHAKE = 0x16  # the first byte of a ClientHello, and of no request
_HEADER_BYTES = 64 << 10
_READ_STEP_BYTES = 512 << 10
_BODY_BYTES = 1 << 20
"""Bound on bodies of requests whose handler did not set another; handlers of uploads do."""

_BODY_SECONDS = 300
"""Bound on the time for such a body, and for one that is refused: nobody holds a connection for ever."""


class Activity(NamedTuple):
    """
    What a server has under way.

    Attributes:
        connections: Open ones, those included on which nothing is asked at the moment.
        requests: Those that are not at their end. It may come after that of their connection.
    """

    connections: int
    requests: int


class PlainStream(IOStream):
    """
    A connection that is closed at once when the client speaks TLS on it.

    It waits for an answer that never comes, and so do those who mistyped the address; `uv publish` tries https first.
    """

    _is_new = True

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Read, and look at the first byte of all."""
        count = super().read_from_fd(buf)
        if count and self._is_new:
            self._is_new = False
            if buf[0] == _TLS_HANDSHAKE:
                raise ConnectionResetError("TLS on a port that does not speak it")
        return count


class PlainServer(tornado.httpserver.HTTPServer):
    """Serves each connection through a ``PlainStream``, and counts them."""

    connections = 0

    def take(self, connection: socket.socket, address: tuple[object, ...]) -> None:
        """Take a connection that was just accepted; nothing was read from it yet."""
        self.handle_stream(PlainStream(connection, max_buffer_size=self.max_buffer_size), address)
        self.connections += 1

    def on_close(self, server_conn: object) -> None:
        """Forget a connection that has come to its end."""
        super().on_close(server_conn)
        self.connections -= 1


class WebServer:
    """One listening server."""

    def __init__(
        self, application: tornado.web.Application, requests: RunningRequests, *, stop_seconds: float
    ) -> None:
        self._server = PlainServer(
            application,
            idle_connection_timeout=_IDLE_SECONDS,
            max_header_size=_HEADER_BYTES,
            max_body_size=_BODY_BYTES,
            body_timeout=_BODY_SECONDS,
            chunk_size=_READ_STEP_BYTES,
        )
        self._requests = requests
        self._stop_seconds = stop_seconds
        self._accepting: Accepting | None = None

    def serve(self, sockets: Sequence[socket.socket]) -> None:
        """Begin to serve; the sockets, which listen, are closed by ``stop``."""
        self._accepting = Accepting(sockets, self._server.take)

    @property
    def activity(self) -> Activity:
        """What is under way at the moment."""
        return Activity(self._server.connections, len(self._requests))

    async def stop(self) -> None:
        """Take no new connections, let running requests finish within the bound, then close what is left."""
        if self._accepting is not None:
            self._accepting.close()
        if len(self._requests):
            _log.info("Waiting up to %g s for running requests: %d", self._stop_seconds, len(self._requests))
        try:
            async with asyncio.timeout(self._stop_seconds):
                await self._requests.wait_until_none()
        except TimeoutError:
            _log.warning("Stopped with %d requests unfinished", len(self._requests))
        await self._server.close_all_connections()
