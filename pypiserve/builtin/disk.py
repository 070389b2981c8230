"""
The ``disk`` plugin: keeps files in a folder of this machine.

The folder must be a local file system, or one that renames atomically and honours ``fsync``.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from pypiserve.builtin.disk_files import CHUNK_BYTES, DiskFiles
from pypiserve.core.digests import Sha256
from pypiserve.core.errors import InvalidSetting, StorageFull, StorageUnavailable
from pypiserve.plugin import BuildContext, FileStoreKind, LocalFile, PluginSettings, StoredFile, hookimpl

__all__ = ["API_REVISION", "DiskFileStore", "DiskSettings", "pypiserve_file_stores"]

API_REVISION = 1

_THREADS = 8
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

    async def put(self, digest: Sha256, staged: Path, *, size_bytes: int) -> None:
        """Store one file: sync it, then move it into place, or copy it from another file system."""
        abandoned = threading.Event()
        try:
            await self._run(self._files.put, digest, staged, size_bytes, abandoned)
        except asyncio.CancelledError:
            abandoned.set()
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
        for upper in await self._run(self._files.subfolders, self._files.folder):
            for lower in await self._run(self._files.subfolders, upper):
                for stored in await self._run(self._files.stored_files, lower):
                    yield stored

    async def check(self) -> None:
        """Write, read and remove a small file."""
        try:
            await self._run(self._files.check)
        except StorageFull as error:
            raise StorageUnavailable("The file store has no room left") from error

    async def close(self) -> None:
        """Let running work end, and end the threads."""
        await asyncio.to_thread(self._executor.shutdown)

    async def _run(self, job: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            work = self._executor.submit(job, *args, **kwargs)
        except RuntimeError as error:
            raise StorageUnavailable("The file store is closed") from error
        try:
            return await asyncio.wrap_future(work)
        except OSError as error:
            raise _explain(error) from error


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
