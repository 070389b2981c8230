"""Listening, and stopping so that running requests finish."""

from __future__ import annotations

import asyncio
import logging
import socket

import tornado.httpserver
import tornado.netutil
import tornado.web

from pypiserve.core.errors import InvalidSetting
from pypiserve.web.site import RunningRequests

__all__ = ["WebServer"]

_log = logging.getLogger("pypiserve.web")

_IDLE_SECONDS = 300
_HEADER_BYTES = 64 << 10
_READ_STEP_BYTES = 512 << 10
_BODY_BYTES = 1 << 20
"""Bound on bodies of requests whose handler did not set another; handlers of uploads do."""

_BODY_SECONDS = 300
"""Bound on the time for such a body, and for one that is refused: nobody holds a connection for ever."""


class WebServer:
    """One listening server."""

    def __init__(
        self, application: tornado.web.Application, requests: RunningRequests, *, stop_seconds: float
    ) -> None:
        self._server = tornado.httpserver.HTTPServer(
            application,
            idle_connection_timeout=_IDLE_SECONDS,
            max_header_size=_HEADER_BYTES,
            max_body_size=_BODY_BYTES,
            body_timeout=_BODY_SECONDS,
            chunk_size=_READ_STEP_BYTES,
        )
        self._requests = requests
        self._stop_seconds = stop_seconds
        self._sockets: list[socket.socket] = []

    def listen(self, host: str, port: int, *, source: str) -> int:
        """
        Begin to serve; return the port, which the system chose if 0 was asked for.

        Args:
            host: Name or address.
            port: 0 to 65535.
            source: Where the address comes from, for the message.

        Raises:
            InvalidSetting: The address cannot be listened on.
        """
        try:
            self._sockets = tornado.netutil.bind_sockets(port, address=host)
        except OSError as error:
            problem = f"cannot listen on {host}:{port} ({error.strerror or error})"
            raise InvalidSetting(source, "listen", problem, "choose another address or port") from error
        self._server.add_sockets(self._sockets)
        chosen: int = self._sockets[0].getsockname()[1]
        return chosen

    async def stop(self) -> None:
        """Take no new connections, let running requests finish within the bound, then close what is left."""
        self._server.stop()
        if len(self._requests):
            _log.info("Waiting up to %g s for running requests: %d", self._stop_seconds, len(self._requests))
        try:
            async with asyncio.timeout(self._stop_seconds):
                await self._requests.wait_until_none()
        except TimeoutError:
            _log.warning("Stopped with %d requests unfinished", len(self._requests))
        await self._server.close_all_connections()
