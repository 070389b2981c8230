"""
Upkeep of the file store: bytes that no row names, and rows whose bytes are missing or damaged.

Nothing is changed by looking. What is removed is looked at again under the lock that publishing takes between bytes
and row, so that bytes which are about to be named stay.
"""

from __future__ import annotations

import asyncio
import enum
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import BinaryIO

from pypiserve.catalog import files, retention
from pypiserve.catalog.database import Database
from pypiserve.catalog.retention import Expired, WrongSize
from pypiserve.core.digests import Sha256
from pypiserve.core.errors import NotFound, Unavailable
from pypiserve.plugin import FileStore, StoredFile
from pypiserve.services.staging import StagingArea

__all__ = ["Fault", "FaultKind", "Upkeep"]

_BATCH = 500
_LOCK_TRIES = 100
_LOCK_PAUSE_SECONDS = 0.1


class FaultKind(enum.StrEnum):
    """What can be wrong with bytes that the catalog names."""

    MISSING = "missing"
    WRONG_SIZE = "wrong-size"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Fault:
    """
    Bytes that the catalog names and the store does not have as they should be.

    Attributes:
        digest: Under which they are kept.
        size_bytes: How many they should be.
        kind: What is wrong.
        names: The files that they are, or are the core metadata of, as ``owner/index filename``.
        is_deleted: Whether all those are deleted: their names are reserved, and publishing does not bring them back.
    """

    digest: Sha256
    size_bytes: int
    kind: FaultKind
    names: tuple[str, ...]
    is_deleted: bool


class Upkeep:
    """Compares the catalog with the file store, and removes what has no place there."""

    def __init__(
        self, database: Database, store: FileStore, *, staging: StagingArea, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._store = store
        self._staging = staging
        self._now = now

    async def unnamed(self, *, older_than: timedelta) -> AsyncIterator[StoredFile]:
        """
        Name every stored file that the catalog does not name.

        Args:
            older_than: Younger ones are passed over: their upload may be about to name them.

        Raises:
            StorageUnavailable: The store does not answer.
        """
        limit = self._now() - older_than
        batch: list[StoredFile] = []
        async for stored in self._store.list():
            if stored.stored_at <= limit:
                batch.append(stored)
            if len(batch) == _BATCH:
                for found in await self._without_row(batch):
                    yield found
                batch.clear()
        for found in await self._without_row(batch):
            yield found

    async def remove(self, stored: StoredFile) -> bool:
        """
        Remove one file that the catalog does not name; tell whether it did, or was left since it is named now.

        Raises:
            Unavailable: Somebody publishes all the time; safe to repeat.
        """
        with await self._publishing_stopped():
            seen = await self._store.stat(stored.digest)
            # Stored again meanwhile: its new upload names it soon, on another machine perhaps.
            if seen is None or seen.stored_at != stored.stored_at or not await self._without_row([seen]):
                return False
            await self._store.delete(stored.digest)
            return True

    async def expired(self) -> AsyncIterator[tuple[Expired, tuple[str, ...]]]:
        """Name the bytes of which all files are deleted, longer ago than their indexes keep them, and those files."""
        after = ""
        while batch := await self._expired_after(after):
            for each in batch:
                yield each, await self._names_of(each.sha256)
            after = batch[-1].sha256

    async def give_up(self, expired: Expired) -> bool:
        """
        Note in the catalog that bytes are gone; tell whether it did: files that were restored meanwhile keep theirs.

        The bytes are unnamed from then on and removed like all such. A crash in between leaves no more than that.
        """
        now = self._now()
        purged = await self._database.write(lambda connection: retention.purge(connection, [expired.sha256], now=now))
        return bool(purged)

    async def wrong_sizes(self, *, repair: bool) -> list[WrongSize]:
        """Return the projects and indexes whose size is not that of their files; ``repair`` sets it right."""
        if repair:
            return await self._database.write(retention.mend_sizes)
        return await self._database.read(retention.wrong_sizes)

    async def faults(self, *, read: bool) -> AsyncIterator[Fault]:
        """
        Look at the bytes of everything that the catalog names.

        Args:
            read: Read them and compute their digests; otherwise sizes are compared only.

        Raises:
            StorageUnavailable: The store does not answer.
        """
        after = ""
        while blobs := await self._blobs_after(after):
            for digest, size_bytes in blobs:
                kind = await self._fault_of(digest, size_bytes, read=read)
                if kind is not None:
                    deleted = await self._database.read(partial(retention.is_deleted, digest=digest))
                    yield Fault(digest, size_bytes, kind, await self._names_of(digest), deleted)
            after = blobs[-1][0]

    async def withdraw(self, fault: Fault) -> bool:
        """
        Remove bytes that are not what the catalog says, so that publishing the file again brings them back.

        Returns:
            Whether it did: what was published again meanwhile stays.

        Raises:
            Unavailable: Somebody publishes all the time; safe to repeat.
        """
        with await self._publishing_stopped():
            if await self._fault_of(fault.digest, fault.size_bytes, read=True) in {None, FaultKind.MISSING}:
                return False
            await self._store.delete(fault.digest)
            return True

    async def forget(self, fault: Fault) -> bool:
        """
        Note in the catalog that the bytes of deleted files are lost, so that whoever restores those is told.

        Returns:
            Whether it did: what was restored or stored again meanwhile is not lost.

        Raises:
            Unavailable: Somebody publishes all the time; safe to repeat.
        """
        with await self._publishing_stopped():
            if await self._store.stat(fault.digest) is not None:
                return False
            return await self._database.write(partial(retention.purge_lost, digest=fault.digest, now=self._now()))

    async def _blobs_after(self, after: str) -> list[tuple[Sha256, int]]:
        return await self._database.read(lambda connection: files.blobs_after(connection, after, limit=_BATCH))

    async def _expired_after(self, after: str) -> list[Expired]:
        now = self._now()
        return await self._database.read(
            lambda connection: retention.expired_after(connection, after, now=now, limit=_BATCH)
        )

    async def _names_of(self, digest: Sha256) -> tuple[str, ...]:
        return tuple(await self._database.read(lambda connection: files.names_of(connection, digest)))

    async def _without_row(self, batch: Sequence[StoredFile]) -> list[StoredFile]:
        digests = [stored.digest for stored in batch]
        unnamed = await self._database.read(lambda connection: files.unnamed(connection, digests))
        return [stored for stored in batch if stored.digest in unnamed]

    async def _fault_of(self, digest: Sha256, size_bytes: int, *, read: bool) -> FaultKind | None:
        stored = await self._store.stat(digest)
        if stored is None:
            return FaultKind.MISSING
        if stored.size_bytes != size_bytes:
            return FaultKind.WRONG_SIZE
        if read and await self._digest_of(digest) != digest:
            return FaultKind.DAMAGED
        return None

    async def _digest_of(self, digest: Sha256) -> str:
        running = hashlib.sha256()
        try:
            async for chunk in self._store.open(digest):
                running.update(chunk)
        except NotFound:
            return ""
        return running.hexdigest()

    async def _publishing_stopped(self) -> BinaryIO:
        for _ in range(_LOCK_TRIES):
            lock = await asyncio.to_thread(self._staging.stop_storing)
            if lock is not None:
                return lock
            await asyncio.sleep(_LOCK_PAUSE_SECONDS)
        raise Unavailable("Files are being published all the time")
