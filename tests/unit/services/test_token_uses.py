"""When API tokens were last used, written down in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import pytest
from token_parts import ALICE, NOW, accounts, database, populated

from pypiserve.catalog import journal
from pypiserve.catalog.database import Database
from pypiserve.core.errors import Unavailable
from pypiserve.services import token_uses
from pypiserve.services.accounts import Accounts
from pypiserve.services.token_terms import TokenTerms
from pypiserve.services.token_uses import TokenUses

__all__ = ["accounts", "database", "populated"]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOW()

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.at


@pytest.fixture
def ids(accounts: Accounts) -> list[str]:
    """Return the ids of three tokens, called one to three."""
    made = [accounts.tokens.create(name, ALICE.subject, TokenTerms()) for name in ("1", "2", "3")]
    return [each.record.token_id for each in made]


def last_uses(accounts: Accounts) -> list[datetime | None]:
    """Return when the tokens were last used, in their order."""
    return [token.last_used_at for token in accounts.tokens.list_all()]


async def test_uses_are_written_together(
    accounts: Accounts, database: Database, ids: Collection[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a few transactions, without an event; a token that nobody used has no time."""
    monkeypatch.setattr(token_uses, "_BATCH", 1)
    clock, before = Clock(), database.read_now(journal.head)
    uses = TokenUses(database, now=clock)
    first, second, _ = ids
    for token_id in (first, second, first, "0000000000000000"):
        uses.note(token_id)
        clock.at += timedelta(seconds=1)
    assert last_uses(accounts) == [None, None, None]
    await uses.write()
    assert last_uses(accounts) == [NOW() + timedelta(seconds=2), NOW() + timedelta(seconds=1), None]
    assert database.read_now(journal.head) == before


async def test_of_several_processes_the_later_time_wins(
    accounts: Accounts, database: Database, ids: Collection[str]
) -> None:
    """Whoever writes later with an earlier time changes nothing."""
    early, late = Clock(), Clock()
    late.at += timedelta(minutes=1)
    first, second = TokenUses(database, now=early), TokenUses(database, now=late)
    for uses in (first, second):
        uses.note(next(iter(ids)))
    await second.write()
    await first.write()
    assert last_uses(accounts)[0] == late.at


async def test_what_cannot_be_written_is_kept(
    accounts: Accounts,
    database: Database,
    ids: Collection[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A busy catalog is asked again a minute later, and the log says so; a use meanwhile is not lost either."""
    monkeypatch.setattr(token_uses, "_PAUSE_SECONDS", 0.001)
    uses, write, failing = TokenUses(database, now=Clock()), database.write, asyncio.Event()

    async def busy(_work: Callable[..., object]) -> None:
        failing.set()
        raise Unavailable("The catalog is busy")

    monkeypatch.setattr(database, "write", busy)
    uses.note(next(iter(ids)))
    running = asyncio.create_task(uses.run())
    await failing.wait()
    monkeypatch.setattr(database, "write", write)
    while last_uses(accounts)[0] is None:  # noqa: ASYNC110 - another task writes it
        await asyncio.sleep(0.001)
    running.cancel()
    assert "When tokens were used could not be written down: The catalog is busy" in caplog.text


async def test_no_more_is_kept_than_there_is_room_for(
    accounts: Accounts, database: Database, ids: Collection[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the catalog cannot be written, later tokens wait for another use."""
    monkeypatch.setattr(token_uses, "_MOST_KEPT", 1)
    uses = TokenUses(database, now=Clock())
    for token_id in ids:
        uses.note(token_id)
    await uses.write()
    assert last_uses(accounts) == [NOW(), None, None]
