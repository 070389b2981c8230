"""gc and the retention: bytes of deleted files stay while they can be restored, and go when nothing needs them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from test_upkeep import command, place_of

from pypiserve.picks import pick
from pypiserve.plugin._loading import load_plugins
from pypiserve.services.curation import RetentionOver, Target
from pypiserve.services.upkeep import Upkeep
from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

INDEX = "main/pypi"
WHEEL = a_wheel("demo", "1.0")
METADATA_SHA256 = hashlib.sha256(WHEEL.metadata).hexdigest()


@pytest.fixture
def deleted(server: ServerUnderTest) -> ServerUnderTest:
    """A server whose only file was deleted just now."""
    assert server.publish(WHEEL).status == 201
    with server.catalog() as catalog:
        catalog.curation.apply_now(INDEX, catalog.curation.delete(Target("demo")))
    return server


def write(server: ServerUnderTest, statement: str) -> None:
    """Change the catalog behind everybody's back."""

    def work(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    with server.catalog() as catalog:
        catalog._database.write_now(work)


def age(server: ServerUnderTest, *, days: float) -> None:
    """Make all deletions older."""
    write(server, f"UPDATE files SET deleted_at = deleted_at - {int(days * 86400 * 1_000_000)}")


def restore(server: ServerUnderTest) -> None:
    """Restore the project."""
    with server.catalog() as catalog:
        catalog.curation.apply_now(INDEX, catalog.curation.restore(Target("demo")))


def has_bytes(server: ServerUnderTest) -> tuple[bool, bool]:
    """Tell whether the store has the file, and its core metadata."""
    return place_of(server, WHEEL.sha256).exists(), place_of(server, METADATA_SHA256).exists()


def address(owner: str = "main") -> str:
    """Return where the file is, if it is."""
    return f"/api/packages/{owner}/pypi/files/demo/1.0/{WHEEL.filename}"


@asynccontextmanager
async def upkeep_of(server: ServerUnderTest) -> AsyncIterator[Upkeep]:
    """Open the catalog and the store beside the server."""
    with server.catalog() as catalog:
        async with catalog.upkeep(pick(server.settings, load_plugins())) as upkeep:
            yield upkeep


def test_within_the_retention_nothing_is_removed(deleted: ServerUnderTest) -> None:
    """Neither the bytes nor the core metadata, up to the last day; then it can be restored."""
    age(deleted, days=29.9)
    done = command(deleted, "gc", "--repair", "--older-than", "0")
    assert "can no longer be restored: 0, with 0 bytes" in done.output
    assert "does not name: 0, with" in done.output
    assert has_bytes(deleted) == (True, True)
    restore(deleted)
    assert deleted.get(address()).body == WHEEL.content


def test_gc_says_what_it_would_remove_after_the_retention(deleted: ServerUnderTest) -> None:
    """It names the files, and touches nothing without --repair."""
    age(deleted, days=30.1)
    told = command(deleted, "gc", "--older-than", "0")
    assert f"{WHEEL.sha256}: {len(WHEEL.content)} bytes of main/pypi {WHEEL.filename}." in told.output
    assert f"{METADATA_SHA256}: {len(WHEEL.metadata)} bytes of main/pypi {WHEEL.filename}.metadata." in told.output
    total = len(WHEEL.content) + len(WHEEL.metadata)
    assert f"can no longer be restored: 2, with {total} bytes, to be given up with --repair." in told.output
    assert has_bytes(deleted) == (True, True)


def test_after_the_retention_the_bytes_go(deleted: ServerUnderTest) -> None:
    """The name stays reserved, a longer retention brings nothing back, and fsck finds nothing wrong."""
    age(deleted, days=30.1)
    done = command(deleted, "gc", "--repair", "--older-than", "0")
    assert "can no longer be restored: 2, with" in done.output
    assert has_bytes(deleted) == (False, False)
    assert deleted.publish(WHEEL).status == 409
    write(deleted, """UPDATE indexes SET rules = '{"retention_days": 400}'""")
    with pytest.raises(RetentionOver, match="its bytes were removed"):
        restore(deleted)
    sound = command(deleted, "fsck", "--older-than", "0")
    assert (sound.exit_code, "Every file of the catalog has its bytes." in sound.output) == (0, True)
    assert "0, with 0 bytes" in command(deleted, "gc").output


def test_each_index_has_its_own_retention(deleted: ServerUnderTest) -> None:
    """The bytes stay as long as one index wants them."""
    with deleted.catalog() as catalog:
        catalog.accounts.create_owner("team", public=True)
    assert deleted.publish(WHEEL, path="/api/packages/team/pypi/").status == 201
    with deleted.catalog() as catalog:
        catalog.curation.apply_now("team/pypi", catalog.curation.delete(Target("demo")))
    age(deleted, days=40)
    write(deleted, """UPDATE indexes SET rules = '{"retention_days": 60}' WHERE id = (SELECT max(id) FROM indexes)""")
    command(deleted, "gc", "--repair", "--older-than", "0")
    assert has_bytes(deleted) == (True, True)
    age(deleted, days=30)
    command(deleted, "gc", "--repair", "--older-than", "0")
    assert has_bytes(deleted) == (False, False)


def test_bytes_that_another_file_has_stay(deleted: ServerUnderTest) -> None:
    """A file that is not deleted keeps them, whatever became of its twin."""
    with deleted.catalog() as catalog:
        catalog.accounts.create_owner("team", public=True)
    assert deleted.publish(WHEEL, path="/api/packages/team/pypi/").status == 201
    age(deleted, days=100)
    command(deleted, "gc", "--repair", "--older-than", "0")
    assert deleted.get(address("team")).body == WHEEL.content


def test_a_crash_before_the_removal_leaves_unnamed_bytes_only(deleted: ServerUnderTest) -> None:
    """What was given up is not found again as deleted, and is removed as unnamed the next time."""
    age(deleted, days=31)
    command(deleted, "gc", "--repair", "--older-than", "24")
    assert has_bytes(deleted) == (True, True)
    told = command(deleted, "gc", "--older-than", "0").output
    assert "can no longer be restored: 0, with" in told
    assert "does not name: 2, with" in told
    assert command(deleted, "fsck", "--older-than", "0").exit_code == 0
    command(deleted, "gc", "--repair", "--older-than", "0")
    assert has_bytes(deleted) == (False, False)


async def publish_elsewhere(server: ServerUnderTest) -> None:
    """Publish the same bytes for another owner."""
    with server.catalog() as catalog:
        catalog.accounts.create_owner("team", public=True)
    assert server.publish(WHEEL, path="/api/packages/team/pypi/").status == 201


@pytest.mark.parametrize("moment", ["found", "given up", "named by nobody", "removed"])
async def test_a_publication_of_the_same_bytes_keeps_them(deleted: ServerUnderTest, moment: str) -> None:
    """Whenever between two steps of gc it comes, its file can be fetched, with its core metadata."""
    age(deleted, days=31)
    async with upkeep_of(deleted) as upkeep:
        expired = [each async for each, _ in upkeep.expired()]
        if moment == "found":
            await publish_elsewhere(deleted)
        given_up = [await upkeep.give_up(each) for each in expired]
        assert given_up == [moment != "found"] * 2
        if moment == "given up":
            await publish_elsewhere(deleted)
        unnamed = [each async for each in upkeep.unnamed(older_than=timedelta())]
        if moment == "named by nobody":
            await publish_elsewhere(deleted)
        removed = [await upkeep.remove(each) for each in unnamed]
        if moment == "removed":
            assert removed == [True, True]
            await publish_elsewhere(deleted)
        else:
            assert not any(removed)
    assert deleted.get(address("team")).body == WHEEL.content
    assert deleted.get(f"{address('team')}.metadata").body == WHEEL.metadata
    assert command(deleted, "fsck", "--older-than", "0").exit_code == 0


async def test_a_restoration_between_finding_and_giving_up_wins(deleted: ServerUnderTest) -> None:
    """The catalog is asked again in the transaction that gives the bytes up."""
    age(deleted, days=31)
    async with upkeep_of(deleted) as upkeep:
        expired = [each async for each, _ in upkeep.expired()]
        age(deleted, days=-31)
        restore(deleted)
        assert [await upkeep.give_up(each) for each in expired] == [False, False]
    assert deleted.get(address()).body == WHEEL.content


def test_lost_bytes_of_a_deleted_file_are_told_as_such(deleted: ServerUnderTest) -> None:
    """Publishing cannot bring them back, restoring and publishing can; nothing is given up without --repair."""
    place_of(deleted, WHEEL.sha256).unlink()
    told = command(deleted, "fsck")
    assert told.exit_code == 1
    assert f"{WHEEL.sha256}: main/pypi {WHEEL.filename}, deleted, is missing in the store." in told.output
    assert "Missing or damaged bytes of deleted files: 1, restore them and publish them again, or give" in told.output
    assert "brings its bytes back" not in told.output
    assert deleted.publish(WHEEL).status == 409
    restore(deleted)
    assert "Publishing the same file again brings its bytes back." in command(deleted, "fsck").output
    assert deleted.publish(WHEEL).status == 200
    assert deleted.get(address()).body == WHEEL.content
    assert command(deleted, "fsck").exit_code == 0


@pytest.mark.parametrize("damage", [None, b"too short"])
def test_lost_bytes_of_a_deleted_file_can_be_given_up(deleted: ServerUnderTest, damage: bytes | None) -> None:
    """Then fsck has nothing to say any more, and whoever restores the file is told why that cannot be."""
    place = place_of(deleted, WHEEL.sha256)
    if damage is None:
        place.unlink()
    else:
        place.write_bytes(damage)
    done = command(deleted, "fsck", "--repair")
    assert (done.exit_code, f"{WHEEL.sha256}: given up.\n" in done.output) == (1, True)
    assert "bytes of deleted files: 1, given up: they can no longer be restored." in done.output
    assert command(deleted, "fsck").exit_code == 0
    assert has_bytes(deleted) == (False, True)
    with pytest.raises(RetentionOver, match="its bytes were removed"):
        restore(deleted)


async def test_lost_bytes_that_are_needed_or_back_are_not_given_up(deleted: ServerUnderTest) -> None:
    """Both are looked at again before anything is noted."""
    place = place_of(deleted, WHEEL.sha256)
    place.unlink()
    async with upkeep_of(deleted) as upkeep:
        (found,) = [fault async for fault in upkeep.faults(read=False)]
        place.write_bytes(WHEEL.content)
        assert not await upkeep.forget(found)
        place.unlink()
        restore(deleted)
        assert not await upkeep.forget(found)


def test_fsck_checks_the_sizes(deleted: ServerUnderTest) -> None:
    """Of projects and indexes; --repair sets them right."""
    restore(deleted)
    write(deleted, "UPDATE projects SET size_bytes = 1")
    write(deleted, "UPDATE indexes SET size_bytes = 2")
    size = len(WHEEL.content)
    told = command(deleted, "fsck").output
    assert f"main/pypi demo: 1 bytes by the catalog, {size} by its files, to be set right with --repair." in told
    assert f"main/pypi: 2 bytes by the catalog, {size} by its files, to be set right with --repair." in told
    assert "set right." in command(deleted, "fsck", "--repair").output
    assert "by its files" not in command(deleted, "fsck").output
