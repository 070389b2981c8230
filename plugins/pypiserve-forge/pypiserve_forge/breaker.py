"""Not asking a forge that does not answer."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from pypiserve.core.errors import Unavailable

__all__ = ["CircuitBreaker"]

_log = logging.getLogger("pypiserve_forge")


class CircuitBreaker:
    """
    Opens after some failures in a row; while it is open nobody waits for a forge that is down.

    When the pause is over one request is let through to try. If nothing is heard of it, the next one after another
    pause is.
    """

    def __init__(self, forge: str, *, failures: int, pause_seconds: float, now: Callable[[], float]) -> None:
        """
        Begin closed.

        Args:
            forge: Name of the forge, for people.
            failures: How many in a row open it.
            pause_seconds: How long nobody asks then.
            now: A clock that never goes back, in seconds.
        """
        self._forge = forge
        self._limit = failures
        self._pause_seconds = pause_seconds
        self._now = now
        self._failures = 0
        self._open_until = 0.0

    def admit(self) -> None:
        """
        Let a request through.

        Raises:
            Unavailable: The forge is left alone for now.
        """
        if self._failures < self._limit:
            return
        left = self._open_until - self._now()
        if left > 0:
            raise Unavailable(f"{self._forge} does not answer", retry_after_seconds=math.ceil(left))
        self._open_until = self._now() + self._pause_seconds

    def succeeded(self) -> None:
        """Note that the forge answered."""
        if self._failures >= self._limit:
            _log.warning("%s answers again", self._forge)
        self._failures = 0

    def failed(self) -> None:
        """Note that it did not."""
        self._failures += 1
        if self._failures == self._limit:
            _log.warning(
                "%s failed %d times in a row and is not asked for %g s", self._forge, self._limit, self._pause_seconds
            )
        if self._failures >= self._limit:
            self._open_until = self._now() + self._pause_seconds
