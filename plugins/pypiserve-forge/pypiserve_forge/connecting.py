"""Connections that have an owner who closes them."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from tornado.iostream import IOStream
from tornado.netutil import Resolver
from tornado.tcpclient import TCPClient

__all__ = ["ClosingTCPClient"]


class ClosingTCPClient(TCPClient):
    """Tornado's ``TCPClient``, and the owner of what it connects, which a client of Tornado's leaves open."""

    def __init__(self, resolver: Resolver) -> None:
        """Resolve names by this; whoever made it closes it."""
        super().__init__(resolver)
        self._streams: WeakSet[IOStream] = WeakSet()

    async def connect(self, *args: Any, **kwargs: Any) -> IOStream:
        """Connect as Tornado does."""
        stream = await super().connect(*args, **kwargs)
        self._streams.add(stream)
        return stream

    def close(self) -> None:
        """Close all connections, whoever waits for something on them."""
        for stream in tuple(self._streams):
            stream.close()
        super().close()
