"""The disk store keeps the promises of file stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from pypiserve.builtin.disk import DiskSettings, pypiserve_file_stores
from pypiserve.plugin import FileStore
from pypiserve.testing import a_context
from pypiserve.testing.contracts.file_stores import FileStoreContract


class TestDiskStore(FileStoreContract):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[], FileStore]:
        (kind,) = pypiserve_file_stores()
        return lambda: kind.build(DiskSettings(), a_context("disk", tmp_path))

    @pytest.fixture
    async def store(self, reopen: Callable[[], FileStore]) -> AsyncIterator[FileStore]:
        store = reopen()
        yield store
        await store.close()
