"""What the disk store does beyond the contract of file stores."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import shutil
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pypiserve.builtin import disk
from pypiserve.builtin.disk_files import Abandoned, DiskFiles, Put
from pypiserve.core.digests import Sha256
from pypiserve.core.errors import InvalidSetting, StorageFull, StorageUnavailable
from pypiserve.plugin import FileStore, LocalFile
from pypiserve.testing import a_clock, a_context

CONTENT = b"the bytes of a distribution file"
DIGEST = Sha256(hashlib.sha256(CONTENT).hexdigest())
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def _build(folder: Path, files: Path | None = None) -> FileStore:
    (kind,) = disk.pypiserve_file_stores()
    return kind.build(disk.DiskSettings(folder=files), a_context("disk", folder, now=a_clock(NOW)))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FileStore]:
    built = _build(tmp_path)
    yield built
    await built.close()


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    path = tmp_path / "staged"
    path.write_bytes(CONTENT)
    return path


def _everything_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def test_a_file_lies_under_its_digest(store: FileStore, staged: Path, tmp_path: Path) -> None:
    """The layout is one level of folders by the digest's first digits, open to the server's user only."""
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    path = tmp_path / "files" / DIGEST[:2] / DIGEST
    assert path.read_bytes() == CONTENT
    assert await store.locate(DIGEST, filename="demo-1.0.tar.gz") == LocalFile(path)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, tmp_path / "files")} == {0o700}


async def test_the_folder_can_be_set(tmp_path: Path, staged: Path) -> None:
    """``folder`` names another place, which is made."""
    store = _build(tmp_path, tmp_path / "deep" / "place")
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    await store.close()
    assert DIGEST in _everything_in(tmp_path / "deep" / "place")[0]


def test_an_unusable_folder_stops_the_start(tmp_path: Path) -> None:
    """A folder that cannot be made is refused with its name and a remedy."""
    (tmp_path / "files").write_text("in the way")
    with pytest.raises(InvalidSetting, match=r"folder: .*files cannot be used .*; name a folder"):
        _build(tmp_path)


async def test_another_file_system_is_copied_to(
    store: FileStore, staged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the staged file cannot be renamed into place it is copied, and nothing temporary stays."""
    rename = os.replace

    def refuse(source: Path, target: Path) -> None:
        if source == staged:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    assert _everything_in(tmp_path / "files") == [f"{DIGEST[:2]}/{DIGEST}"]
    assert b"".join([chunk async for chunk in store.open(DIGEST)]) == CONTENT
    assert staged.exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_a_full_disk_keeps_nothing(
    store: FileStore, staged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A file system without room, or a quota, is told apart from other faults, and nothing is kept."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _failing(code))
        with pytest.raises(StorageFull):
            await store.put(DIGEST, staged, size_bytes=len(CONTENT))
        with pytest.raises(StorageUnavailable, match="no room left"):
            await store.check()
    assert await store.stat(DIGEST) is None
    assert _everything_in(tmp_path / "files") == []


async def test_a_fault_is_told_without_paths(
    store: FileStore,
    staged: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The client hears that the store does not work, the log hears where."""
    monkeypatch.setattr(os, "fsync", _failing(errno.EIO, str(tmp_path)))
    with pytest.raises(StorageUnavailable) as caught:
        await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    assert "Input/output error" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert [str(tmp_path) in record.getMessage() for record in caplog.records] == [True]
    assert caplog.records[0].levelno == logging.ERROR


def _failing(code: int, path: str | None = None) -> object:
    def fail(descriptor: int) -> None:
        raise OSError(code, os.strerror(code), path)

    return fail


async def test_a_shortened_staged_file_is_not_kept(store: FileStore, staged: Path) -> None:
    """A staged file of another length than promised is a fault, and nothing is kept."""
    with pytest.raises(StorageUnavailable):
        await store.put(DIGEST, staged, size_bytes=len(CONTENT) + 1)
    assert await store.stat(DIGEST) is None


async def test_a_damaged_file_is_replaced(store: FileStore, staged: Path, tmp_path: Path) -> None:
    """A file of the wrong size under the digest does not count as already there."""
    path = tmp_path / "files" / DIGEST[:2] / DIGEST
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:5])
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    assert path.read_bytes() == CONTENT


async def test_putting_again_renews_the_time(store: FileStore, staged: Path, tmp_path: Path) -> None:
    """A repeated put makes the file young again, so that gc leaves it to the upload that is under way."""
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    path = tmp_path / "files" / DIGEST[:2] / DIGEST
    os.utime(path, (1, 1))
    staged.write_bytes(CONTENT)
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    stored = await store.stat(DIGEST)
    assert stored is not None
    assert stored.stored_at > datetime(2020, 1, 1, tzinfo=UTC)


async def test_names_and_bytes_are_synced(store: FileStore, staged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are synced before the rename, and the folders after it: its own always, that above when new here."""
    steps: list[str] = []
    fsync, rename = os.fsync, os.replace

    def note_sync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def note_rename(source: Path, target: Path) -> None:
        steps.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_rename)
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    assert steps == ["file", "rename", "rename", "folder", "folder"]
    # Again: the name of the file may not have reached the disk yet, those of the folders have.
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    assert steps[5:] == ["folder"]


async def test_folders_that_another_process_made_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That they are there does not say that their names are on the disk."""
    files = DiskFiles(tmp_path / "files")
    files.path(DIGEST).parent.mkdir(parents=True)
    synced: list[int] = []
    fsync = os.fsync

    def note_sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note_sync)
    staged = tmp_path / "staged"
    staged.write_bytes(CONTENT)
    assert files.put([Put(DIGEST, staged, len(CONTENT))]) == [None]
    assert {folder.stat().st_ino for folder in (files.path(DIGEST).parent, files.folder)} <= set(synced)


async def test_a_folder_that_was_removed_is_made_again(store: FileStore, staged: Path, tmp_path: Path) -> None:
    """What the store remembers of its folders is no reason to fail."""
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    shutil.rmtree(tmp_path / "files" / DIGEST[:2])
    staged.write_bytes(CONTENT)
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    assert await store.stat(DIGEST) is not None


def test_the_name_of_a_new_folder_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power failure could take the whole store away, with all that it had promised to keep."""
    synced: list[int] = []
    fsync = os.fsync

    def note_sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note_sync)
    DiskFiles(tmp_path / "files").prepare(NOW)
    assert tmp_path.stat().st_ino in synced


def test_an_abandoned_put_stops_before_the_rename(tmp_path: Path, staged: Path) -> None:
    """When nobody waits any more, nothing appears under the digest."""
    files = DiskFiles(tmp_path / "files")
    files.prepare(NOW)
    put = Put(DIGEST, staged, len(CONTENT))
    put.abandoned.set()
    (outcome,) = files.put([put])
    assert isinstance(outcome, Abandoned)
    assert files.stat(DIGEST) is None


async def test_list_ignores_what_is_not_in_its_place(store: FileStore, staged: Path, tmp_path: Path) -> None:
    """Temporary files, strangers and misplaced files are not listed."""
    await store.put(DIGEST, staged, size_bytes=len(CONTENT))
    leaf = tmp_path / "files" / DIGEST[:2]
    for name in (".tmp-x", "notes.txt", "0" * 64, DIGEST.upper()):
        (leaf / name).write_bytes(b"x")
    (tmp_path / "files" / "lost+found").mkdir()
    (tmp_path / "files" / "ff").write_bytes(b"x")
    assert [stored.digest async for stored in store.list()] == [DIGEST]


async def test_old_leftovers_are_swept_at_the_start(tmp_path: Path) -> None:
    """What a crash left a day ago goes at the start; younger files may be another process's."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, age in ((".tmp-old", timedelta(days=2)), (".tmp-young", timedelta(hours=1))):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, ((NOW - age).timestamp(),) * 2)
    await _build(tmp_path).close()
    assert _everything_in(folder) == [".tmp-young"]


async def test_a_closed_store_is_unavailable(tmp_path: Path) -> None:
    """A call after the end is answered, not left hanging."""
    store = _build(tmp_path)
    await store.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        await asyncio.wait_for(store.stat(DIGEST), 5)


async def test_files_that_wait_together_share_the_syncs_of_their_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its own sync, and its own outcome: one that fails does not hold up the others."""
    files = DiskFiles(tmp_path / "files")
    files.prepare(NOW)
    digests = [Sha256(f"{n:064x}") for n in range(3)]
    for digest in digests:
        (tmp_path / digest).write_bytes(CONTENT)
    (tmp_path / digests[1]).unlink()
    synced: list[bool] = []
    fsync = os.fsync

    def note_sync(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note_sync)
    outcomes = files.put([Put(digest, tmp_path / digest, len(CONTENT)) for digest in digests])
    assert [type(outcome) for outcome in outcomes] == [type(None), FileNotFoundError, type(None)]
    assert synced == [False, False, True, True]
    assert [files.stat(digest) is not None for digest in digests] == [True, False, True]


async def test_a_folder_that_cannot_be_synced_keeps_none_of_its_promises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies elsewhere is stored all the same."""
    files = DiskFiles(tmp_path / "files")
    files.prepare(NOW)
    digests = [Sha256("aa" + "0" * 62), Sha256("aa" + "1" * 62), Sha256("bb" + "0" * 62)]
    for digest in digests:
        (tmp_path / digest).write_bytes(CONTENT)
    (files.folder / "aa").mkdir()
    bad, fsync = (files.folder / "aa").stat().st_ino, os.fsync

    def fail_there(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_there)
    outcomes = files.put([Put(digest, tmp_path / digest, len(CONTENT)) for digest in digests])
    assert [getattr(outcome, "errno", None) for outcome in outcomes] == [errno.EIO, errno.EIO, None]


def test_files_of_the_old_layout_are_found(tmp_path: Path) -> None:
    """A folder that was filled before the first release is brought up to date at the start."""
    old = tmp_path / "files" / DIGEST[:2] / DIGEST[2:4]
    old.mkdir(parents=True)
    (old / DIGEST).write_bytes(CONTENT)
    files = DiskFiles(tmp_path / "files")
    files.prepare(NOW)
    assert files.read(DIGEST, 0, 100) == CONTENT
    assert not old.exists()
