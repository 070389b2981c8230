"""Statements that go straight to the driver give what SQLAlchemy would have given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.migrate import migrate
from pypiserve.catalog.prepared import Prepared
from pypiserve.catalog.schema import blobs, journal_head, owners

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
INSERT = Prepared(insert(blobs), "sha256", "size_bytes", "created_at", "purged_at")
ALL = Prepared(select(blobs).order_by(blobs.c.sha256))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """Return a connection to an empty catalog."""
    database = Database(tmp_path / "catalog.sqlite3", Doorbell(tmp_path / "doorbell"))
    migrate(database.engine)
    with database.engine.connect() as connection:
        yield connection
    database.close()


def test_values_go_in_and_come_out_with_their_types(connection: Connection) -> None:
    """Times too, and what is missing."""
    INSERT.rows(connection, sha256="a", size_bytes=1, created_at=MOMENT, purged_at=None)
    INSERT.rows(connection, sha256="b", size_bytes=2, created_at=MOMENT, purged_at=MOMENT)
    expected = [("a", 1, MOMENT, None), ("b", 2, MOMENT, MOMENT)]
    assert ALL.rows(connection) == expected
    assert [tuple(row) for row in connection.execute(select(blobs))] == expected


def test_values_of_the_statement_itself_are_kept(connection: Connection) -> None:
    """Also those that are NULL, and those that are computed."""
    INSERT.rows(connection, sha256="a", size_bytes=1, created_at=MOMENT, purged_at=MOMENT)
    clear = Prepared(update(blobs).where(blobs.c.sha256 == bindparam("digest")).values(purged_at=None, size_bytes=7))
    assert clear.rows(connection, digest="a") == []
    assert ALL.row(connection) == ("a", 7, MOMENT, None)
    count = Prepared(
        update(journal_head).values(serial=journal_head.c.serial + bindparam("by")).returning(journal_head.c.serial)
    )
    assert (count.value(connection, by=2), count.value(connection, by=3)) == (2, 5)


def test_nothing_is_found_as_nothing(connection: Connection) -> None:
    """No rows, no row, no value."""
    assert ALL.rows(connection) == []
    assert ALL.row(connection) is None
    assert ALL.value(connection) is None


def test_a_transaction_is_begun_and_can_be_undone(connection: Connection) -> None:
    """It belongs to the connection, as every other statement's does."""
    INSERT.rows(connection, sha256="a", size_bytes=1, created_at=MOMENT, purged_at=None)
    assert connection.in_transaction()
    connection.rollback()
    assert ALL.rows(connection) == []


def test_errors_are_those_of_sqlalchemy(connection: Connection) -> None:
    """Who handles one kind handles both."""
    INSERT.rows(connection, sha256="a", size_bytes=1, created_at=MOMENT, purged_at=None)
    with pytest.raises(IntegrityError, match="UNIQUE constraint failed"):
        INSERT.rows(connection, sha256="a", size_bytes=1, created_at=MOMENT, purged_at=None)
    connection.rollback()
    connection.exec_driver_sql("DROP TABLE owners")
    with pytest.raises(OperationalError, match="no such table: owners"):
        Prepared(select(owners.c.name)).rows(connection)


def test_what_the_schema_refuses_is_refused(connection: Connection) -> None:
    """A time without its zone is never guessed."""
    with pytest.raises(ValueError, match="aware times only"):
        INSERT.rows(
            connection,
            sha256="a",
            size_bytes=1,
            created_at=datetime(2026, 1, 2),  # noqa: DTZ001 - that is the point
            purged_at=None,
        )
