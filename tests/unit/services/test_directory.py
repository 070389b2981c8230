"""What is remembered of indexes, and what its speed gives away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from packaging.utils import canonicalize_name

from pypiserve.catalog import journal
from pypiserve.catalog.database import Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.migrate import migrate
from pypiserve.core.errors import AuthenticationFailed, PypiserveError
from pypiserve.core.identity import ANONYMOUS, SIGNED_IN, Action, Identity, Role, Visibility
from pypiserve.services.accounts import Accounts
from pypiserve.services.directory import Directory, Permit
from pypiserve.services.grants import PlaceNames
from pypiserve.services.indexes import Indexes
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


ALICE, BOB = Identity("htpasswd", "alice"), Identity("htpasswd", "bob")


class Watched:
    """A directory on a catalog with a private owner, that hears of events and whose statements are counted."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self.accounts = accounts
        self.statements: list[str] = []
        self._database = database
        self._directory = Directory(database)
        self._told = 0
        accounts.create_owner("acme", public=False)
        self.tell()
        sa.event.listen(database.engine, "before_cursor_execute", lambda *facts: self.statements.append(facts[2]))

    def tell(self) -> None:
        """Hand over what happened."""
        for event in self._database.read_now(lambda connection: journal.since(connection, self._told)):
            self._directory.notice(event)
            self._told = event.serial

    async def may_read(self, identity: Identity) -> bool:
        """Ask, and count anew."""
        self.statements.clear()
        try:
            await self._directory.authorise(identity, Action.READ, owner="acme", index="pypi")
        except PypiserveError:
            return False
        return True


@pytest.fixture
def watched(database: Database, accounts: Accounts) -> Watched:
    """Return a directory to watch."""
    return Watched(database, accounts)


async def test_a_decision_that_is_kept_asks_nobody(watched: Watched) -> None:
    """The catalog is asked for a subject once, with one statement."""
    assert not await watched.may_read(ALICE)
    assert not await watched.may_read(ALICE)
    assert watched.statements == []
    assert not await watched.may_read(BOB)
    assert len([text for text in watched.statements if text.startswith("SELECT")]) == 1


async def test_a_permit_is_made_once_for_each_question(database: Database, accounts: Accounts) -> None:
    """Another question is another permit, whatever it differs in; a change of rights or rules takes them back."""
    accounts.create_owner("open", public=True)
    told = database.read_now(journal.head)
    directory = Directory(database)
    core, other = canonicalize_name("core"), canonicalize_name("other")

    async def ask(identity: Identity = ANONYMOUS, action: Action = Action.READ, of: Any = core) -> Permit:
        return await directory.authorise(identity, action, owner="open", index="pypi", of=of)

    first = await ask()
    assert await ask() is first
    with pytest.raises(PypiserveError):
        await ask(action=Action.PUBLISH)
    with pytest.raises(PypiserveError):
        await ask(ALICE, Action.PUBLISH)
    assert (await ask(ALICE)).question.identity == ALICE
    assert (await ask(of=other)).question.of == other
    limited = replace(ALICE, scopes=())
    assert (await ask(limited)).question.identity == limited
    Indexes(database, now=a_clock()).change_rules("open/pypi", {"close_releases_after_days": "3"})
    for event in database.read_now(lambda connection: journal.since(connection, told)):
        directory.notice(event)
    again = await ask()
    assert (first.index.rules.close_releases_after_days, again.index.rules.close_releases_after_days) == (None, 3)


async def test_strangers_cannot_fill_the_memory_with_permits(
    database: Database, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a public index everybody may ask for projects of any name; few are kept, and none that is endless."""
    accounts.create_owner("open", public=True)
    directory = Directory(database)
    monkeypatch.setattr("pypiserve.services.directory._MAX_KEPT", 3)
    for name in [*(f"p{number}" for number in range(10)), "x" * 201]:
        await directory.authorise(ANONYMOUS, Action.READ, owner="open", index="pypi", of=canonicalize_name(name))
    assert len(directory._permits) <= 3
    assert "x" * 201 not in str(directory._permits)


async def test_a_grant_to_one_drops_what_is_kept_of_that_one(watched: Watched) -> None:
    """Among thousands a grant must not make all others ask anew."""
    for identity in (ALICE, BOB):
        await watched.may_read(identity)
    watched.accounts.grants.grant(ALICE.subject, Role.READER, PlaceNames("acme"))
    watched.tell()
    assert await watched.may_read(ALICE)
    assert watched.statements
    assert not await watched.may_read(BOB)
    assert watched.statements == []
    watched.accounts.grants.withdraw(ALICE.subject, PlaceNames("acme"))
    watched.tell()
    assert not await watched.may_read(ALICE)


async def test_every_change_of_a_team_holds_at_once(watched: Watched) -> None:
    """Members come and go, the team's role comes and goes, and the team itself."""
    teams, grants = watched.accounts.teams, watched.accounts.grants
    steps: list[tuple[Callable[[], object], bool]] = [
        (lambda: teams.create("acme", "devs"), False),
        (lambda: teams.add("acme", "devs", ALICE.subject), False),
        (lambda: grants.grant("team:acme/devs", Role.READER, PlaceNames("acme")), True),
        (lambda: teams.remove("acme", "devs", ALICE.subject), False),
        (lambda: teams.add("acme", "devs", ALICE.subject), True),
        (lambda: grants.withdraw("team:acme/devs", PlaceNames("acme")), False),
        (lambda: grants.grant("team:acme/devs", Role.READER, PlaceNames(None)), True),
        (lambda: teams.delete("acme", "devs"), False),
        (lambda: teams.create("acme", "devs"), False),
        (lambda: teams.add("acme", "devs", ALICE.subject), False),
        (lambda: watched.accounts.owners.set_visibility("acme", Visibility.INTERNAL), True),
        (lambda: watched.accounts.owners.set_visibility("acme", Visibility.PRIVATE), False),
    ]
    for change, expected in steps:
        change()
        watched.tell()
        assert await watched.may_read(ALICE) == expected
        assert not await watched.may_read(ANONYMOUS)


@pytest.mark.parametrize(
    ("identity", "insert"),
    [
        (ALICE, "INSERT INTO users (subject, created_at, disabled_at) VALUES ('htpasswd:alice', 1, 2)"),
        (Identity("robot", "ci"), "INSERT INTO robots (name, created_at, disabled_at) VALUES ('ci', 1, 2)"),
    ],
)
async def test_a_closed_account_is_refused(
    database: Database, watched: Watched, identity: Identity, insert: str
) -> None:
    """Whatever it was granted; another account of that name elsewhere is not meant."""
    for other in (identity, replace(identity, authenticator="other")):
        watched.accounts.grants.grant(SIGNED_IN, Role.READER, PlaceNames("acme"))
        assert await watched.may_read(other)
    database.write_now(lambda connection: connection.exec_driver_sql(insert))
    watched.accounts.owners.set_visibility("acme", Visibility.INTERNAL)
    watched.tell()
    assert not await watched.may_read(identity)
    assert await watched.may_read(replace(identity, authenticator="other"))
