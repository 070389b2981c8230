"""gc and fsck: the catalog and the file store are held against each other, and brought together again."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pypiserve.cli.main import main
from pypiserve.picks import pick
from pypiserve.plugin._loading import load_plugins
from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

STRAY = b"bytes that a crash left behind"
DAY_SECONDS = 24 * 3600


def command(server: ServerUnderTest, *arguments: str) -> Result:
    """Run a command beside the server, in a thread: its event loop must not meet the one of the tests."""
    words = [*arguments, "--settings", str(server.folder / "pypiserve.toml")]
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(CliRunner().invoke, main, words).result()


def place_of(server: ServerUnderTest, sha256: str) -> Path:
    """Return where the disk store keeps bytes."""
    return server.settings.data / "files" / sha256[:2] / sha256


def stray(server: ServerUnderTest, *, age_seconds: float = 2 * DAY_SECONDS) -> Path:
    """Put bytes into the store that the catalog does not name."""
    place = place_of(server, hashlib.sha256(STRAY).hexdigest())
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(STRAY)
    os.utime(place, (time.time() - age_seconds,) * 2)
    return place


def test_gc_says_what_it_would_remove(server: ServerUnderTest) -> None:
    """Without --repair nothing is touched."""
    place = stray(server)
    told = command(server, "gc")
    assert told.exit_code == 0
    assert f"{place.name}: {len(STRAY)} bytes of " in told.output
    assert (
        f"Stored files that the catalog does not name: 1, with {len(STRAY)} bytes, to be removed with --repair."
        in told.output
    )
    assert place.exists()


def test_gc_removes_what_nothing_names_and_nothing_else(server: ServerUnderTest) -> None:
    """What is published stays, its core metadata too."""
    wheel = a_wheel()
    assert server.publish(wheel).status == 201
    place = stray(server)
    for kept in (wheel.sha256, hashlib.sha256(wheel.metadata).hexdigest()):
        os.utime(place_of(server, kept), (0, 0))
    done = command(server, "gc", "--repair")
    assert (done.exit_code, place.exists()) == (0, False)
    assert f"Stored files that the catalog does not name: 1, with {len(STRAY)} bytes, removed." in done.output
    address = f"/api/packages/main/pypi/files/demo/1.0/{wheel.filename}"
    assert server.get(address).body == wheel.content
    assert server.get(f"{address}.metadata").body == wheel.metadata


def test_gc_leaves_young_bytes_alone(server: ServerUnderTest) -> None:
    """They may be those of an upload that is about to be named; --older-than says how young."""
    place = stray(server, age_seconds=3600)
    assert "not name: 0, with" in command(server, "gc", "--repair").output
    assert place.exists()
    assert "not name: 1, with" in command(server, "gc", "--repair", "--older-than", "0.5").output
    assert not place.exists()


def test_gc_does_not_remove_beside_an_upload_that_is_being_stored(
    server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between bytes and row nobody removes anything; it is said, and can be tried again."""
    monkeypatch.setattr("pypiserve.services.upkeep._LOCK_PAUSE_SECONDS", 0)
    place = stray(server)
    with (server.settings.data / "staging.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        busy = command(server, "gc", "--repair")
    assert busy.exit_code == 2
    assert "Files are being published all the time; try again in 5 s" in busy.output
    assert place.exists()


def test_fsck_finds_nothing_wrong_with_a_sound_store(server: ServerUnderTest) -> None:
    """Every file has its bytes, and all bytes have a file."""
    assert server.publish(a_wheel()).status == 201
    told = command(server, "fsck")
    assert told.exit_code == 0
    assert "Stored files that the catalog does not name: 0, with 0 bytes" in told.output
    assert "Every file of the catalog has its bytes." in told.output


@pytest.mark.parametrize(
    ("content", "quick", "sentence"),
    [
        (None, "--quick", "is missing in the store"),
        (b"too short", "--quick", "has another size in the store than in the catalog"),
        ("flip", None, "has another digest than its bytes had when they were published"),
    ],
)
def test_fsck_names_what_is_missing_or_damaged(
    server: ServerUnderTest, content: bytes | str | None, quick: str | None, sentence: str
) -> None:
    """The file is named, the exit status is 1, and nothing is removed without --repair."""
    wheel = a_wheel()
    assert server.publish(wheel).status == 201
    place = place_of(server, wheel.sha256)
    if content is None:
        place.unlink()
    else:
        place.write_bytes(wheel.content[:-1] + b"?" if isinstance(content, str) else content)
    told = command(server, "fsck", *([quick] if quick else []))
    assert told.exit_code == 1
    assert f"{wheel.sha256}: main/pypi {wheel.filename} {sentence}." in told.output
    assert "Missing or damaged: 1. Publishing the same file again brings its bytes back." in told.output
    assert place.exists() == (content is not None)


def test_quick_reads_nothing(server: ServerUnderTest) -> None:
    """A changed byte is not noticed by it."""
    wheel = a_wheel()
    assert server.publish(wheel).status == 201
    place_of(server, wheel.sha256).write_bytes(wheel.content[:-1] + b"?")
    assert command(server, "fsck", "--quick").exit_code == 0


def test_damaged_bytes_come_back_by_publishing_again(server: ServerUnderTest) -> None:
    """fsck --repair takes them away; the same upload, which changes nothing in the catalog, stores them again."""
    wheel = a_wheel()
    assert server.publish(wheel).status == 201
    place = place_of(server, wheel.sha256)
    place.write_bytes(wheel.content[:-1] + b"?")
    assert command(server, "fsck", "--repair").exit_code == 1
    assert not place.exists()
    address = f"/api/packages/main/pypi/files/demo/1.0/{wheel.filename}"
    assert server.get(address).status == 503
    assert server.publish(wheel).status == 200
    assert server.get(address).body == wheel.content
    assert command(server, "fsck").exit_code == 0


def test_lost_core_metadata_come_back_too(server: ServerUnderTest) -> None:
    """Each is looked for, not only the file itself."""
    wheel = a_wheel()
    assert server.publish(wheel).status == 201
    digest = hashlib.sha256(wheel.metadata).hexdigest()
    place_of(server, digest).unlink()
    assert f"{digest}: main/pypi {wheel.filename}.metadata is missing" in command(server, "fsck").output
    assert server.publish(wheel).status == 200
    assert command(server, "fsck").exit_code == 0


async def test_bytes_that_were_named_meanwhile_stay(server: ServerUnderTest) -> None:
    """What was found without a row is looked at again before it is removed."""
    wheel = a_wheel()
    place = place_of(server, wheel.sha256)
    place.parent.mkdir(parents=True)
    place.write_bytes(wheel.content)
    picks = pick(server.settings, load_plugins())
    with server.catalog() as catalog:
        async with catalog.upkeep(picks) as upkeep:
            (found,) = [stored async for stored in upkeep.unnamed(older_than=timedelta())]
            assert server.publish(wheel).status == 201
            assert not await upkeep.remove(found)
    assert place.read_bytes() == wheel.content


async def test_damaged_bytes_that_were_mended_meanwhile_stay(server: ServerUnderTest) -> None:
    """What was found damaged is read again before it is removed."""
    wheel = a_wheel()
    assert server.publish(wheel).status == 201
    place = place_of(server, wheel.sha256)
    place.write_bytes(wheel.content[:-1] + b"?")
    with server.catalog() as catalog:
        async with catalog.upkeep(pick(server.settings, load_plugins())) as upkeep:
            (found,) = [fault async for fault in upkeep.faults(read=True)]
            place.write_bytes(wheel.content)
            assert not await upkeep.withdraw(found)
    assert place.read_bytes() == wheel.content
