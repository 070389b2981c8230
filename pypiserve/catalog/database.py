"""
The database and the threads that talk to it.

SQLAlchemy Core, synchronous, in a small bounded pool of threads behind one ``await``: on SQLite that is several
times faster than the asynchronous drivers. One thread writes, so that writers queue here and not on a lock, and
those that queue share a transaction.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from pypiserve.catalog import journal
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.group_commit import MAX_BATCH, run_each
from pypiserve.core.batches import BatchQueue, Outcome
from pypiserve.core.errors import StorageFull, Unavailable

__all__ = ["Connection", "Database"]

T = TypeVar("T")

READERS = 4
"""Threads that read. More gain nothing: SQLite reads are short and hold the interpreter's lock in part."""

LOCK_TIMEOUT_SECONDS = 10
"""How long a writer waits for another process's transaction."""

_WAL_PAUSE_SECONDS = 0.01
_TURN_SECONDS = 0.0005


class Database:
    """
    The catalog's SQLite database in write-ahead-log mode.

    ``read`` and ``write`` take a function of a connection and run it in a thread, inside one transaction. The
    ``…_now`` forms do the same in the calling thread, for the command line and the start.
    """

    def __init__(self, path: Path, doorbell: Doorbell) -> None:
        self._engine = _sqlite_engine(path)
        self._doorbell = doorbell
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="catalog-read")
        self._writes: BatchQueue[Callable[[Connection], Any]] = BatchQueue(
            self._commit, name="catalog-write", most=MAX_BATCH
        )

    @property
    def engine(self) -> Engine:
        """For migrations only."""
        return self._engine

    async def read(self, work: Callable[[Connection], T]) -> T:
        """
        Run a query function in a reader thread.

        Raises:
            Unavailable: The database is locked for too long.
        """
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """
        Run a function in a write transaction; on return it is committed and the doorbell was rung.

        Functions that wait at the same time share the transaction, in the order in which they came. Each sees what
        those before it did; one that fails is undone alone. Cancelling the caller does not undo it: what has begun
        is committed.

        Raises:
            StorageFull: The disk is full; nothing was changed.
            Unavailable: The database is locked for too long; nothing was changed.
        """
        return cast("T", await self._writes.do(work))

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Do what ``read`` does, here."""
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except OperationalError as error:
            raise _translated(error) from error

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Do what ``write`` does, here."""
        try:
            return cast("T", self._transaction([work])[0].result)
        except OperationalError as error:
            raise _translated(error) from error

    def _commit(self, works: Sequence[Callable[[Connection], Any]]) -> list[Outcome]:
        """Run what waits in one transaction; when it fails as a whole, each caller gets an error of its own."""
        try:
            return [_told(outcome) for outcome in self._transaction(works)]
        except OperationalError as error:
            return [_told(Outcome(error=error)) for _ in works]

    def _transaction(self, works: Sequence[Callable[[Connection], Any]]) -> list[Outcome]:
        with self._engine.connect().execution_options(pypiserve_writes=True) as connection:
            connection.begin()
            before = journal.head(connection)
            outcomes = run_each(connection, works)
            after = journal.head(connection)
            _commit_or_roll_back(connection)
        if after != before:
            self._doorbell.ring()
        return outcomes

    def close(self) -> None:
        """Wait for running work, then release threads, connections and the doorbell."""
        self._readers.shutdown()
        self._writes.close()
        self._engine.dispose()
        self._doorbell.close()


def _sqlite_engine(path: Path) -> Engine:
    # SQLite makes its file readable for everybody, and gives those beside it the same mode. Only a new file is opened
    # here: to close one that is in use would take this process's locks off it.
    with suppress(OSError):  # SQLite meets it too, and says more
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    # From parts: in a text, what follows a "?" in the folder's name would be taken for options.
    url = URL.create("sqlite", database=str(path))
    # Each thread that talks to the database gets a connection: waiting for that of another could be for ever.
    engine = create_engine(
        url, connect_args={"timeout": LOCK_TIMEOUT_SECONDS}, pool_size=READERS + 1, max_overflow=-1
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself: it would begin them deferred, and a read that turns into
        # a write then fails when another process wrote meanwhile.
        connection.isolation_level = None
        _switch_to_wal(connection)
        # FULL: a commit that was acknowledged survives a power failure.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("pypiserve_writes"):
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_writing(connection: Connection) -> None:
    """Begin a transaction that writes, when no other process is within one."""
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    # SQLite waits for a lock in steps that become 100 ms long, and others write for less than one.
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if "locked" not in str(error.orig) or time.monotonic() > deadline:
                    raise
                time.sleep(_TURN_SECONDS)
            else:
                return
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * LOCK_TIMEOUT_SECONDS}")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to the write-ahead log; SQLite refuses one of two who do so at once, without waiting."""
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_WAL_PAUSE_SECONDS)
        else:
            return


def _commit_or_roll_back(connection: Connection) -> None:
    try:
        connection.commit()
    except BaseException:
        # SQLAlchemy takes the transaction for over, whatever became of it; the next user would begin within it.
        connection.connection.rollback()
        raise


def _told(outcome: Outcome) -> Outcome:
    """Turn what the database says into what the caller is told."""
    if not isinstance(outcome.error, OperationalError):
        return outcome
    error = _translated(outcome.error)
    if error is not outcome.error:
        error.__cause__ = outcome.error
    return Outcome(error=error)


def _translated(error: OperationalError) -> Exception:
    text = str(error.orig)
    if "full" in text or "disk I/O error" in text:
        return StorageFull()
    if "locked" in text or "busy" in text:
        return Unavailable("The catalog is busy")
    return error
