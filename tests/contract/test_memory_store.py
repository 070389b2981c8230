"""The store of the testing kit keeps the promises of file stores."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pypiserve.plugin import FileStore
from pypiserve.testing import MemoryFileStore
from pypiserve.testing.contracts.file_stores import FileStoreContract


class TestMemoryStore(FileStoreContract):
    @pytest.fixture
    def store(self) -> MemoryFileStore:
        return MemoryFileStore()

    @pytest.fixture
    def reopen(self, store: MemoryFileStore) -> Callable[[], FileStore]:
        return lambda: MemoryFileStore(store.contents)
