"""What is read while it changes is answered once, and not kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from pypiserve.catalog import files, journal, owners
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.files import NewFile
from pypiserve.catalog.migrate import migrate
from pypiserve.core.addresses import Addresses
from pypiserve.core.api_tokens import hash_api_token
from pypiserve.core.digests import sha256_of
from pypiserve.core.errors import AuthenticationFailed, PolicyDenied
from pypiserve.core.events import Actor, Event
from pypiserve.core.identity import ANONYMOUS, Action, Role
from pypiserve.core.model import ProjectStatus
from pypiserve.core.names import normalise
from pypiserve.services.accounts import Accounts
from pypiserve.services.curation import Curation
from pypiserve.services.directory import Directory
from pypiserve.services.downloads import Downloads
from pypiserve.services.token_lookup import TokenLookup
from pypiserve.testing import MemoryFileStore, a_clock

T = TypeVar("T")
NOW = a_clock()
FILENAME = "demo-1.0.tar.gz"


class BusyDatabase(Database):
    """A catalog in which something happens between the next reading and its answer."""

    meanwhile: Callable[[], None] | None = None

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Read, then let it happen, once."""
        result = await super().read(work)
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            happening()
        return result

    def tell(self, listener: Callable[[Event], None]) -> None:
        """Pass on the last event, as the follower of the journal does."""
        listener(self.read_now(lambda connection: journal.since(connection, 0))[-1])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[BusyDatabase]:
    """Return a catalog with a public owner."""
    database = BusyDatabase(tmp_path / "catalog.sqlite3", Doorbell(tmp_path / "doorbell"))
    migrate(database.engine)
    _accounts(database).create_owner("main", public=True)
    yield database
    database.close()


def _accounts(database: Database) -> Accounts:
    return Accounts(database, now=NOW, token_authenticator="token")


async def test_a_token_that_is_revoked_while_it_is_read(database: BusyDatabase) -> None:
    """The next request with it learns that it was revoked."""
    secret = hash_api_token(_accounts(database).create_token("ci", Role.PUBLISHER, owner="main").secret)
    lookup = TokenLookup(database)

    def revoke() -> None:
        _accounts(database).revoke_token("ci")
        database.tell(lookup.notice)

    database.meanwhile = revoke
    assert await lookup.find(secret) is not None
    token = await lookup.find(secret)
    assert token is not None
    assert token.revoked


async def test_an_owner_that_becomes_private_while_it_is_read(database: BusyDatabase) -> None:
    """The next stranger is refused."""
    directory = Directory(database)

    def hide() -> None:
        _accounts(database).set_visibility("main", public=False)
        database.tell(directory.notice)

    database.meanwhile = hide
    await directory.authorise(ANONYMOUS, Action.READ, owner="main", index="pypi")
    with pytest.raises(AuthenticationFailed):
        await directory.authorise(ANONYMOUS, Action.READ, owner="main", index="pypi")


async def test_a_project_that_is_quarantined_while_its_file_is_read(database: BusyDatabase) -> None:
    """The next who asks for the file does not get it."""
    index = database.read_now(lambda connection: owners.find_index(connection, "main", "pypi"))
    assert index is not None
    database.write_now(lambda connection: files.insert_file(connection, index, _new_file()))
    downloads = Downloads(database, MemoryFileStore(), addresses=Addresses(""), read_policies=())

    def quarantine() -> None:
        Curation(database, now=NOW).set_status("main/pypi", "demo", ProjectStatus.QUARANTINED)
        database.tell(downloads.notice)

    database.meanwhile = quarantine
    await downloads.find(index, normalise("demo"), version="1.0", filename=FILENAME)
    with pytest.raises(PolicyDenied):
        await downloads.find(index, normalise("demo"), version="1.0", filename=FILENAME)


def _new_file() -> NewFile:
    return NewFile(
        project=normalise("demo"),
        display_name="demo",
        version="1.0",
        version_key="1",
        filename=FILENAME,
        kind="sdist",
        sha256=sha256_of(b"file"),
        size_bytes=4,
        core_metadata_sha256=sha256_of(b"metadata"),
        core_metadata_size_bytes=8,
        requires_python=None,
        by=Actor("token:ci"),
        uploaded_at=NOW(),
    )
