"""
Work that waits at the same time is done together, by one thread.

What has a price whatever it holds (a transaction, a sync of a folder) is paid once for all that waits. While one
batch is under way, work that comes in waits; the next batch takes it all. Work that comes alone is done at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ["BatchQueue", "Outcome"]

W = TypeVar("W")


@dataclass(frozen=True)
class Outcome:
    """How one piece of work ended: its result, or the error that its caller is told."""

    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class _Waiting(Generic[W]):
    work: W
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class BatchQueue(Generic[W]):
    """
    Collects work and hands it in order, some at a time, to one thread.

    Args:
        run: Does several pieces of work and says how each ended. It raises what befell all of them.
        name: Of the thread.
        most: Pieces in one batch, at most.
    """

    def __init__(self, run: Callable[[Sequence[W]], Sequence[Outcome]], *, name: str, most: int) -> None:
        self._run = run
        self._most = most
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting[W]] = deque()
        self._is_draining = False

    async def do(self, work: W) -> Any:
        """
        Have a piece of work done with what waits beside it, and return its result when all of that is done.

        A caller that is cancelled before its work has begun takes it back.

        Raises:
            RuntimeError: The queue is closed.
            Exception: What the work ended with.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        waiting = _Waiting(work, future, loop)
        with self._lock:
            if not self._is_draining:
                # Before it is queued: a queue that is closed takes nothing.
                self._thread.submit(self._drain)
                self._is_draining = True
            self._waiting.append(waiting)
        return await future

    def close(self) -> None:
        """Wait for what was queued, and end the thread."""
        self._thread.shutdown()

    def _drain(self) -> None:
        while batch := self._next_batch():
            wanted = [each for each in batch if not each.future.cancelled()]
            if wanted:
                _tell(wanted, self._outcomes(wanted))

    def _next_batch(self) -> list[_Waiting[W]]:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            self._is_draining = bool(batch)
            return batch

    def _outcomes(self, batch: Sequence[_Waiting[W]]) -> Sequence[Outcome]:
        try:
            return self._run([each.work for each in batch])
        except BaseException as error:  # noqa: BLE001 - whatever it was, those who wait are told
            return [Outcome(error=error)] * len(batch)


def _tell(batch: Sequence[_Waiting[Any]], outcomes: Sequence[Outcome]) -> None:
    """Wake all callers of an event loop at once."""
    told = list(zip(batch, outcomes, strict=True))
    for loop in {each.loop for each in batch}:
        mine = [(each.future, outcome) for each, outcome in told if each.loop is loop]
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, mine)


def _resolve(told: Iterable[tuple[asyncio.Future[Any], Outcome]]) -> None:
    for future, outcome in told:
        if future.done():
            continue
        if outcome.error is not None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.result)
