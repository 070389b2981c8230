"""A catalog with people, an owner and robots, and what tests of tokens say of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from pypiserve.catalog.database import Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.migrate import migrate
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.events import Actor
from pypiserve.core.identity import Action, Identity, Role, Scope
from pypiserve.services.accounts import Accounts
from pypiserve.services.grants import PlaceNames
from pypiserve.services.token_authority import Caretaker
from pypiserve.services.tokens import MadeToken
from pypiserve.testing import a_clock

__all__ = [
    "ALICE",
    "BOB",
    "NOW",
    "READ_ACME",
    "ROOT",
    "accounts",
    "bearer",
    "caretaker",
    "database",
    "names",
    "populated",
]

NOW = a_clock()
ALICE, BOB, ROOT = (Identity("htpasswd", name) for name in ("alice", "bob", "root"))
READ_ACME = Scope(owner="acme", actions=frozenset({Action.READ}))


def caretaker(identity: Identity) -> Caretaker:
    """Return somebody who asks from elsewhere."""
    return Caretaker(Actor(identity.subject, "192.0.2.1", identity.credential or None), identity)


def bearer(made: MadeToken) -> Identity:
    """Return the identity of whoever has a token."""
    authenticator, _, name = made.subject.partition(":")
    record = made.record
    scopes = None if record.scopes is None else tuple(record.scopes)
    return Identity(authenticator, name, scopes=scopes, credential=record.token_id)


def names(found: Iterable[TokenRecord]) -> list[str]:
    """Return the names of tokens."""
    return [token.name for token in found]


@pytest.fixture(scope="session")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Return the file of a catalog, to be copied.

    It has the owner acme, with the robot ci and bob for its owner; a robot of the server; root, who administers that.
    """
    file = tmp_path_factory.mktemp("populated") / "catalog.sqlite3"
    database = Database(file, Doorbell(file.parent / "doorbell"))
    migrate(database.engine)
    accounts = Accounts(database, now=NOW, token_authenticator="token")
    accounts.create_owner("Acme", public=False)
    accounts.grants.grant(BOB.subject, Role.OWNER, PlaceNames("acme"))
    accounts.grants.grant(ROOT.subject, Role.ADMINISTRATOR, PlaceNames())
    accounts.robots.create("ci", owner="acme")
    accounts.robots.create("mirror", owner=None)
    database.close()
    return file


@pytest.fixture
def database(populated: Path, tmp_path: Path) -> Iterator[Database]:
    """Return a catalog like the populated one."""
    shutil.copy(populated, tmp_path)
    database = Database(tmp_path / populated.name, Doorbell(tmp_path / "doorbell"))
    yield database
    database.close()


@pytest.fixture
def accounts(database: Database) -> Accounts:
    """Return its accounts."""
    return Accounts(database, now=NOW, token_authenticator="token")
