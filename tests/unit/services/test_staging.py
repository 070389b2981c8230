"""The staging area and its locks."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from errno import EDQUOT, EFBIG, EIO, ENOSPC
from pathlib import Path

import pytest

from pypiserve.core.errors import StorageFull, StorageUnavailable
from pypiserve.services.staging import StagingArea, translated_disk_errors


@pytest.fixture
def area(tmp_path: Path) -> StagingArea:
    """Return an empty staging area."""
    return StagingArea(tmp_path / "data" / "staging")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name its folder."""
    return tmp_path / "data" / "staging"


@pytest.fixture(autouse=True)
def _nothing_stays(folder: Path) -> Iterator[None]:
    """Expect that each test leaves the area empty."""
    yield
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_staged_file_knows_its_digest_and_size(area: StagingArea) -> None:
    """Both are those of what was written so far."""
    staged = area.new_file()
    for chunk in (b"a", b"", b"bc"):
        staged.write(chunk)
    assert (staged.size_bytes, staged.sha256) == (3, hashlib.sha256(b"abc").hexdigest())
    assert staged.on_disk().read_bytes() == b"abc"
    staged.discard()


def test_a_small_file_waits_in_memory_and_a_larger_one_on_the_disk(folder: Path) -> None:
    """Whatever it is when it comes in pieces; what was in memory goes to the disk with the rest, and on demand."""
    area = StagingArea(folder, in_memory_bytes=5)
    staged = area.new_file()
    for piece, names in ((b"abc", 0), (b"de", 0), (b"f", 1), (b"gh", 1)):
        staged.write(piece)
        assert len(list(folder.iterdir())) == names
    staged.handle.seek(0)
    assert staged.handle.read() == staged.on_disk().read_bytes() == b"abcdefgh"
    assert staged.size_bytes == 8
    small = area.stage(b"ij")
    assert small.handle.seek(0) == 0
    assert small.handle.read() == b"ij"
    assert small.on_disk().read_bytes() == b"ij"
    assert small.on_disk() == small.on_disk()
    staged.discard()
    small.discard()


def test_nobody_else_may_read_what_is_staged(area: StagingArea, folder: Path) -> None:
    """Neither the folder nor a file in it is open to other users of the machine."""
    staged = area.new_file()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(staged.on_disk().stat().st_mode) == 0o600
    staged.discard()


def test_discarding_twice_and_after_a_move_is_harmless(area: StagingArea, tmp_path: Path) -> None:
    """The store may have moved the file away."""
    staged = area.new_file()
    staged.on_disk().rename(tmp_path / "moved")
    staged.discard()
    staged.discard()
    assert staged.handle.closed
    assert (tmp_path / "moved").exists()


def test_a_sweep_removes_what_no_process_holds(area: StagingArea, folder: Path) -> None:
    """A file without its writer is of a crash; one whose writer lives stays."""
    (folder / "upload-crashed").write_bytes(b"x")
    alive = area.new_file()
    path = alive.on_disk()
    assert StagingArea(folder).sweep() == 1
    assert list(folder.iterdir()) == [path]
    alive.discard()


def test_a_sweep_never_takes_a_file_that_is_being_made(area: StagingArea, folder: Path) -> None:
    """A process that starts between the making of a file and its lock does not sweep it away."""
    sweeping = StagingArea(folder)
    done = threading.Event()

    def sweep() -> None:
        while not done.is_set():
            sweeping.sweep()

    with ThreadPoolExecutor(1) as threads:
        swept = threads.submit(sweep)
        try:
            for _ in range(300):
                staged = area.new_file()
                assert staged.on_disk().exists()
                staged.discard()
        finally:
            done.set()
        swept.result()


@pytest.mark.parametrize("number", [ENOSPC, EDQUOT, EFBIG])
def test_no_room_is_told_as_such(number: int) -> None:
    """Full disk, used-up quota, limit on the size of files."""
    with pytest.raises(StorageFull), translated_disk_errors():
        raise OSError(number, os.strerror(number), "/a/path")


def test_other_errors_of_the_disk_name_no_path() -> None:
    """The client hears that the disk does not work, and may try again."""
    with pytest.raises(StorageUnavailable) as error, translated_disk_errors():
        raise OSError(EIO, os.strerror(EIO), "/a/path")
    assert "/a/path" not in str(error.value)


def test_a_folder_that_is_gone_is_told_to_the_client(area: StagingArea, folder: Path) -> None:
    """An operator's mistake is 503 until it is mended, not a failure of the server."""
    folder.rmdir()
    staged = area.new_file()
    with pytest.raises(StorageUnavailable):
        staged.on_disk()
    staged.discard()


def test_several_may_store_at_once_and_nobody_withdraws_meanwhile(area: StagingArea, folder: Path) -> None:
    """Also across processes, for which another area on the same folder stands here."""
    with area.begin_storing(), StagingArea(folder).begin_storing():
        assert area.stop_storing() is None
        assert StagingArea(folder).stop_storing() is None
    alone = area.stop_storing()
    assert alone is not None
    alone.close()
