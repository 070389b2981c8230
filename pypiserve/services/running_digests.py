"""
The digests of a file, computed while it comes in: SHA-256, MD5 and BLAKE2b-256.

MD5 and BLAKE2b take longer than everything else that is done with a byte. hashlib lets go of the interpreter's lock,
so with large pieces the three are computed side by side.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, wait

from pypiserve.core.digests import Sha256, as_sha256

__all__ = ["RunningDigests"]

_WORTH_A_THREAD_BYTES = 128 << 10


class RunningDigests:
    """
    The three digests of what was put in so far.

    Args:
        threads: Compute in these what takes longest, piece by piece; without them all is computed in the caller's.
    """

    def __init__(self, threads: Executor | None = None) -> None:
        self._threads = threads
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._blake2b = hashlib.blake2b(digest_size=32)

    @contextlib.contextmanager
    def taking(self, piece: bytes) -> Iterator[None]:
        """Take the next piece, while the block does something else with it; all is done when the block ends."""
        slow = (self._blake2b.update, self._md5.update)
        if self._threads is None or len(piece) < _WORTH_A_THREAD_BYTES:
            yield
            for update in (*slow, self._sha256.update):
                update(piece)
            return
        running = [self._threads.submit(update, piece) for update in slow]
        try:
            yield
            self._sha256.update(piece)
        finally:
            wait(running)

    @property
    def sha256(self) -> Sha256:
        """SHA-256."""
        return as_sha256(self._sha256.hexdigest())

    @property
    def md5(self) -> str:
        """MD5, 32 lowercase hex digits."""
        return self._md5.hexdigest()

    @property
    def blake2b_256(self) -> str:
        """BLAKE2b with a digest of 32 bytes, 64 lowercase hex digits."""
        return self._blake2b.hexdigest()
