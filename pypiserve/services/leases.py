"""
Work that one process does for all that share a data folder.

The lock belongs to the process that has it: when that ends, however it ends, the next one takes over.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import Awaitable, Callable
from pathlib import Path

__all__ = ["Lease"]

_PAUSE_SECONDS = 1.0


class Lease:
    """The right to do something, which one process has at a time."""

    def __init__(self, path: Path) -> None:
        """
        Name it.

        Args:
            path: A file in the data folder; made when missing.
        """
        self._path = path

    async def while_held(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, work, and give it back at the end of the work or when cancelled."""
        with self._path.open("ab") as handle:
            while not _is_taken(handle.fileno()):  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(_PAUSE_SECONDS)
            await work()


def _is_taken(descriptor: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
