"""
Small real implementations of the plugin interfaces, for tests. They keep the same contracts as the others.

``a_clock`` and ``a_context`` make what a kind is built with.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pypiserve.core.api_tokens import hash_api_token, new_api_token
from pypiserve.core.digests import Sha256
from pypiserve.core.errors import CredentialsUnknown, NotFound, StorageFull, StorageUnavailable
from pypiserve.core.identity import BasicCredentials, Credentials, Identity
from pypiserve.plugin import STREAM, ApiToken, ApiTokens, BuildContext, StoredFile, Stream

__all__ = ["Clock", "FixedAuthenticator", "MemoryApiTokens", "MemoryFileStore", "a_clock", "a_context"]

_CHUNK_BYTES = 1 << 20


@dataclass
class Clock:
    """A clock that stands still until it is told to go on; call it for the time: aware, UTC."""

    moment: datetime

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, time: timedelta) -> None:
        """Let time pass."""
        self.moment += time


def a_clock(moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> Clock:
    """Make a clock that shows this moment."""
    return Clock(moment)


def a_context(
    name: str,
    folder: Path,
    *,
    now: Callable[[], datetime] | None = None,
    api_tokens: ApiTokens | None = None,
) -> BuildContext:
    """Make what a kind's ``build`` is called with; ``folder`` stands for the server's data folder."""
    return BuildContext(name, folder, now or a_clock(), api_tokens or MemoryApiTokens())


class MemoryFileStore:
    """
    A ``FileStore`` in memory.

    Attributes:
        contents: Digest to content and time; stores that share it share their files.
        capacity_bytes: With more than that it is full; ``None`` for no bound.
        unavailable: Set it, and every call raises ``StorageUnavailable``.
    """

    def __init__(
        self,
        contents: dict[Sha256, tuple[bytes, datetime]] | None = None,
        *,
        capacity_bytes: int | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.contents = {} if contents is None else contents
        self.capacity_bytes = capacity_bytes
        self.unavailable = False
        self._now = now or a_clock()

    async def put(self, digest: Sha256, staged: Path, *, size_bytes: int) -> None:
        """Read the staged file into memory."""
        self._answer()
        used = sum(len(content) for content, _ in self.contents.values())
        if digest in self.contents:
            return
        if self.capacity_bytes is not None and used + size_bytes > self.capacity_bytes:
            raise StorageFull
        content = await asyncio.to_thread(staged.read_bytes)
        self.contents[digest] = (content, self._now())

    async def open(self, digest: Sha256, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Give out slices."""
        self._answer()
        if digest not in self.contents:
            raise NotFound("The stored file")
        part = self.contents[digest][0][start:stop]
        for position in range(0, len(part), _CHUNK_BYTES):
            yield part[position : position + _CHUNK_BYTES]

    async def locate(self, digest: Sha256, *, filename: str) -> Stream:  # noqa: ARG002 - the protocol's
        """Ask to be streamed."""
        self._answer()
        return STREAM

    async def stat(self, digest: Sha256) -> StoredFile | None:
        """Look one file up."""
        self._answer()
        if digest not in self.contents:
            return None
        content, stored_at = self.contents[digest]
        return StoredFile(digest, len(content), stored_at)

    async def delete(self, digest: Sha256) -> None:
        """Remove one file."""
        self._answer()
        self.contents.pop(digest, None)

    async def list(self) -> AsyncIterator[StoredFile]:
        """Name every file."""
        self._answer()
        for digest, (content, stored_at) in tuple(self.contents.items()):
            yield StoredFile(digest, len(content), stored_at)

    async def check(self) -> None:
        """Say whether it answers."""
        self._answer()

    async def close(self) -> None:
        """Hold nothing, release nothing."""

    def _answer(self) -> None:
        if self.unavailable:
            raise StorageUnavailable("The file store does not answer")


class FixedAuthenticator:
    """An ``Authenticator`` that knows some users and their passwords, and leaves bearer tokens to others."""

    def __init__(self, name: str, passwords: Mapping[str, str]) -> None:
        self._name = name
        self._passwords = dict(passwords)

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        """Compare the password."""
        if not isinstance(credentials, BasicCredentials):
            return None
        expected = self._passwords.get(credentials.username, "")
        if not expected or not hmac.compare_digest(expected.encode(), credentials.password.encode()):
            raise CredentialsUnknown("The user name or the password is wrong")
        return Identity(self._name, credentials.username)

    async def close(self) -> None:
        """Hold nothing, release nothing."""


class MemoryApiTokens:
    """The ``ApiTokens`` of a catalog that is a dictionary."""

    def __init__(self) -> None:
        self._by_hash: dict[str, ApiToken] = {}

    def add(self, name: str, *, expires_at: datetime | None = None) -> str:
        """Make a token and return its secret."""
        secret = new_api_token()
        digest = hash_api_token(secret)
        self._by_hash[digest] = ApiToken(name, digest, expires_at=expires_at)
        return secret

    def revoke(self, name: str) -> None:
        """Withdraw a token."""
        for digest, token in self._by_hash.items():
            if token.name == name:
                self._by_hash[digest] = replace(token, revoked=True)

    async def find(self, secret_sha256: str) -> ApiToken | None:
        """Look a token up by its hash."""
        return self._by_hash.get(secret_sha256)
