"""Sockets to listen on, one set for each process that serves, and accepting from them."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Sequence

import tornado.netutil

from pypiserve.core.errors import InvalidSetting

__all__ = ["Accepting", "bind"]

_log = logging.getLogger("pypiserve.web")

_PAUSE_SECONDS = 1.0
_NO_MORE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def bind(host: str, port: int, *, source: str, sets: int = 1) -> list[list[socket.socket]]:
    """
    Listen on an address.

    Args:
        host: Name or address; a name may have several.
        port: 0 to 65535; 0 lets the system choose.
        source: Where the address comes from, for the message.
        sets: How many sets of sockets; the system deals connections to them.

    Raises:
        InvalidSetting: The address cannot be listened on.
    """
    try:
        first = tornado.netutil.bind_sockets(port, address=host)
        if sets == 1:
            return [first]
        # Sockets that share a port share it with those of any other server of the same user. The first one did not:
        # nobody else is there.
        chosen = first[0].getsockname()[1]
        _close(first)
        return [tornado.netutil.bind_sockets(chosen, address=host, reuse_port=True) for _ in range(sets)]
    except OSError as error:
        problem = f"cannot listen on {host}:{port} ({error.strerror or error})"
        raise InvalidSetting(source, "listen", problem, "choose another address or port") from error


def _close(sockets: Sequence[socket.socket]) -> None:
    for listening in sockets:
        listening.close()


class Accepting:
    """Takes connections from listening sockets."""

    def __init__(
        self, sockets: Sequence[socket.socket], take: Callable[[socket.socket, tuple[object, ...]], None]
    ) -> None:
        """
        Begin.

        Args:
            sockets: They listen, and do not block.
            take: Called with each connection and the address of its client.
        """
        self._sockets = tuple(sockets)
        self._take = take
        self._loop = asyncio.get_running_loop()
        for listening in self._sockets:
            self._loop.add_reader(listening, self._accept, listening)

    def close(self) -> None:
        """Accept nothing more, and listen no longer in this process. Safe to call again."""
        for listening in self._sockets:
            if listening.fileno() >= 0:
                self._loop.remove_reader(listening)
                listening.close()

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, address = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # the client has gone, or a process was faster that serves the same sockets until it ends
        except OSError as error:
            if error.errno not in _NO_MORE:
                raise
            _log.error("No connection can be accepted for a moment: %s", error.strerror)
            self._loop.remove_reader(listening)
            self._loop.call_later(_PAUSE_SECONDS, self._go_on, listening)
            return
        self._take(connection, address)

    def _go_on(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:
            self._loop.add_reader(listening, self._accept, listening)
