"""File stores: where the bytes of published files live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from pypiserve.core.digests import Sha256

__all__ = ["STREAM", "FileStore", "LocalFile", "Location", "Redirect", "StoredFile", "Stream"]


@dataclass(frozen=True)
class LocalFile:
    """The bytes are a file of this machine; the server sends it with ``sendfile``."""

    path: Path


@dataclass(frozen=True)
class Redirect:
    """
    The client may fetch the bytes itself.

    Attributes:
        url: Absolute; its path ends in the file name, and it authorises itself (clients drop credentials).
        lifetime: How long the address works.
    """

    url: str
    lifetime: timedelta


@dataclass(frozen=True)
class Stream:
    """The server reads the bytes through ``FileStore.open`` and passes them on."""


STREAM = Stream()

Location = LocalFile | Redirect | Stream


@dataclass(frozen=True)
class StoredFile:
    """What a store knows of one file."""

    digest: Sha256
    size_bytes: int
    stored_at: datetime


@runtime_checkable
class FileStore(Protocol):
    """
    Keeps files under the SHA-256 of their content.

    One object serves the whole process; its methods are called at the same time by many tasks, and any call may
    be cancelled. A store knows nothing of projects, versions or file names.

    Every method may raise ``StorageUnavailable`` when the backend does not answer: the request is safe to repeat.
    """

    async def put(self, digest: Sha256, staged: Path, *, size_bytes: int) -> None:
        """
        Store one file under its digest, durably: after the return a power failure does not lose it.

        Storing a digest that is already there changes nothing, so a retry is safe. Cancelling or failing leaves
        nothing behind under the digest.

        Args:
            digest: SHA-256 of the whole file; the caller computed it from these bytes.
            staged: A local file with the bytes. The store may move it away; the caller removes what is left.
            size_bytes: Exact length of the file.

        Raises:
            StorageFull: There is no room; nothing is kept.
            StorageUnavailable: The backend did not answer; safe to retry.
        """
        ...

    def open(self, digest: Sha256, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """
        Read a file or a part of it, in order, in chunks of 1 byte to 1 MiB.

        Args:
            digest: Which file.
            start: First byte, from 0.
            stop: End, exclusive; ``None`` for the end of the file. ``start <= stop <= size``.

        Raises:
            NotFound: No file has this digest; raised at the first step of the iteration.
            StorageUnavailable: The backend did not answer.
        """
        ...

    async def locate(self, digest: Sha256, *, filename: str) -> Location:
        """
        Say how the bytes are best served. The file is known to be in the catalog.

        Args:
            digest: Which file.
            filename: The name under which the client asked, for stores that redirect.
        """
        ...

    async def stat(self, digest: Sha256) -> StoredFile | None:
        """Look one file up; ``None`` when it is not there."""
        ...

    async def delete(self, digest: Sha256) -> None:
        """Remove one file. Removing what is not there changes nothing."""
        ...

    def list(self) -> AsyncIterator[StoredFile]:
        """Name every stored file once, in any order. Files put or deleted meanwhile may be missing or present."""
        ...

    async def check(self) -> None:
        """
        Prove that the store can be read and written, within seconds.

        Raises:
            StorageUnavailable: It cannot; the sentence says what to mend.
        """
        ...

    async def close(self) -> None:
        """Release what the store holds; called once, at the end."""
        ...
