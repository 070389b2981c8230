"""Work that comes again: for what is noted in memory and written down, and for what may have been missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from pypiserve.core.errors import PypiserveError

__all__ = ["regularly"]

_log = logging.getLogger("pypiserve.regularly")


async def regularly(work: Callable[[], Awaitable[object]], *, seconds: float, failure: str) -> None:
    """
    Do something again and again, until cancelled.

    Args:
        work: What to do. What it raises is logged, and its next time comes all the same.
        seconds: The pause before each time.
        failure: A sentence for the log, without its end: ``The journal could not be read``.
    """
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except PypiserveError as error:
            _log.warning("%s: %s", failure, error)
        except Exception:  # noqa: BLE001 - a fault of one time, of ours or of a plugin, must not end all others
            _log.exception(failure)
