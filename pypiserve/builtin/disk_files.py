"""
The blocking half of the ``disk`` store: a folder of files named by their SHA-256, ``{folder}/ab/{sha256}``.

A file appears under its name by one ``rename`` of bytes that are already on the disk, so whoever sees the name sees
the whole file, and a power failure after ``put`` does not lose it. Names that begin with ``.tmp-`` are unfinished.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from pypiserve.core.digests import Sha256, as_sha256
from pypiserve.core.errors import NotFound
from pypiserve.plugin import StoredFile

__all__ = ["CHUNK_BYTES", "Abandoned", "DiskFiles", "Put"]

CHUNK_BYTES = 1 << 20
"""Most bytes that are in memory for one reader or writer."""

_TEMPORARY = ".tmp-"
_STALE = timedelta(days=1)
_SUBFOLDER = re.compile(r"[0-9a-f]{2}\Z")


class Abandoned(Exception):
    """Nobody waits for the result any more."""


@dataclass(frozen=True)
class Put:
    """
    A staged file that is to be stored.

    Attributes:
        digest: Under which.
        staged: The file with its bytes.
        size_bytes: Exact.
        abandoned: Set when nobody waits for it any more: until its rename it can still be left undone.
    """

    digest: Sha256
    staged: Path
    size_bytes: int
    abandoned: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class DiskFiles:
    """The folder. Every method blocks, may raise ``OSError``, and may run in several threads at the same time."""

    folder: Path
    _known: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    """Folders whose names are on the disk; 256 at most."""

    def path(self, digest: Sha256) -> Path:
        """Say where the file is, or would be."""
        return self.folder / digest[:2] / digest

    def prepare(self, now: datetime) -> None:
        """Make the folder, and remove what a crash left unfinished there more than a day ago."""
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self.folder.parent)
        for path in self.folder.glob(f"{_TEMPORARY}*"):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - _STALE:
                path.unlink(missing_ok=True)
        self._raise_lower_folders()

    def _raise_lower_folders(self) -> None:
        """Bring files to their place that were stored two folders deep, as they were before the first release."""
        for folder in self.subfolders():
            for lower in (path for path in _entries(folder) if _SUBFOLDER.match(path.name)):
                for path in _entries(lower):
                    path.replace(folder / path.name)
                _sync_folder(folder)
                lower.rmdir()

    def put(self, puts: Sequence[Put]) -> list[Exception | None]:
        """
        Move or copy staged files to their places.

        Returns:
            For each ``None``, or why nothing was kept of it: an ``OSError``, or ``Abandoned`` when its flag was
            raised in time.
        """
        outcomes = [_error_of(partial(self._bring, put)) for put in puts]
        # Once for all files of a folder. Also for a file that another task has just put: its name may not have
        # reached the disk yet.
        brought = {put.digest[:2] for put, outcome in zip(puts, outcomes, strict=True) if outcome is None}
        synced = {name: _error_of(partial(self._sync, name)) for name in brought}
        return [outcome or synced[put.digest[:2]] for put, outcome in zip(puts, outcomes, strict=True)]

    def _bring(self, put: Put) -> None:
        target = self.path(put.digest)
        if _has_size(target, put.size_bytes):
            # A second upload of the same bytes may be under way to its commit while gc weighs the first one's
            # remains by their age: they are new again.
            with suppress(OSError):
                os.utime(target)
            return
        _sync_file(put.staged, put.size_bytes)
        try:
            self._move(put, target)
        except FileNotFoundError:
            # The folder is new, or somebody removed it.
            self._known.discard(put.digest[:2])
            target.parent.mkdir(mode=0o700, exist_ok=True)
            self._move(put, target)

    def _sync(self, name: str) -> None:
        """Bring the names in a folder to the disk, and its own, unless this process has done so before: it stays."""
        _sync_folder(self.folder / name)
        if name not in self._known:
            _sync_folder(self.folder)
            self._known.add(name)

    def _move(self, put: Put, target: Path) -> None:
        if not _moved(put.staged, target, put.abandoned):
            self._copy(put, target)

    def _copy(self, put: Put, target: Path) -> None:
        with self._temporary() as copy:
            with put.staged.open("rb") as source, copy.open("wb") as sink:
                while chunk := source.read(CHUNK_BYTES):
                    _go_on(put.abandoned)
                    sink.write(chunk)
            _sync_file(copy, put.size_bytes)
            _moved(copy, target, put.abandoned)

    def read(self, digest: Sha256, start: int, limit: int) -> bytes:
        """
        Read at most ``limit`` bytes.

        The file is opened for each chunk, so that no descriptor stays behind when a reader goes away half-way.

        Raises:
            NotFound: There is no such file.
        """
        try:
            with self.path(digest).open("rb", buffering=0) as file:
                return os.pread(file.fileno(), limit, start)
        except FileNotFoundError:
            raise NotFound("The stored file") from None

    def stat(self, digest: Sha256) -> StoredFile | None:
        """Look one file up."""
        with suppress(FileNotFoundError, NotADirectoryError):
            facts = self.path(digest).stat()
            return StoredFile(digest, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))
        return None

    def delete(self, digest: Sha256) -> None:
        """Remove one file. Its folders stay: a ``put`` may be about to use them."""
        self.path(digest).unlink(missing_ok=True)

    def subfolders(self) -> list[Path]:
        """Name the folders that have files."""
        return sorted(path for path in _entries(self.folder) if _SUBFOLDER.match(path.name))

    def stored_files(self, folder: Path) -> list[StoredFile]:
        """Name the files in one of these folders; anything that is not in its place is left out."""
        found = []
        for path in _entries(folder):
            with suppress(ValueError):
                digest = as_sha256(path.name)
                if path == self.path(digest) and (stored := self.stat(digest)):
                    found.append(stored)
        return found

    def check(self) -> None:
        """Write, read and remove a small file."""
        with self._temporary() as probe:
            probe.write_bytes(b"pypiserve")
            _sync_file(probe, len(b"pypiserve"))
            if probe.read_bytes() != b"pypiserve":
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    @contextmanager
    def _temporary(self) -> Iterator[Path]:
        """Make a temporary file on the store's own file system; what is left of it at the end is removed."""
        descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=self.folder)
        os.close(descriptor)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


def _error_of(work: Callable[[], None]) -> Exception | None:
    try:
        work()
    except (OSError, Abandoned) as error:
        return error
    return None


def _moved(source: Path, target: Path, abandoned: threading.Event) -> bool:
    """Rename; say whether source and target are on one file system."""
    _go_on(abandoned)
    try:
        os.replace(source, target)  # noqa: PTH105 - a third of the time
    except OSError as error:
        if error.errno == errno.EXDEV:
            return False
        raise
    return True


def _go_on(abandoned: threading.Event) -> None:
    if abandoned.is_set():
        raise Abandoned


def _has_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except (FileNotFoundError, NotADirectoryError):
        return False


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _sync_file(path: Path, size_bytes: int) -> None:
    """Bring the bytes to the disk, and refuse a file that is not as long as promised."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_size != size_bytes:
            raise OSError(errno.EIO, "the staged file has another size")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
