"""
The doorbell: eight bytes of shared memory that say "look at the journal".

Every process that commits rings it, every process that keeps pages looks at it before it answers. A look is a read
of memory; what changed stands in the journal and nowhere else.
"""

from __future__ import annotations

import mmap
import os
import secrets
from pathlib import Path

__all__ = ["Doorbell"]

_SIZE_BYTES = 8


class Doorbell:
    """One mapping of the doorbell file; made when missing, closed by its owner."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < _SIZE_BYTES:
                # Written, not only made long: a store into a hole of a full disk would kill the process.
                os.pwrite(descriptor, bytes(_SIZE_BYTES), 0)
            self._memory = mmap.mmap(descriptor, _SIZE_BYTES)
        finally:
            os.close(descriptor)
        # One aligned 64-bit word: a store and a load of it are whole.
        self._word = memoryview(self._memory).cast("Q")

    def look(self) -> int:
        """Return what was rung last; any change means that the journal grew."""
        return self._word[0]

    def ring(self) -> None:
        """Tell that the journal has grown."""
        # Random, so that every ring is a change. A serial could be there already: after a backup of the database was
        # restored beside this file, serials come a second time.
        self._word[0] = secrets.randbits(64)

    def close(self) -> None:
        """Release the mapping."""
        self._word.release()
        self._memory.close()
