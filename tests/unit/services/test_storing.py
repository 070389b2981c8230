"""Bytes into the store, and out again when their names find no room."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import insert

from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.migrate import migrate
from pypiserve.catalog.schema import blobs
from pypiserve.core.digests import sha256_of
from pypiserve.core.errors import FilenameTaken, StorageFull
from pypiserve.services.staging import StagedFile, StagingArea
from pypiserve.services.storing import Storing
from pypiserve.testing import MemoryFileStore, a_clock

METADATA = b"Name: demo\n"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return an empty catalog."""
    database = Database(tmp_path / "catalog.sqlite3", Doorbell(tmp_path / "doorbell"))
    migrate(database.engine)
    yield database
    database.close()


@pytest.fixture
def area(tmp_path: Path) -> StagingArea:
    """Return an empty staging area."""
    return StagingArea(tmp_path / "staging")


@pytest.fixture
def store() -> MemoryFileStore:
    """Return an empty store."""
    return MemoryFileStore()


@pytest.fixture
def storing(store: MemoryFileStore, database: Database, area: StagingArea) -> Iterator[Storing]:
    """Return what is tested."""
    with ThreadPoolExecutor(2) as threads:
        yield Storing(store, database, area, threads)


@pytest.fixture
def staged(area: StagingArea, tmp_path: Path) -> Iterator[StagedFile]:
    """Return a staged file; at the end, nothing else is staged."""
    staged = area.stage(b"a file")
    yield staged
    staged.discard()
    assert list((tmp_path / "staging").iterdir()) == []


async def digests_in(store: MemoryFileStore) -> set[str]:
    """Name what the store has."""
    return {stored.digest async for stored in store.list()}


BOTH = {sha256_of(b"a file"), sha256_of(METADATA)}


async def test_both_are_stored_while_they_are_named(
    storing: Storing, store: MemoryFileStore, staged: StagedFile
) -> None:
    """The bytes are there before the row is written, and stay."""
    async with storing.stored(storing.begin(staged, METADATA)):
        assert await digests_in(store) == BOTH
    assert await digests_in(store) == BOTH


async def test_without_room_for_the_row_the_bytes_go(
    storing: Storing, store: MemoryFileStore, staged: StagedFile
) -> None:
    """Nothing is kept, as the answer says."""
    with pytest.raises(StorageFull):
        async with storing.stored(storing.begin(staged, METADATA)):
            raise StorageFull
    assert await digests_in(store) == set()


async def test_bytes_that_a_row_names_stay(
    storing: Storing, store: MemoryFileStore, staged: StagedFile, database: Database
) -> None:
    """Another file with the same bytes was published before."""

    def name(connection: Connection) -> None:
        connection.execute(
            insert(blobs).values(sha256=sha256_of(METADATA), size_bytes=len(METADATA), created_at=a_clock()())
        )

    await database.write(name)
    with pytest.raises(StorageFull):
        async with storing.stored(storing.begin(staged, METADATA)):
            raise StorageFull
    assert await digests_in(store) == {sha256_of(METADATA)}


async def test_bytes_that_somebody_may_be_about_to_name_stay(
    storing: Storing, store: MemoryFileStore, staged: StagedFile, area: StagingArea
) -> None:
    """While another upload is between its bytes and its row, nothing is removed under its feet."""
    with area.begin_storing(), pytest.raises(StorageFull):
        async with storing.stored(storing.begin(staged, METADATA)):
            raise StorageFull
    assert await digests_in(store) == BOTH


async def test_after_other_errors_the_bytes_wait_for_the_garbage_collection(
    storing: Storing, store: MemoryFileStore, staged: StagedFile
) -> None:
    """A retry, or the winner of a race, finds them."""
    with pytest.raises(FilenameTaken):
        async with storing.stored(storing.begin(staged, METADATA)):
            raise FilenameTaken("demo-1.0.tar.gz")
    assert await digests_in(store) == BOTH
