"""The contracts notice those who break their promises."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pypiserve.core.digests import Sha256
from pypiserve.core.errors import AuthenticationFailed
from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials, Identity
from pypiserve.plugin import Redirect
from pypiserve.testing import FixedAuthenticator, MemoryFileStore
from pypiserve.testing.contracts.authenticators import AuthenticatorContract
from pypiserve.testing.contracts.file_stores import FileStoreContract, Staged

BIG = b"x" * ((1 << 20) + 1)
GOOD = BasicCredentials("alice", "correct horse")
BAD = BasicCredentials("alice", "battery staple")
FOREIGN = BearerCredentials("foreign-token")


@pytest.fixture
def stage(tmp_path: Path) -> Callable[[bytes], Staged]:
    def write(content: bytes) -> Staged:
        (tmp_path / "staged").write_bytes(content)
        return Staged(Sha256(hashlib.sha256(content).hexdigest()), tmp_path / "staged", len(content))

    return write


class _HugeChunks(MemoryFileStore):
    async def open(self, digest: Sha256, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        yield self.contents[digest][0][start:stop]


class _InclusiveEnd(MemoryFileStore):
    def open(self, digest: Sha256, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        return super().open(digest, start=start, stop=None if stop is None else stop + 1)


class _Elsewhere(MemoryFileStore):
    async def locate(self, digest: Sha256, *, filename: str) -> Redirect:  # type: ignore[override]  # not a Stream
        return Redirect(f"https://store.invalid/{digest}?name={filename}", timedelta(minutes=5))


class _EarlyPut(MemoryFileStore):
    async def put(self, digest: Sha256, staged: Path, *, size_bytes: int) -> None:
        self.contents[digest] = (bytes(size_bytes), self._now())
        self.contents[digest] = (staged.read_bytes(), self._now())


async def test_huge_chunks_are_noticed(stage: Callable[[bytes], Staged]) -> None:
    """A store whose chunks are over 1 MiB breaks the contract."""
    with pytest.raises(AssertionError):
        await FileStoreContract().test_what_is_put_can_be_read(_HugeChunks(), stage, BIG)


async def test_a_range_one_too_long_is_noticed(stage: Callable[[bytes], Staged]) -> None:
    """A store that takes the end of a range as inclusive breaks the contract."""
    with pytest.raises(AssertionError):
        await FileStoreContract().test_a_part_can_be_read(_InclusiveEnd(), stage, 0, 1)


async def test_an_address_without_the_file_name_is_noticed(stage: Callable[[bytes], Staged]) -> None:
    """A store that redirects to an address that does not end in the file name breaks the contract."""
    with pytest.raises(AssertionError):
        await FileStoreContract().test_locate_leads_to_the_bytes(_Elsewhere(), stage)


async def test_a_half_put_is_noticed(stage: Callable[[bytes], Staged]) -> None:
    """A store that names a file before its bytes are there breaks the contract."""
    with pytest.raises(AssertionError):
        await FileStoreContract().test_a_failed_put_leaves_nothing(_EarlyPut(), stage)


class _Careless(FixedAuthenticator):
    """Repeats what it was told."""

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        try:
            return await super().authenticate(credentials)
        except AuthenticationFailed as error:
            raise AuthenticationFailed("Go away") from ValueError(vars(credentials), error)


class _Vague(FixedAuthenticator):
    """Says "not mine" where it should say "wrong"."""

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        try:
            return await super().authenticate(credentials)
        except AuthenticationFailed:
            return None


async def test_a_secret_behind_an_error_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    """An authenticator whose error drags the password along breaks the contract."""
    careless = _Careless("x", {"alice": "correct horse"})
    with pytest.raises(AssertionError):
        await AuthenticatorContract().test_no_secret_is_told(careless, GOOD, BAD, FOREIGN, caplog)


async def test_none_for_wrong_credentials_is_noticed() -> None:
    """An authenticator that passes wrong credentials on breaks the contract."""
    vague = _Vague("x", {"alice": "correct horse"})
    with pytest.raises(pytest.fail.Exception):
        await AuthenticatorContract().test_bad_credentials_are_refused(vague, BAD)
    with pytest.raises(AssertionError):
        await AuthenticatorContract().test_many_at_once_agree(vague, GOOD, BAD, FOREIGN)


async def test_a_foreign_name_is_noticed() -> None:
    """An authenticator that vouches under another's name breaks the contract."""
    with pytest.raises(AssertionError):
        await AuthenticatorContract().test_good_credentials_give_an_identity(
            FixedAuthenticator("other", {"alice": "correct horse"}), "mine", GOOD
        )
