"""Writes that wait at the same time share a transaction; each keeps what one of its own would promise."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from pypiserve.catalog import journal
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.group_commit import MAX_BATCH
from pypiserve.catalog.migrate import migrate
from pypiserve.core.errors import FilenameTaken, StorageFull
from pypiserve.core.events import Event, EventKind

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class CountingDoorbell(Doorbell):
    """A doorbell that knows how often it was rung."""

    rings = 0

    def ring(self) -> None:
        """Count, and ring."""
        self.rings += 1
        super().ring()


@pytest.fixture
def doorbell(tmp_path: Path) -> CountingDoorbell:
    """Return the bell of the database."""
    return CountingDoorbell(tmp_path / "doorbell")


@pytest.fixture
def database(tmp_path: Path, doorbell: CountingDoorbell) -> Iterator[Database]:
    """Return an empty catalog with its schema."""
    database = Database(tmp_path / "catalog.sqlite3", doorbell)
    migrate(database.engine)
    yield database
    database.close()


@asynccontextmanager
async def held_up(database: Database) -> AsyncIterator[None]:
    """Keep the writer busy within the block, so that what is written there waits together."""
    started, leave = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def wait(_: Connection) -> None:
        loop.call_soon_threadsafe(started.set)
        assert leave.wait(10)

    first = asyncio.ensure_future(database.write(wait))
    await started.wait()
    try:
        yield
        # Those who began to write in the block get to their queue.
        await asyncio.sleep(0.01)
    finally:
        leave.set()
    await first


def appending(detail: str) -> Callable[[Connection], int]:
    """Write a function that appends an event and returns its serial."""
    event = Event(0, MOMENT, EventKind.OWNER_CREATED, "operator", owner="main", detail=detail)
    return lambda connection: journal.append(connection, event).serial


def failing_after(work: Callable[[Connection], int], error: Exception) -> Callable[[Connection], int]:
    """Write a function that does something and then fails."""

    def fail(connection: Connection) -> int:
        work(connection)
        raise error

    return fail


def details(database: Database) -> list[str]:
    """Return the events of the journal by what they say."""
    return [event.detail for event in database.read_now(lambda c: journal.since(c, 0))]


@pytest.fixture
def commits(database: Database) -> list[str]:
    """Return a list that grows with each commit."""
    seen: list[str] = []
    sa.event.listen(database.engine, "commit", lambda _: seen.append("commit"))
    return seen


async def test_waiting_writes_share_one_commit_and_one_ring(
    database: Database, doorbell: CountingDoorbell, commits: list[str]
) -> None:
    """Those that wait are committed together, in the order in which they came."""
    async with held_up(database):
        writes = [asyncio.ensure_future(database.write(appending(str(number)))) for number in range(5)]
    serials = await asyncio.gather(*writes)
    assert serials == [1, 2, 3, 4, 5]
    assert details(database) == ["0", "1", "2", "3", "4"]
    assert len(commits) == 2  # of the one that held them up, and of all that waited
    assert doorbell.rings == 1


async def test_a_lone_write_is_one_commit(database: Database, doorbell: CountingDoorbell, commits: list[str]) -> None:
    """A write that nobody waits beside is a transaction of its own."""
    assert await database.write(appending("alone")) == 1
    assert await database.write(appending("alone too")) == 2
    assert len(commits) == doorbell.rings == 2


async def test_one_that_fails_is_undone_alone(database: Database) -> None:
    """Its error goes to its caller only, nothing of it is kept, and the serials have no gap."""
    taken = FilenameTaken("demo-1.0.tar.gz", known_as="demo-1.0.tar.gz", deleted=False)
    async with held_up(database):
        first = asyncio.ensure_future(database.write(appending("first")))
        second = asyncio.ensure_future(database.write(failing_after(appending("second"), taken)))
        third = asyncio.ensure_future(database.write(appending("third")))
    outcomes = await asyncio.gather(first, second, third, return_exceptions=True)
    assert list(outcomes) == [1, taken, 2]
    assert details(database) == ["first", "third"]


async def test_a_statement_that_fails_is_undone_alone(database: Database) -> None:
    """Also when it was the database that refused."""

    def twice(connection: Connection) -> int:
        serial = appending("second")(connection)
        connection.exec_driver_sql("INSERT INTO events SELECT * FROM events")
        return serial

    async with held_up(database):
        second = asyncio.ensure_future(database.write(twice))
        third = asyncio.ensure_future(database.write(appending("third")))
    with pytest.raises(sa.exc.IntegrityError):
        await second
    assert await third == 1
    assert details(database) == ["third"]


async def test_a_commit_that_fails_fails_for_all(database: Database, doorbell: CountingDoorbell) -> None:
    """Each caller hears that there is no room, by an error of its own; nothing is kept and nobody is told."""

    def no_room(_: Connection) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, sqlite3.OperationalError("database or disk is full"))

    async with held_up(database):
        writes = [asyncio.ensure_future(database.write(appending(str(number)))) for number in range(3)]
        await asyncio.sleep(0.01)
        # From here on: the one that holds them up commits too, and must not fail.
        sa.event.listen(database.engine, "begin", lambda _: sa.event.listen(database.engine, "commit", no_room))
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    sa.event.remove(database.engine, "commit", no_room)
    assert [type(outcome) for outcome in outcomes] == [StorageFull] * 3
    assert len({id(outcome) for outcome in outcomes}) == 3
    assert details(database) == []
    assert doorbell.rings == 0


async def test_an_error_that_ends_the_transaction_fails_for_all(database: Database) -> None:
    """A full disk makes SQLite roll everything back: those before it in the transaction must not be acknowledged."""

    def ends_it(connection: Connection) -> int:
        connection.exec_driver_sql("ROLLBACK")
        raise sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    async with held_up(database):
        first = asyncio.ensure_future(database.write(appending("first")))
        second = asyncio.ensure_future(database.write(ends_it))
        third = asyncio.ensure_future(database.write(appending("third")))
    outcomes = await asyncio.gather(first, second, third, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageFull] * 3
    assert details(database) == []
    assert await database.write(appending("later")) == 1


async def test_a_caller_that_is_cancelled_while_it_waits_takes_its_write_back(database: Database) -> None:
    """What has not begun is not done, and those beside it are."""
    async with held_up(database):
        first = asyncio.ensure_future(database.write(appending("first")))
        second = asyncio.ensure_future(database.write(appending("second")))
        await asyncio.sleep(0.01)
        first.cancel()
    assert await second == 1
    assert details(database) == ["second"]


async def test_a_transaction_is_bounded(database: Database, commits: list[str]) -> None:
    """However many wait, other processes get their turn after a bounded number of them."""
    async with held_up(database):
        writes = [asyncio.ensure_future(database.write(appending(str(n)))) for n in range(2 * MAX_BATCH + 1)]
    assert await asyncio.gather(*writes) == list(range(1, 2 * MAX_BATCH + 2))
    assert len(commits) == 4


async def test_closing_waits_for_what_was_queued(tmp_path: Path) -> None:
    """A stop loses nothing that somebody was waiting for."""
    database = Database(tmp_path / "closing.sqlite3", Doorbell(tmp_path / "closing-bell"))
    migrate(database.engine)
    async with held_up(database):
        writes = [asyncio.ensure_future(database.write(appending(str(number)))) for number in range(3)]
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(asyncio.to_thread(database.close))
    await closing
    assert await asyncio.gather(*writes) == [1, 2, 3]
