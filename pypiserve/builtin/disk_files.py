"""
The blocking half of the ``disk`` store: a folder of files named by their SHA-256, ``{folder}/ab/cd/{sha256}``.

A file appears under its name by one ``rename`` of bytes that are already on the disk, so whoever sees the name sees
the whole file, and a power failure after ``put`` does not lose it. Names that begin with ``.tmp-`` are unfinished.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pypiserve.core.digests import Sha256, as_sha256
from pypiserve.core.errors import NotFound
from pypiserve.plugin import StoredFile

__all__ = ["CHUNK_BYTES", "Abandoned", "DiskFiles"]

CHUNK_BYTES = 1 << 20
"""Most bytes that are in memory for one reader or writer."""

_TEMPORARY = ".tmp-"
_STALE = timedelta(days=1)
_SUBFOLDER = re.compile(r"[0-9a-f]{2}\Z")


class Abandoned(Exception):
    """Nobody waits for the result any more."""


@dataclass(frozen=True)
class DiskFiles:
    """The folder. Every method blocks, may raise ``OSError``, and may run in several threads at the same time."""

    folder: Path
    _known: dict[str, set[str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Folders of both levels whose names are on the disk; 65,536 lower ones at most."""

    def path(self, digest: Sha256) -> Path:
        """Say where the file is, or would be."""
        return self.folder / digest[:2] / digest[2:4] / digest

    def prepare(self, now: datetime) -> None:
        """Make the folder, and remove what a crash left unfinished there more than a day ago."""
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self.folder.parent)
        for path in self.folder.glob(f"{_TEMPORARY}*"):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - _STALE:
                path.unlink(missing_ok=True)

    def put(self, digest: Sha256, staged: Path, size_bytes: int, abandoned: threading.Event) -> None:
        """
        Move or copy the staged file to its place.

        Raises:
            Abandoned: The flag was raised in time, and nothing was kept.
        """
        target = self.path(digest)
        if _has_size(target, size_bytes):
            # A second upload of the same bytes may be under way to its commit while gc weighs the first one's
            # remains by their age: they are new again.
            with suppress(OSError):
                os.utime(target)
        else:
            _sync_file(staged, size_bytes)
            self._make_folders(target)
            try:
                self._move(staged, target, size_bytes, abandoned)
            except FileNotFoundError:
                # Somebody removed the folders, which may be known here.
                self._known.pop(target.parent.parent.name, None)
                self._make_folders(target)
                self._move(staged, target, size_bytes, abandoned)
        # Also when another task has just put the same file: its name may not have reached the disk yet.
        _sync_folder(target.parent)
        self._sync_folders_above(target.parent)

    def _make_folders(self, target: Path) -> None:
        if target.parent.name not in self._known.get(target.parent.parent.name, ()):
            for folder in (target.parent.parent, target.parent):
                folder.mkdir(mode=0o700, exist_ok=True)

    def _sync_folders_above(self, folder: Path) -> None:
        """Bring the names of the two folders to the disk, unless this process has done so before: they stay."""
        upper = folder.parent
        lower_known = self._known.get(upper.name)
        if lower_known is None:
            _sync_folder(self.folder)
            lower_known = self._known.setdefault(upper.name, set())
        if folder.name not in lower_known:
            _sync_folder(upper)
            lower_known.add(folder.name)

    def _move(self, staged: Path, target: Path, size_bytes: int, abandoned: threading.Event) -> None:
        if not _moved(staged, target, abandoned):
            self._copy(staged, target, size_bytes, abandoned)

    def _copy(self, staged: Path, target: Path, size_bytes: int, abandoned: threading.Event) -> None:
        with self._temporary() as copy:
            with staged.open("rb") as source, copy.open("wb") as sink:
                while chunk := source.read(CHUNK_BYTES):
                    _go_on(abandoned)
                    sink.write(chunk)
            _sync_file(copy, size_bytes)
            _moved(copy, target, abandoned)

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

    def subfolders(self, folder: Path) -> list[Path]:
        """Name the folders of one level of the layout."""
        return sorted(path for path in _entries(folder) if _SUBFOLDER.match(path.name))

    def stored_files(self, folder: Path) -> list[StoredFile]:
        """Name the files in one folder of the lowest level; anything that is not in its place is left out."""
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


def _moved(source: Path, target: Path, abandoned: threading.Event) -> bool:
    """Rename; say whether source and target are on one file system."""
    _go_on(abandoned)
    try:
        source.replace(target)
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
