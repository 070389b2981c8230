"""
The ``disk`` plugin: keeps files in a folder of this machine.

The folder must be a local file system, or one that renames atomically and honours ``fsync``.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from pypiserve.builtin.disk_files import CHUNK_BYTES, DiskFiles, Put
from pypiserve.core.batches import BatchQueue, Outcome
from pypiserve.core.digests import Sha256
from pypiserve.core.errors import InvalidSetting, StorageFull, StorageUnavailable
from pypiserve.plugin import BuildContext, FileStoreKind, LocalFile, PluginSettings, StoredFile, hookimpl

__all__ = ["API_REVISION", "DiskFileStore", "DiskSettings", "pypiserve_file_stores"]

API_REVISION = 1

_THREADS = 8
_SMALL_BYTES = 1 << 20
"""Files up to here share a thread, and the syncs of their folders: their bytes are on the disk in a moment."""
_MOST_TOGETHER = 64
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})

_log = logging.getLogger(__name__)
_P = ParamSpec("_P")
_T = TypeVar("_T")


class DiskSettings(PluginSettings, frozen=True):
    """
    Settings of the ``disk`` store.

    Attributes:
        folder: Where the files are; ``files`` in the server's data folder unless given. Made if missing.
    """

    folder: Path | None = None


class DiskFileStore:
    """A ``FileStore`` on a folder. Blocking calls run in a few threads of its own."""

    def __init__(self, files: DiskFiles, *, name: str = "disk") -> None:
        self._files = files
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"pypiserve-store-{name}")
        self._small: BatchQueue[Put] = BatchQueue(
            self._put_together, name=f"pypiserve-store-{name}-small", most=_MOST_TOGETHER
        )

    async def put(self, digest: Sha256, staged: Path, *, size_bytes: int) -> None:
        """Store one file: sync it, then move it into place, or copy it from another file system."""
        put = Put(digest, staged, size_bytes)
        try:
            if size_bytes <= _SMALL_BYTES:
                await self._beside_others(put)
            else:
                await self._run(self._put_alone, put)
        except asyncio.CancelledError:
            put.abandoned.set()
            raise

    async def open(self, digest: Sha256, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Read a file or a part of it in chunks of at most 1 MiB."""
        position = start
        while True:
            limit = CHUNK_BYTES if stop is None else min(CHUNK_BYTES, stop - position)
            chunk = await self._run(self._files.read, digest, position, limit)
            if not chunk:
                return
            yield chunk
            position += len(chunk)

    async def locate(self, digest: Sha256, *, filename: str) -> LocalFile:  # noqa: ARG002 - the protocol's
        """Point to the file itself."""
        return LocalFile(self._files.path(digest))

    async def stat(self, digest: Sha256) -> StoredFile | None:
        """Look one file up."""
        return await self._run(self._files.stat, digest)

    async def delete(self, digest: Sha256) -> None:
        """Remove one file."""
        await self._run(self._files.delete, digest)

    async def list(self) -> AsyncIterator[StoredFile]:
        """Name every file; one folder of the layout is in memory at a time."""
        for folder in await self._run(self._files.subfolders):
            for stored in await self._run(self._files.stored_files, folder):
                yield stored

    async def check(self) -> None:
        """Write, read and remove a small file."""
        try:
            await self._run(self._files.check)
        except StorageFull as error:
            raise StorageUnavailable("The file store has no room left") from error

    async def close(self) -> None:
        """Let running work end, and end the threads."""
        await asyncio.to_thread(self._small.close)
        await asyncio.to_thread(self._executor.shutdown)

    async def _beside_others(self, put: Put) -> None:
        try:
            await self._small.do(put)
        except RuntimeError as error:
            raise _closed() from error
        except OSError as error:
            raise _explain(error) from error

    def _put_together(self, puts: Sequence[Put]) -> Sequence[Outcome]:
        return [Outcome(error=error) for error in self._files.put(puts)]

    def _put_alone(self, put: Put) -> None:
        (error,) = self._files.put([put])
        if error is not None:
            raise error

    async def _run(self, job: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            work = self._executor.submit(job, *args, **kwargs)
        except RuntimeError as error:
            raise _closed() from error
        try:
            return await asyncio.wrap_future(work)
        except OSError as error:
            raise _explain(error) from error


def _closed() -> StorageUnavailable:
    return StorageUnavailable("The file store is closed")


def _explain(error: OSError) -> StorageFull | StorageUnavailable:
    """Say what happened without naming a path; the log has the rest."""
    _log.error("The disk store failed: %s", error)
    if error.errno in _NO_ROOM:
        return StorageFull()
    reason = os.strerror(error.errno) if error.errno else "unknown cause"
    return StorageUnavailable(f"The file store does not work now ({reason})")


def _build(settings: DiskSettings, context: BuildContext) -> DiskFileStore:
    files = DiskFiles(settings.folder or context.data_folder / "files")
    try:
        files.prepare(context.now())
    except OSError as error:
        raise InvalidSetting(
            f"store {context.name!r}",
            "folder",
            f"{files.folder} cannot be used ({error.strerror})",
            "name a folder that the server may write",
        ) from error
    return DiskFileStore(files, name=context.name)


@hookimpl
def pypiserve_file_stores() -> Iterable[FileStoreKind[DiskSettings]]:
    """Offer the kind ``disk``."""
    yield FileStoreKind("disk", DiskSettings, _build, "files in a folder of this machine")
