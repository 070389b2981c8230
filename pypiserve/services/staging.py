"""
Where an upload waits until it is known to be good.

A staged file is locked while its writer lives, so that a sweep at the next start removes what a crash left behind,
and nothing that another process is still writing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pypiserve.core.digests import Sha256
from pypiserve.core.errors import StorageFull, StorageUnavailable
from pypiserve.services.running_digests import RunningDigests

__all__ = ["StagedFile", "StagingArea", "translated_disk_errors"]

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StagingArea:
    """A folder for uploads under way. All methods block: call them in a thread."""

    def __init__(self, folder: Path, hashing: Executor | None = None) -> None:
        """
        Make the folder if it is missing.

        Args:
            folder: For the uploads.
            hashing: Threads that help to compute the digests of large ones.
        """
        self._folder = folder
        self._hashing = hashing
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Beside the folder, made now: there may be no room for it when it is needed.
        self._storing = folder.with_name(f"{folder.name}.lock")
        self._storing.touch(mode=0o600)

    def new_file(self) -> StagedFile:
        """
        Begin a staged file.

        Raises:
            StorageFull: There is no room.
            StorageUnavailable: The folder cannot be written.
        """
        while True:
            with translated_disk_errors():
                descriptor, name = tempfile.mkstemp(prefix="upload-", dir=self._folder)
            handle = os.fdopen(descriptor, "w+b", buffering=0)
            fcntl.flock(handle, fcntl.LOCK_EX)
            # The sweep of a process that starts just now may have come before the lock.
            if os.fstat(descriptor).st_nlink:
                return StagedFile(Path(name), handle, RunningDigests(self._hashing))
            handle.close()

    def stage(self, content: bytes, *, beside: StagedFile | None = None) -> StagedFile:
        """
        Stage a small file that is in memory; raises like ``new_file``.

        Args:
            content: The whole file.
            beside: A staged file with which this one is discarded.
        """
        staged = self.new_file()
        if beside is not None:
            beside.beside.append(staged)
        try:
            staged.write(content)
        except BaseException:
            staged.discard()
            raise
        return staged

    def begin_storing(self) -> BinaryIO:
        """
        Tell all processes of this folder that staged files go to the store and are about to be named in the catalog.

        Returns:
            To be closed when they are.
        """
        with translated_disk_errors():
            handle = self._storing.open("rb")
        fcntl.flock(handle, fcntl.LOCK_SH)
        return handle

    def stop_storing(self) -> BinaryIO | None:
        """
        Make all processes of this folder wait with ``begin_storing``.

        Returns:
            To be closed soon; ``None`` when somebody is storing now.
        """
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            handle = stack.enter_context(self._storing.open("rb"))
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            stack.pop_all()
            return handle
        return None

    def sweep(self) -> int:
        """Remove what crashed writers left behind; return how many files that were."""
        removed = 0
        for path in self._folder.glob("upload-*"):
            with contextlib.suppress(OSError), path.open("rb") as handle:
                # Held by its writer: BlockingIOError, an OSError, leaves it alone.
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
                removed += 1
        return removed


@dataclass
class StagedFile:
    """A file that is being received, and its digests so far. All methods block: call them in a thread."""

    path: Path
    handle: BinaryIO
    digests: RunningDigests
    beside: list[StagedFile] = field(default_factory=list)
    """Discarded with it."""

    def __post_init__(self) -> None:
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        """
        Append bytes.

        Raises:
            StorageFull: There is no room.
            StorageUnavailable: The disk failed.
        """
        with self.digests.taking(chunk), translated_disk_errors():
            view = memoryview(chunk)
            while view:
                view = view[self.handle.write(view) :]
        self.size_bytes += len(chunk)

    @property
    def sha256(self) -> Sha256:
        """Digest of what was written so far."""
        return self.digests.sha256

    def discard(self) -> None:
        """Remove the file, if the store has not moved it away, and release it. Safe to call again."""
        for other in self.beside:
            other.discard()
        self.path.unlink(missing_ok=True)
        self.handle.close()


@contextlib.contextmanager
def translated_disk_errors() -> Iterator[None]:
    """Turn what the disk says into what the client is told, without paths."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFull from error
        raise StorageUnavailable("The server cannot write to its disk") from error
