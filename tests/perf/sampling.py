"""Memory of a running server, watched while something happens."""

from __future__ import annotations

import asyncio
import threading
from typing import Self

from .processes import ServerProcess, resident_bytes

__all__ = ["Growth"]

_INTERVAL_SECONDS = 0.05
_BEFORE_SAMPLES = 10


class Growth:
    """
    Sample resident memory every 50 ms, first for half a second before a block and then during it.

    The sampler is a thread, because a client that reads at full speed leaves its event loop no time.
    """

    def __init__(self, process: ServerProcess) -> None:
        self._pids = process.family()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory-sampler")
        self.before_bytes = 0
        self.highest_bytes = 0

    @property
    def bytes(self) -> int:
        """How far the memory rose above its highest value before the block."""
        return max(0, self.highest_bytes - self.before_bytes)

    async def __aenter__(self) -> Self:
        for _ in range(_BEFORE_SAMPLES):
            self.before_bytes = max(self.before_bytes, resident_bytes(self._pids))
            await asyncio.sleep(_INTERVAL_SECONDS)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        over = False
        while not over:
            over = self._over.wait(_INTERVAL_SECONDS)
            self.highest_bytes = max(self.highest_bytes, resident_bytes(self._pids))
