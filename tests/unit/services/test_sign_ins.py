"""Whom authenticators have signed in, written down in batches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pypiserve.catalog import journal, users
from pypiserve.catalog.database import Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.migrate import migrate
from pypiserve.core.identity import Identity
from pypiserve.services import sign_ins
from pypiserve.services.sign_ins import SignIns

MIA = Identity("forge", "42", display_name="mia")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.at


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return an empty catalog."""
    database = Database(tmp_path / "catalog.sqlite3", Doorbell(tmp_path / "doorbell"))
    migrate(database.engine)
    yield database
    database.close()


def known(database: Database) -> list[tuple[str, str, datetime | None]]:
    """Return who is known."""
    found = database.read_now(users.list_users)
    return [(user.subject, user.display_name, user.last_seen_at) for user in found]


async def test_a_time_is_written_once_in_a_while(database: Database) -> None:
    """Not with each request, and at once when somebody is called otherwise; no event tells of it."""
    clock = Clock()
    seen = SignIns(database, now=clock)
    seen.note(MIA)
    assert known(database) == []
    await seen.write()
    assert known(database) == [("forge:42", "mia", NOON)]
    clock.at = NOON + timedelta(minutes=4)
    seen.note(MIA)
    await seen.write()
    assert known(database) == [("forge:42", "mia", NOON)]
    seen.note(Identity("forge", "42", display_name="Mia M."))
    await seen.write()
    assert known(database) == [("forge:42", "Mia M.", clock.at)]
    clock.at += timedelta(minutes=6)
    seen.note(Identity("forge", "42", display_name="Mia M."))
    await seen.write()
    assert known(database) == [("forge:42", "Mia M.", clock.at)]
    assert database.read_now(journal.head) == 0


async def test_of_several_processes_the_latest_counts(database: Database) -> None:
    """Whoever writes later with an earlier time changes nothing."""
    early, late = Clock(), Clock()
    late.at += timedelta(minutes=1)
    first, second = SignIns(database, now=early), SignIns(database, now=late)
    first.note(MIA)
    second.note(MIA)
    await second.write()
    await first.write()
    assert known(database) == [("forge:42", "mia", late.at)]


async def test_what_is_kept_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound, and of a length for which there is no room, nobody is noted; several batches are written."""
    monkeypatch.setattr(sign_ins, "_MOST_KEPT", 3)
    monkeypatch.setattr(sign_ins, "_BATCH", 2)
    seen = SignIns(database, now=Clock())
    seen.note(Identity("forge", "x" * 255))
    for name in "abcd":
        seen.note(Identity("forge", name, display_name="n" * 300))
    await seen.write()
    assert [(subject, len(name)) for subject, name, _ in known(database)] == [
        ("forge:a", 255),
        ("forge:b", 255),
        ("forge:c", 255),
    ]
    seen.note(Identity("forge", "d"))
    await seen.write()
    assert len(known(database)) == 4
