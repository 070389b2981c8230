"""
Where an upload waits until it is known to be good.

A small file waits in memory and gets to the disk when it is stored. One on the disk is locked while its writer lives,
so that a sweep at the next start removes what a crash left behind, and nothing that another process is still writing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from pypiserve.core.digests import Sha256
from pypiserve.core.errors import StorageFull, StorageUnavailable
from pypiserve.services.running_digests import RunningDigests

__all__ = ["IN_MEMORY_BYTES", "StagedFile", "StagingArea", "translated_disk_errors"]

IN_MEMORY_BYTES = 1 << 20
"""A staged file is in memory up to here, where its bytes came from anyway."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StagingArea:
    """A folder for uploads under way. All methods block: call them in a thread."""

    def __init__(
        self, folder: Path, hashing: Executor | None = None, *, in_memory_bytes: int = IN_MEMORY_BYTES
    ) -> None:
        """
        Make the folder if it is missing.

        Args:
            folder: For the uploads.
            hashing: Threads that help to compute the digests of large ones.
            in_memory_bytes: How long a file may be until it goes to the folder.
        """
        self._in_memory_bytes = in_memory_bytes
        self._folder = folder
        self._hashing = hashing
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Beside the folder, made now: there may be no room for it when it is needed.
        self._storing = folder.with_name(f"{folder.name}.lock")
        self._storing.touch(mode=0o600)

    def new_file(self) -> StagedFile:
        """Begin a staged file, in memory."""
        return StagedFile(self._new_on_disk, RunningDigests(self._hashing), self._in_memory_bytes)

    def stage(self, content: bytes, *, beside: StagedFile | None = None) -> StagedFile:
        """
        Stage a file that is in memory; raises like ``StagedFile.write``.

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

    def _new_on_disk(self) -> tuple[Path, BinaryIO]:
        while True:
            path = self._folder / f"upload-{secrets.token_hex(8)}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            handle = os.fdopen(descriptor, "w+b", buffering=0)
            fcntl.flock(handle, fcntl.LOCK_EX)
            # The sweep of a process that starts just now may have come before the lock.
            if os.fstat(descriptor).st_nlink:
                return path, handle
            handle.close()

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


class Discardable(Protocol):
    """Something that ends with an upload."""

    def discard(self) -> None:
        """Release it; called once or more often."""
        ...


class StagedFile:
    """
    A file that is being received, and its digests so far. All methods block: call them in a thread.

    Attributes:
        handle: To read it with, when all of it was written.
        digests: Of what was written so far.
        beside: What is discarded with this one.
        size_bytes: What was written so far.
    """

    def __init__(
        self, new_on_disk: Callable[[], tuple[Path, BinaryIO]], digests: RunningDigests, in_memory_bytes: int
    ) -> None:
        self._new_on_disk = new_on_disk
        self._in_memory_bytes = in_memory_bytes
        self._path: Path | None = None
        self.handle: BinaryIO = BytesIO()
        self.digests = digests
        self.beside: list[Discardable] = []
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        """
        Append bytes.

        Raises:
            StorageFull: There is no room.
            StorageUnavailable: The disk failed.
        """
        with self.digests.taking(chunk):
            if self._path is None and self.size_bytes + len(chunk) > self._in_memory_bytes:
                self.on_disk()
            with translated_disk_errors():
                _write_whole(self.handle, chunk)
        self.size_bytes += len(chunk)

    def on_disk(self) -> Path:
        """
        Return where the file is on the disk, after writing it there if it was in memory.

        Raises:
            StorageFull: There is no room.
            StorageUnavailable: The folder cannot be written.
        """
        if self._path is None:
            with translated_disk_errors(), self.handle as memory:
                assert isinstance(memory, BytesIO)  # noqa: S101 - what is not on the disk is there
                self._path, self.handle = self._new_on_disk()
                _write_whole(self.handle, memory.getvalue())
        return self._path

    @property
    def sha256(self) -> Sha256:
        """Digest of what was written so far."""
        return self.digests.sha256

    def discard(self) -> None:
        """Remove the file, if the store has not moved it away, and release it. Safe to call again."""
        for other in self.beside:
            other.discard()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self.handle.close()


def _write_whole(handle: BinaryIO, content: bytes) -> None:
    # A file without a buffer may take a part.
    view = memoryview(content)
    while view:
        view = view[handle.write(view) :]


@contextlib.contextmanager
def translated_disk_errors() -> Iterator[None]:
    """Turn what the disk says into what the client is told, without paths."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFull from error
        raise StorageUnavailable("The server cannot write to its disk") from error
