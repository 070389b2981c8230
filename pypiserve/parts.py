"""The running parts of a server, and how they end: last built first, each within a bound, none in another's way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from typing import Any

__all__ = ["Parts"]

_log = logging.getLogger("pypiserve")

_END_SECONDS = 10.0


class Parts:
    """Owns what was built, and releases it."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    def closing(self, name: str, close: Callable[[], Awaitable[object]], *, seconds: float = _END_SECONDS) -> None:
        """
        Release a part at the end.

        Args:
            name: For the log, when the part fails or takes too long; the others are released all the same.
            close: Releases it.
            seconds: How long that may take.
        """

        async def release() -> None:
            # Waited for from outside: a plugin that swallows its cancellation must not hold up the stop.
            closing = asyncio.ensure_future(close())
            done, _ = await asyncio.wait({closing}, timeout=seconds)
            if not done:
                closing.cancel()
                _log.error("%s did not end within %g s", name, seconds)
            elif (error := closing.exception()) is not None:
                _log.error("%s could not be released", name, exc_info=error)

        self._stack.push_async_callback(release)

    def threads(self, name: str, executor: Executor) -> None:
        """Wait for the threads of an executor at the end, and not on the event loop: their work may need it."""
        self.closing(name, lambda: asyncio.to_thread(executor.shutdown))

    def running(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background, and cancel it at the end."""
        task = asyncio.get_running_loop().create_task(work, name=name)

        async def end() -> None:
            task.cancel()
            await asyncio.wait({task})

        self.closing(name, end)

    async def close(self) -> None:
        """Release everything, last built first."""
        await self._stack.aclose()
