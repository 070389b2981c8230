"""What every file store promises, as tests to inherit."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pypiserve.core.digests import Sha256
from pypiserve.core.errors import NotFound
from pypiserve.plugin import FileStore, LocalFile, Redirect, StoredFile

__all__ = ["FileStoreContract", "Staged"]

_MIB = 1 << 20
_SMALL = b"the bytes of a distribution file"
_BIG = hashlib.shake_256(b"big").digest(3 * _MIB + 17)
_UNKNOWN = Sha256("0" * 64)
_FILENAME = "demo_thing-1!1.0+local-py3-none-any.whl"


@dataclass(frozen=True)
class Staged:
    """A staged file that is ready for ``put``."""

    digest: Sha256
    path: Path
    size_bytes: int


@pytest.mark.asyncio
class FileStoreContract:
    """
    Inherit this in a class named ``Test…`` and supply the fixture ``store``, which also closes the store at the end.

    Supply the fixture ``reopen`` as well where the bytes outlive the object. Each test needs a store of its own that
    is empty at first.
    """

    @pytest.fixture
    def store(self) -> FileStore:
        """The store under test, empty."""
        raise NotImplementedError("supply the fixture 'store'")

    @pytest.fixture
    def reopen(self) -> Callable[[], FileStore]:
        """Make a further object over the same bytes; the contract closes it. Without it that test is skipped."""
        return pytest.skip("this store supplies no fixture 'reopen'")

    @pytest.fixture
    def stage(self, tmp_path: Path) -> Callable[[bytes], Staged]:
        """Write content to a staged file of its own, as the server does before ``put``."""
        folder = tmp_path / "staged-by-contract"
        folder.mkdir()

        def write(content: bytes) -> Staged:
            path = folder / secrets.token_hex(8)
            path.write_bytes(content)
            return Staged(Sha256(hashlib.sha256(content).hexdigest()), path, len(content))

        return write

    async def test_it_is_a_file_store(self, store: FileStore) -> None:
        """The object has the methods of the protocol."""
        assert isinstance(store, FileStore)

    @pytest.mark.parametrize("content", [b"", b"x", _SMALL, _BIG], ids=["empty", "one byte", "small", "3 MiB"])
    async def test_what_is_put_can_be_read(
        self, store: FileStore, stage: Callable[[bytes], Staged], content: bytes
    ) -> None:
        """The bytes come back in order, in chunks of 1 byte to 1 MiB."""
        staged = stage(content)
        await _put(store, staged)
        chunks = [chunk async for chunk in store.open(staged.digest)]
        assert b"".join(chunks) == content
        assert all(1 <= len(chunk) <= _MIB for chunk in chunks)

    @pytest.mark.parametrize(
        ("start", "stop"),
        [
            (0, 1),
            (1, None),
            (5, 5),
            (_MIB - 1, _MIB + 1),
            (_MIB, 2 * _MIB),
            (17, 2 * _MIB + 18),
            (len(_BIG) - 1, None),
            (len(_BIG), None),
            (0, len(_BIG)),
        ],
    )
    async def test_a_part_can_be_read(
        self, store: FileStore, stage: Callable[[bytes], Staged], start: int, stop: int | None
    ) -> None:
        """A range gives exactly these bytes, and none when it is empty."""
        staged = stage(_BIG)
        await _put(store, staged)
        chunks = [chunk async for chunk in store.open(staged.digest, start=start, stop=stop)]
        assert b"".join(chunks) == _BIG[start:stop]
        assert all(1 <= len(chunk) <= _MIB for chunk in chunks)

    async def test_an_unknown_file_is_not_found(self, store: FileStore) -> None:
        """Opening says so at the first step and not before, also for an empty range; looking it up gives None."""
        for chunks in (store.open(_UNKNOWN), store.open(_UNKNOWN, start=0, stop=0)):
            with pytest.raises(NotFound):
                await anext(chunks)
        assert await store.stat(_UNKNOWN) is None

    async def test_stat_knows_digest_size_and_time(self, store: FileStore, stage: Callable[[bytes], Staged]) -> None:
        """A stored file has its exact size and an aware time in UTC."""
        staged = stage(_SMALL)
        await _put(store, staged)
        stored = await store.stat(staged.digest)
        assert stored is not None
        assert (stored.digest, stored.size_bytes) == (staged.digest, len(_SMALL))
        assert stored.stored_at.utcoffset() == timedelta(0)

    async def test_list_names_every_file_once(self, store: FileStore, stage: Callable[[bytes], Staged]) -> None:
        """The list of an empty store is empty; later it has what stat knows, each once."""
        assert await _listed(store) == []
        files = [stage(b"content %d" % number) for number in range(20)]
        for staged in files:
            await _put(store, staged)
        listed = await _listed(store)
        assert sorted(stored.digest for stored in listed) == sorted(staged.digest for staged in files)
        assert [await store.stat(stored.digest) for stored in listed] == listed

    async def test_a_deleted_file_is_gone(self, store: FileStore, stage: Callable[[bytes], Staged]) -> None:
        """Deleting removes this file and no other; deleting again changes nothing; the file may come back."""
        staged, other = stage(_SMALL), stage(b"other")
        await _put(store, staged)
        await _put(store, other)
        for _ in range(2):
            await store.delete(staged.digest)
        assert await store.stat(staged.digest) is None
        assert [stored.digest for stored in await _listed(store)] == [other.digest]
        with pytest.raises(NotFound):
            await _read(store, staged.digest)
        await _put(store, stage(_SMALL))
        assert await _read(store, staged.digest) == _SMALL

    async def test_putting_again_changes_nothing(self, store: FileStore, stage: Callable[[bytes], Staged]) -> None:
        """A retry succeeds, and there is still one file."""
        for _ in range(3):
            await _put(store, stage(_SMALL))
        assert [stored.size_bytes for stored in await _listed(store)] == [len(_SMALL)]

    async def test_putting_the_same_file_at_once(self, store: FileStore, stage: Callable[[bytes], Staged]) -> None:
        """Many uploads of one file at the same time all succeed, and there is one file."""
        files = [stage(_BIG) for _ in range(8)]
        await asyncio.gather(*(_put(store, staged) for staged in files))
        assert await _read(store, files[0].digest) == _BIG
        assert len(await _listed(store)) == 1

    async def test_many_files_at_once(self, store: FileStore, stage: Callable[[bytes], Staged]) -> None:
        """Many different uploads and readers at the same time do not mix."""
        contents = [hashlib.shake_256(b"%d" % number).digest(50_000) for number in range(30)]
        files = [stage(content) for content in contents]
        await asyncio.gather(*(_put(store, staged) for staged in files))
        assert await asyncio.gather(*(_read(store, staged.digest) for staged in files)) == contents

    @pytest.mark.parametrize("steps", [0, 1, 2, 5])
    async def test_a_cancelled_put_leaves_nothing_half(
        self, store: FileStore, stage: Callable[[bytes], Staged], steps: int
    ) -> None:
        """After a cancelled put there is nothing under the digest, or the whole file; and a retry works."""
        staged = stage(_BIG)
        putting = asyncio.create_task(_put(store, staged))
        for _ in range(steps):
            await asyncio.sleep(0)
        putting.cancel()
        with suppress(asyncio.CancelledError):
            await putting
        staged.path.unlink(missing_ok=True)  # as the server does
        with suppress(NotFound):
            assert await _read(store, staged.digest) == _BIG
        assert {stored.size_bytes for stored in await _listed(store)} <= {len(_BIG)}
        await _put(store, stage(_BIG))
        assert await _read(store, staged.digest) == _BIG

    async def test_a_failed_put_leaves_nothing(self, store: FileStore, stage: Callable[[bytes], Staged]) -> None:
        """When the staged file cannot be read the call fails, and nothing is kept."""
        staged = stage(_SMALL)
        staged.path.unlink()
        with pytest.raises(Exception):  # noqa: B017, PT011 - a fault of the caller, which no protocol names
            await _put(store, staged)
        assert await store.stat(staged.digest) is None
        assert await _listed(store) == []

    async def test_a_reader_may_leave_half_way(self, store: FileStore, stage: Callable[[bytes], Staged]) -> None:
        """A client that goes away does no harm to others."""
        staged = stage(_BIG)
        await _put(store, staged)
        for _ in range(20):
            chunks = store.open(staged.digest)
            assert _BIG.startswith(await anext(chunks))
            # The protocol promises an iterator; a generator is ended at once, as the server does.
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()
        reading = asyncio.create_task(_read(store, staged.digest))
        await asyncio.sleep(0)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        assert await _read(store, staged.digest) == _BIG

    async def test_locate_leads_to_the_bytes(self, store: FileStore, stage: Callable[[bytes], Staged]) -> None:
        """A path holds the bytes; an address is absolute and ends in the file name; a stream can be opened."""
        staged = stage(_SMALL)
        await _put(store, staged)
        match await store.locate(staged.digest, filename=_FILENAME):
            case LocalFile(path):
                assert path.read_bytes() == _SMALL
            case Redirect(url, lifetime):
                parts = urlsplit(url)
                assert parts.scheme in {"http", "https"}
                assert parts.hostname
                assert unquote(parts.path).endswith(f"/{_FILENAME}")
                assert not parts.fragment
                assert lifetime > timedelta(0)
            case _:
                assert await _read(store, staged.digest) == _SMALL

    async def test_check_passes_and_leaves_nothing(self, store: FileStore) -> None:
        """A store that works says so, and its list does not show the check."""
        await asyncio.wait_for(store.check(), 10)
        assert await _listed(store) == []

    async def test_bytes_outlive_the_object(
        self, store: FileStore, reopen: Callable[[], FileStore], stage: Callable[[bytes], Staged]
    ) -> None:
        """A new object over the same place, as after a restart, has the file; it closes without waiting for us."""
        staged = stage(_SMALL)
        await _put(store, staged)
        again = reopen()
        try:
            assert await _read(again, staged.digest) == _SMALL
            assert [stored.digest for stored in await _listed(again)] == [staged.digest]
        finally:
            await asyncio.wait_for(again.close(), 10)
        assert await _read(store, staged.digest) == _SMALL


async def _put(store: FileStore, staged: Staged) -> None:
    await store.put(staged.digest, staged.path, size_bytes=staged.size_bytes)


async def _read(store: FileStore, digest: Sha256) -> bytes:
    return b"".join([chunk async for chunk in store.open(digest)])


async def _listed(store: FileStore) -> list[StoredFile]:
    return [stored async for stored in store.list()]
