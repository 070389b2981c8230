"""Counting failed sign-ins: in bounded memory and bounded space."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pypiserve.catalog import sign_in_failures as catalog
from pypiserve.catalog.audit import read_audit
from pypiserve.catalog.database import Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.migrate import migrate
from pypiserve.core.audit import AuditEntry, AuditFilter
from pypiserve.core.errors import AuthenticationFailed, CredentialsRevoked, CredentialsUnknown
from pypiserve.services.sign_in_failures import MAX_KEPT, SignInFailures, failing_network

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return an empty catalog."""
    database = Database(tmp_path / "catalog.sqlite3", Doorbell(tmp_path / "doorbell"))
    migrate(database.engine)
    yield database
    database.close()


def written(database: Database) -> list[AuditEntry]:
    """Return what is in the catalog."""
    return database.read_now(
        lambda connection: read_audit(
            connection, AuditFilter(), owners=(), network=None, before=None, limit=10 * MAX_KEPT
        )
    )[0]


async def test_many_addresses_are_summed_up(database: Database) -> None:
    """A flood from everywhere fills neither memory nor disk: past a bound it is counted without addresses."""
    failures = SignInFailures(database, now=lambda: MOMENT)
    for number in range(3 * MAX_KEPT):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        failures.note(CredentialsUnknown("?"), address=address, request_id="r")
    assert len(failures) == MAX_KEPT + 1
    await failures.write()
    found = written(database)
    assert sum(entry.count for entry in found) == 3 * MAX_KEPT
    assert len(found) == MAX_KEPT + 1
    assert [entry.count for entry in found if entry.address is None] == [2 * MAX_KEPT]


async def test_batches_of_a_minute_are_one_line(database: Database) -> None:
    """What several processes or batches count is added up; another minute, reason or credential is another line."""
    for request_id in "ab":
        failures = SignInFailures(database, now=lambda: MOMENT)
        failures.note(AuthenticationFailed("?"), address="::1", request_id=request_id)
        failures.note(CredentialsRevoked("?", credential="t1"), address="::1", request_id=request_id)
        await failures.write()
    later = SignInFailures(database, now=lambda: MOMENT.replace(minute=5))
    later.note(AuthenticationFailed("?"), address="::1", request_id="c")
    await later.write()
    assert [(entry.at.minute, entry.detail, entry.credential, entry.count) for entry in written(database)] == [
        (5, "authentication-failed", None, 1),
        (4, "revoked-credentials", "t1", 2),
        (4, "authentication-failed", None, 2),
    ]
    assert [entry.request_id for entry in written(database)] == ["c", "a", "a"]


async def test_the_oldest_lines_go(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table never has more than its bound."""
    monkeypatch.setattr(catalog, "MAX_ROWS", 5)
    failures = SignInFailures(database, now=lambda: MOMENT)
    for number in range(12):
        failures.note(CredentialsUnknown("?"), address=f"10.0.0.{number}", request_id="r")
        await failures.write()
    assert [entry.address for entry in written(database)] == [f"10.0.0.{number}" for number in (11, 10, 9, 8, 7)]


async def test_what_cannot_be_written_is_counted_on(database: Database, tmp_path: Path) -> None:
    """A catalog that does not answer loses no count."""
    failures = SignInFailures(database, now=lambda: MOMENT)
    failures.note(CredentialsUnknown("?"), address="10.0.0.1", request_id="r")
    with (
        database.engine.connect().execution_options(pypiserve_writes=True) as held,
        pytest.MonkeyPatch.context() as m,
    ):
        held.begin()
        m.setattr("pypiserve.catalog.database.LOCK_TIMEOUT_SECONDS", 0)
        with pytest.raises(Exception, match="busy"):
            await failures.write()
    failures.note(CredentialsUnknown("?"), address="10.0.0.1", request_id="s")
    await failures.write()
    assert [(entry.count, entry.request_id) for entry in written(database)] == [(2, "r")]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::5", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("", ""),
    ],
)
def test_addresses_of_one_subscriber_are_one(address: str, network: str) -> None:
    """IPv6 by /64, as for the throttle."""
    assert failing_network(address) == network
