"""
Bytes into the store before the catalog names them, and out again when there is no room for their names.

Bytes that no row names are usually left to the garbage collection, which goes by their age. Not when the disk is
full: there they would take the very room that is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

from pypiserve.catalog import files
from pypiserve.catalog.database import Database
from pypiserve.core.digests import Sha256, sha256_of
from pypiserve.core.errors import PypiserveError, StorageFull
from pypiserve.plugin import FileStore
from pypiserve.services.staging import StagedFile, StagingArea

__all__ = ["Begun", "Storing"]

T = TypeVar("T")


@dataclass(frozen=True)
class Begun:
    """
    A file and its core metadata on their way into the store; all processes of the folder know that there is one.

    Attributes:
        lock: By which they know.
    """

    lock: BinaryIO
    file: StagedFile
    core_metadata: StagedFile

    def discard(self) -> None:
        """Tell that they are stored and named, or will not be. Safe to call again."""
        self.lock.close()


class Storing:
    """Brings the bytes of publications into the file store."""

    def __init__(self, store: FileStore, database: Database, staging: StagingArea, threads: Executor) -> None:
        self._store = store
        self._database = database
        self._staging = staging
        self._threads = threads

    def begin(self, staged: StagedFile, core_metadata: bytes) -> Begun:
        """
        Get a file and its core metadata ready for ``stored``. Blocks: call it in a thread.

        Raises:
            StorageFull: There is no room.
            StorageUnavailable: The staging area cannot be written.
        """
        staged_metadata = self._staging.stage(core_metadata, beside=staged)
        for each in (staged, staged_metadata):
            each.on_disk()
        begun = Begun(self._staging.begin_storing(), staged, staged_metadata)
        # It ends with the upload, also when nobody comes to store it.
        staged.beside.append(begun)
        return begun

    @contextlib.asynccontextmanager
    async def stored(self, begun: Begun) -> AsyncIterator[None]:
        """
        Store a file and its core metadata; they are to be named in the catalog within the ``async with``.

        Raises:
            StorageFull: There is no room, for the bytes or for what was done inside; nothing was kept.
            StorageUnavailable: The store does not answer.
        """
        both = (begun.file, begun.core_metadata)
        try:
            await self._put(*both)
            yield
        except StorageFull:
            begun.discard()
            await self._withdraw(*(each.sha256 for each in both))
            raise
        finally:
            begun.discard()

    async def put_back(self, staged: StagedFile, core_metadata: bytes) -> None:
        """
        Store again what the catalog names, and the store has lost.

        Raises:
            StorageFull: There is no room.
            StorageUnavailable: The store or the staging area does not answer.
        """
        if await self._store.stat(staged.sha256) is None or await self._store.stat(sha256_of(core_metadata)) is None:
            async with self.stored(await self._in_thread(lambda: self.begin(staged, core_metadata))):
                pass

    async def _put(self, *staged: StagedFile) -> None:
        # Side by side, as each waits for the disk; both are awaited, so that neither outlives the upload.
        puts = (self._store.put(each.sha256, each.on_disk(), size_bytes=each.size_bytes) for each in staged)
        for outcome in await asyncio.gather(*puts, return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def _withdraw(self, *digests: Sha256) -> None:
        """Remove what no row names, unless another publication may be about to name it."""
        alone = self._staging.stop_storing()
        if alone is None:
            return
        # What cannot be removed now is left to the garbage collection; the client hears of the full disk.
        with alone, contextlib.suppress(PypiserveError):
            for digest in await self._database.read(lambda connection: files.unnamed(connection, digests)):
                await self._store.delete(digest)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
