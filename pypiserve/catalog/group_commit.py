"""
Writes that wait at the same time share one transaction: one ``BEGIN``, one sync of the disk, one ring of the bell.

A commit costs a sync of the disk whatever it holds. While one is under way, the writes that come in wait; the next
commit takes them all. A write that waits alone is a transaction of its own and waits for nobody.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

__all__ = ["Outcome", "WriteQueue", "run_each"]

T = TypeVar("T")

MAX_BATCH = 32
"""Writes in one transaction: other processes wait for the lock as long as it takes."""


@dataclass(frozen=True)
class Outcome:
    """How one write ended: its result, or the error that its caller is told."""

    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class _Waiting:
    work: Callable[[Connection], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class WriteQueue:
    """
    Collects writes and hands them in order, some at a time, to one thread.

    Args:
        commit: Runs functions in one transaction and says how each ended. It raises what befell all of them.
    """

    def __init__(self, commit: Callable[[Sequence[Callable[[Connection], Any]]], Sequence[Outcome]]) -> None:
        self._commit = commit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="catalog-write")
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._is_draining = False

    async def write(self, work: Callable[[Connection], T]) -> T:
        """
        Run a function in a transaction with those that wait beside it, and return when it is committed.

        A caller that is cancelled before its function has begun takes it back.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
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

    def _next_batch(self) -> list[_Waiting]:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
            self._is_draining = bool(batch)
            return batch

    def _outcomes(self, batch: Sequence[_Waiting]) -> Sequence[Outcome]:
        try:
            return self._commit([each.work for each in batch])
        except BaseException as error:  # noqa: BLE001 - whatever it was, those who wait are told
            return [Outcome(error=error)] * len(batch)


def run_each(connection: Connection, works: Sequence[Callable[[Connection], Any]]) -> list[Outcome]:
    """
    Run functions one after the other in the transaction of a connection; what one that failed has done is undone.

    Raises:
        Exception: It ended the transaction, or failed alone in it: nothing is left to commit.
    """
    if len(works) == 1:
        return [Outcome(works[0](connection))]
    return [_run_beside_others(connection, work) for work in works]


def _run_beside_others(connection: Connection, work: Callable[[Connection], Any]) -> Outcome:
    # Straight to the driver: nothing else knows of this savepoint, and SQLAlchemy's own cost as much as the work.
    driver: Any = connection.connection.driver_connection
    driver.execute("SAVEPOINT beside_others")
    try:
        result = work(connection)
    except Exception as error:
        # A disk that is full, say, makes SQLite roll the whole transaction back: then this is everybody's error.
        if not driver.in_transaction:
            raise
        driver.execute("ROLLBACK TO beside_others")
        driver.execute("RELEASE beside_others")
        return Outcome(error=error)
    driver.execute("RELEASE beside_others")
    return Outcome(result)


def _tell(batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
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
