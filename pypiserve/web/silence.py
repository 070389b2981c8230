"""Noticing that a client has stopped sending."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Silence"]


class Silence:
    """
    Calls back, once, when nothing was heard for some time.

    Args:
        seconds: How long; counted from the making and from each ``heard``.
        end_it: What to do then.
    """

    def __init__(self, seconds: float, end_it: Callable[[], object]) -> None:
        self._seconds = seconds
        self._end_it = end_it
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(seconds, self._look)

    def heard(self) -> None:
        """Begin to count anew."""
        self._heard_at = self._loop.time()

    def end(self) -> None:
        """Call back no more. Safe to call again."""
        self._timer.cancel()

    def _look(self) -> None:
        # Looked at when the time may be over, and not set anew for each piece that comes.
        ends_at = self._heard_at + self._seconds
        if self._loop.time() < ends_at:
            self._timer = self._loop.call_at(ends_at, self._look)
        else:
            self._end_it()
