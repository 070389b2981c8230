"""What the fakes do beyond the contracts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pypiserve.core.digests import Sha256
from pypiserve.core.errors import StorageFull, StorageUnavailable
from pypiserve.testing import MemoryFileStore, a_clock, a_context

DIGEST = Sha256("1" * 64)


async def test_a_store_can_be_full(tmp_path: Path) -> None:
    """A store with a capacity refuses what does not fit, and keeps nothing of it."""
    (tmp_path / "staged").write_bytes(b"12345")
    store = MemoryFileStore(capacity_bytes=4)
    with pytest.raises(StorageFull):
        await store.put(DIGEST, tmp_path / "staged", size_bytes=5)
    assert store.contents == {}


async def test_a_store_can_be_out_of_order() -> None:
    """A store that was told to be unavailable says so to every call."""
    store = MemoryFileStore()
    store.unavailable = True
    with pytest.raises(StorageUnavailable):
        await store.check()
    with pytest.raises(StorageUnavailable):
        await anext(store.open(DIGEST))


def test_a_clock_stands_still(tmp_path: Path) -> None:
    """Time passes when the test says so."""
    clock = a_clock()
    context = a_context("x", tmp_path, now=clock)
    before = context.now()
    clock.advance(timedelta(days=1))
    assert (before, context.now()) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
