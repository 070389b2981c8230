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
from typing import BinaryIO, TypeVar

from pypiserve.catalog import files
from pypiserve.catalog.database import Database
from pypiserve.core.digests import Sha256, sha256_of
from pypiserve.core.errors import PypiserveError, StorageFull
from pypiserve.plugin import FileStore
from pypiserve.services.staging import StagedFile, StagingArea

__all__ = ["Storing"]

T = TypeVar("T")


class Storing:
    """Brings the bytes of publications into the file store."""

    def __init__(self, store: FileStore, database: Database, staging: StagingArea, threads: Executor) -> None:
        self._store = store
        self._database = database
        self._staging = staging
        self._threads = threads

    @contextlib.asynccontextmanager
    async def stored(self, staged: StagedFile, core_metadata: bytes) -> AsyncIterator[None]:
        """
        Store a file and its core metadata; they are to be named in the catalog within the ``async with``.

        Raises:
            StorageFull: There is no room, for the bytes or for what was done inside; nothing was kept.
            StorageUnavailable: The store or the staging area does not answer.
        """
        storing, staged_metadata = await self._in_thread(lambda: self._begin(staged, core_metadata))
        try:
            await self._put(staged, staged_metadata)
            yield
        except StorageFull:
            storing.close()
            await self._withdraw(staged.sha256, sha256_of(core_metadata))
            raise
        finally:
            storing.close()

    async def put_back(self, staged: StagedFile, core_metadata: bytes) -> None:
        """
        Store again what the catalog names, and the store has lost.

        Raises:
            StorageFull: There is no room.
            StorageUnavailable: The store or the staging area does not answer.
        """
        if await self._store.stat(staged.sha256) is None or await self._store.stat(sha256_of(core_metadata)) is None:
            async with self.stored(staged, core_metadata):
                pass

    def _begin(self, staged: StagedFile, core_metadata: bytes) -> tuple[BinaryIO, StagedFile]:
        with contextlib.ExitStack() as stack:
            storing = stack.enter_context(self._staging.begin_storing())
            staged_metadata = self._staging.stage(core_metadata, beside=staged)
            stack.pop_all()
            return storing, staged_metadata

    async def _put(self, *staged: StagedFile) -> None:
        # Side by side, as each waits for the disk; both are awaited, so that neither outlives the upload.
        puts = (self._store.put(each.sha256, each.path, size_bytes=each.size_bytes) for each in staged)
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
