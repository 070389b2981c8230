"""The catalog's database: rights in it, journal, and several processes on one file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from catalog_parts import MOMENT, an_event, open_database
from server_process import ServerProcess

from pypiserve.catalog import grants, journal, owners
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.grants import Place
from pypiserve.catalog.migrate import migrate
from pypiserve.catalog.schema import UtcDateTime
from pypiserve.core.errors import ConfigurationError, Unavailable
from pypiserve.core.events import OPERATOR
from pypiserve.core.identity import Role, Visibility
from pypiserve.core.names import OwnerName
from pypiserve.testing.server import ServerUnderTest


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return an empty catalog with its schema."""
    database = open_database(tmp_path)
    migrate(database.engine)
    yield database
    database.close()


def test_a_grant_is_replaced_where_it_was_and_nowhere_else(database: Database) -> None:
    """Of a subject there is one role at each place: two would be one to forget."""
    by, now = OPERATOR, MOMENT

    def work(connection: Connection) -> list[str]:
        owners.create_owner(connection, OwnerName("main"), kind="user", visibility=Visibility.PRIVATE, by=by, now=now)
        owner = owners.find_owner(connection, "main")
        places = [Place(), Place(owner), Place(owner, projects="a-*"), Place(owner, projects="b-*")]
        for role in (Role.READER, Role.PUBLISHER):
            for place in places:
                grants.grant_role(connection, place, grantee="x:y", role=role, team_id=None, by=by, now=now)
        return [f"{grant.place} {grant.role}" for grant in grants.list_grants(connection)]

    assert sorted(database.write_now(work)) == [
        "main publisher",
        "main/*/a-* publisher",
        "main/*/b-* publisher",
        "the whole server publisher",
    ]


def test_a_standing_is_found_by_indexes_alone(database: Database) -> None:
    """However many accounts, teams and grants there are, none of these tables is read from end to end."""

    def plan(connection: Connection) -> list[str]:
        seen: list[str] = []

        def look(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
            seen.extend((statement, str(parameters)))

        sa.event.listen(database.engine, "before_cursor_execute", look)
        grants.standing_of(connection, "htpasswd:alice")
        owners.find_index(connection, "main", "pypi", formerly=True)
        sa.event.remove(database.engine, "before_cursor_execute", look)
        statements = [text for text in seen if text.startswith("SELECT")]
        rows = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", ("x",) * text.count("?")).all()
            for text in statements
        ]
        return [str(row[3]) for found in rows for row in found]

    steps = database.read_now(plan)
    assert len(steps) > 5
    assert [step for step in steps if step.startswith("SCAN") and "CONSTANT ROW" not in step] == []


@pytest.mark.parametrize("content", [b"this is no database, and long enough to be seen as none" * 20])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """A damaged catalog stops the start in one sentence and stays untouched."""
    (tmp_path / "pypiserve-data").mkdir()
    file = tmp_path / "pypiserve-data" / "catalog.sqlite3"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="not a database"):
        ServerUnderTest(tmp_path).start()
    assert file.read_bytes() == content


def test_a_new_catalog_opens_for_many_at_once(tmp_path: Path) -> None:
    """Whoever comes while another makes the file waits, and is not told that it is locked."""
    folders = [tmp_path / str(number) for number in range(10)]

    def mode(database: Database) -> object:
        return database.read_now(lambda connection: connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())

    with ThreadPoolExecutor(6) as threads:
        for folder in folders:
            folder.mkdir()
            databases = [open_database(folder) for _ in range(6)]
            try:
                assert list(threads.map(mode, databases)) == ["wal"] * 6
            finally:
                for database in databases:
                    database.close()


def test_write_ahead_log_and_foreign_keys_are_on(database: Database) -> None:
    """Readers do not wait for writers, commits are durable, and rows do not dangle."""

    def pragmas(connection: Connection) -> list[object]:
        return [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert database.read_now(pragmas) == ["wal", 2, 1]


def test_the_catalog_is_for_its_owner_only(tmp_path: Path) -> None:
    """In a folder that everybody may read, names of private projects and hashes of tokens stay unread."""
    tmp_path.chmod(0o755)
    database = open_database(tmp_path)
    try:
        migrate(database.engine)
        database.write_now(lambda connection: journal.append(connection, an_event()))
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    finally:
        database.close()
    assert modes.keys() >= {"catalog.sqlite3", "catalog.sqlite3-wal", "catalog.sqlite3-shm"}
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("name", ["what?", "50%20", "a#b", "a?mode=ro"])
def test_the_catalog_is_in_its_folder_whatever_that_is_called(tmp_path: Path, name: str) -> None:
    """Characters that mean something in an address mean nothing in a path."""
    folder = tmp_path / name
    folder.mkdir()
    database = open_database(folder)
    try:
        migrate(database.engine)
    finally:
        database.close()
    assert (folder / "catalog.sqlite3").is_file()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failed_change_leaves_neither_row_nor_event(database: Database) -> None:
    """What raises within a transaction is as if it had not been, and does not ring."""

    def work(connection: Connection) -> None:
        journal.append(connection, an_event())
        raise RuntimeError("after the event")

    with pytest.raises(RuntimeError, match="after the event"):
        database.write_now(work)
    assert database.read_now(journal.head) == 0
    assert database.read_now(lambda connection: journal.since(connection, 0)) == []


def test_serials_have_no_gaps_under_concurrency(tmp_path: Path, database: Database) -> None:
    """Many writers in two processes' worth of databases number their events one after the other."""
    other = open_database(tmp_path)
    databases = [database, other]

    def write(number: int) -> int:
        def work(connection: Connection) -> int:
            return journal.append(connection, an_event(str(number))).serial

        return databases[number % 2].write_now(work)

    try:
        with ThreadPoolExecutor(8) as threads:
            serials = list(threads.map(write, range(120)))
    finally:
        other.close()
    assert sorted(serials) == list(range(1, 121))
    events = database.read_now(lambda connection: journal.since(connection, 0))
    assert [event.serial for event in events] == list(range(1, 121))
    assert {event.detail for event in events} == {str(number) for number in range(120)}


def test_a_mark_never_goes_back(database: Database) -> None:
    """Of two servers on one folder the slower one does not make a subscriber hear the same events after a restart."""

    def told(serial: int) -> int:
        database.write_now(lambda connection: journal.move_mark(connection, "news", serial))
        return database.write_now(lambda connection: journal.mark_of(connection, "news"))

    assert database.write_now(lambda connection: journal.mark_of(connection, "news")) == 0
    assert [told(serial) for serial in (2, 1, 3)] == [2, 2, 3]


def test_the_bell_rings_for_every_commit_and_for_no_read(tmp_path: Path, database: Database) -> None:
    """Whoever looks at the bell after a commit sees another value than before it."""
    listener = Doorbell(tmp_path / "doorbell")
    seen = [listener.look()]
    for _ in range(3):
        database.write_now(lambda connection: journal.append(connection, an_event()))
        seen.append(listener.look())
    database.read_now(journal.head)
    database.write_now(journal.head)
    assert len(set(seen)) == 4
    assert listener.look() == seen[-1]
    listener.close()


def test_the_bell_rings_also_after_a_backup_was_restored(tmp_path: Path) -> None:
    """The restored journal gives a serial out again, and the bell, which no backup has, still shows a change."""
    bell = Doorbell(tmp_path / "doorbell")
    looks = []
    for _ in range(2):
        database = open_database(tmp_path)
        migrate(database.engine)
        database.write_now(lambda connection: journal.append(connection, an_event()))
        assert database.read_now(journal.head) == 1
        database.close()
        looks.append(bell.look())
        for file in tmp_path.glob("catalog.sqlite3*"):
            file.unlink()
    bell.close()
    assert looks[0] != looks[1]


async def test_a_catalog_that_is_locked_for_too_long_is_unavailable(tmp_path: Path, database: Database) -> None:
    """The client is told to come again; it is neither an error of the server nor a loss."""
    blocker = sqlite3.connect(tmp_path / "catalog.sqlite3", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")

    @sa.event.listens_for(database.engine, "connect")
    def hurry(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout = 100")

    database.engine.dispose()
    with pytest.raises(Unavailable, match="busy"):
        await database.write(lambda connection: journal.append(connection, an_event()))
    assert await database.read(journal.head) == 0
    blocker.execute("ROLLBACK")
    blocker.close()
    await database.write(lambda connection: journal.append(connection, an_event()))


def test_times_are_aware_and_keep_their_microseconds(database: Database) -> None:
    """Naive times are refused: they would mean something else on every machine."""
    kind = UtcDateTime()
    dialect = database.engine.dialect
    for moment in (MOMENT, MOMENT.astimezone(timezone(timedelta(hours=-7))), datetime(1969, 1, 1, tzinfo=UTC)):
        assert kind.process_result_value(kind.process_bind_param(moment, dialect), dialect) == moment
    assert kind.process_bind_param(None, dialect) is None
    with pytest.raises(ValueError, match="aware"):
        kind.process_bind_param(MOMENT.replace(tzinfo=None), dialect)


def test_two_first_starts_at_once_both_come_up(tmp_path: Path) -> None:
    """In one empty folder one of two processes makes owner and token, and both serve them."""
    starting = [ServerProcess(tmp_path) for _ in range(2)]
    try:
        (token,) = filter(None, [server.wait_until_serving().token for server in starting])
        for server in starting:
            reply = server.get("/simple/", token=token)
            assert reply.status == 200
    finally:
        for server in starting:
            server.kill()
