"""What is remembered of indexes, and what its speed gives away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pypiserve.catalog import journal
from pypiserve.catalog.database import Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.migrate import migrate
from pypiserve.core.errors import AuthenticationFailed
from pypiserve.core.identity import ANONYMOUS, Action
from pypiserve.services.accounts import Accounts
from pypiserve.services.directory import Directory
from pypiserve.testing import a_clock


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return an empty catalog."""
    database = Database(tmp_path / "catalog.sqlite3", Doorbell(tmp_path / "doorbell"))
    migrate(database.engine)
    yield database
    database.close()


@pytest.fixture
def accounts(database: Database) -> Accounts:
    """Return the accounts of the catalog."""
    return Accounts(database, now=a_clock(), token_authenticator="token")


async def _refused(directory: Directory, owner: str) -> str:
    with pytest.raises(AuthenticationFailed) as caught:
        await directory.authorise(ANONYMOUS, Action.READ, owner=owner, index="pypi")
    return str(caught.value).replace(owner, "OWNER")


async def test_a_private_index_and_none_cost_a_stranger_the_same(database: Database, accounts: Accounts) -> None:
    """Asked for again, in any letter case, both are answered from memory: no clock tells them apart."""
    accounts.create_owner("secret", public=False)
    directory = Directory(database)
    first = [await _refused(directory, owner) for owner in ("secret", "absent")]
    statements: list[Any] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *facts: statements.append(facts[2]))
    second = [await _refused(directory, owner) for owner in ("secret", "absent", "SECRET", "ABSENT")]
    assert set(first + second) == {first[0]}
    assert statements == []


async def test_an_owner_that_was_missing_is_found_when_it_was_made(database: Database, accounts: Accounts) -> None:
    """That there was none is forgotten with the event of its making."""
    directory = Directory(database)
    await _refused(directory, "new")
    accounts.create_owner("new", public=True)
    for event in database.read_now(lambda connection: journal.since(connection, 0)):
        directory.notice(event)
    assert (await directory.authorise(ANONYMOUS, Action.READ, owner="new", index="pypi")).index.path == "new/pypi"


async def test_names_that_are_too_long_are_not_kept(database: Database) -> None:
    """A stranger cannot fill the memory with long names that nobody has."""
    directory = Directory(database)
    await _refused(directory, "absent")
    statements: list[Any] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *facts: statements.append(facts[2]))
    await _refused(directory, "x" * 65)
    assert statements == []
