"""
A gzip stream that is inflated in small steps, and only as far as somebody asks for it.

Spec: RFC 1952. One stream, and nothing but zeros behind it: uv reads the first of several streams and Python all of
them, so that an sdist made of several is not the same for both.
"""

from __future__ import annotations

import zlib
from typing import BinaryIO

from pypiserve.core.archive_parts import ArchiveLimits, broken, too_large, unsafe

__all__ = ["GzipStream"]

_STEP_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"


class GzipStream:
    """
    The inflated bytes of a gzip file, in order; ``position`` counts those that were taken or skipped.

    Memory stays at a few steps of 64 KiB; ``limits`` bounds how much is inflated in all and for each compressed byte.
    Checksum and size at the end of the stream are verified by whoever reads up to there.

    Args:
        file: The compressed file, at its first byte.
        limits: The bounds.
    """

    def __init__(self, file: BinaryIO, *, limits: ArchiveLimits) -> None:
        self._file = file
        self._limits = limits
        self._inflater = zlib.decompressobj(_GZIP)
        self._pending = bytearray()
        self._consumed_bytes = 0
        self._produced_bytes = 0

    @property
    def position(self) -> int:
        """How many bytes were taken or skipped."""
        return self._produced_bytes - len(self._pending)

    def take(self, size_bytes: int) -> bytes:
        """
        Return the next bytes, fewer only at the end of the stream.

        Args:
            size_bytes: How many; the caller bounds it, since they are held in memory.

        Raises:
            InvalidUpload: ``invalid-archive``, ``unsafe-archive`` or ``archive-too-large``.
            OSError: The file cannot be read.
        """
        while len(self._pending) < size_bytes and self._fill():
            pass
        taken = bytes(self._pending[:size_bytes])
        del self._pending[:size_bytes]
        return taken

    def skip(self, size_bytes: int) -> bool:
        """Pass over that many bytes and tell whether there were as many; raises as ``take`` does."""
        left = size_bytes
        while left > len(self._pending):
            left -= len(self._pending)
            self._pending.clear()
            if not self._fill():
                return False
        del self._pending[:left]
        return True

    def skip_zeros(self) -> bool:
        """Read up to the end and tell whether nothing but zeros was left; raises as ``take`` does."""
        while True:
            if any(self._pending):
                return False
            self._pending.clear()
            if not self._fill():
                return True

    def _fill(self) -> bool:
        """Inflate one step more; ``False`` at the end of the stream, behind which the file may have zeros only."""
        if self._inflater.eof:
            self._check_rest()
            return False
        compressed = self._inflater.unconsumed_tail or self._file.read(_STEP_BYTES)
        if not compressed:
            raise broken(".tar.gz", "its gzip stream is cut off")
        self._inflate(compressed)
        return True

    def _inflate(self, compressed: bytes) -> None:
        try:
            inflated = self._inflater.decompress(compressed, _STEP_BYTES)
        except zlib.error as error:
            raise broken(".tar.gz", "its gzip stream is damaged, or it is not compressed with gzip") from error
        self._pending += inflated
        self._produced_bytes += len(inflated)
        # At the end of the stream zlib names the rest in both places.
        left = len(self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail)
        self._consumed_bytes += len(compressed) - left
        self._check_bounds()

    def _check_rest(self) -> None:
        rest = self._inflater.unused_data or self._file.read(_STEP_BYTES)
        while rest:
            if rest.startswith(_MAGIC):
                raise unsafe("it is made of several gzip streams, of which some readers see the first one only")
            if any(rest):
                raise unsafe("something stands behind the end of its gzip stream")
            rest = self._file.read(_STEP_BYTES)

    def _check_bounds(self) -> None:
        limits = self._limits
        if self._produced_bytes > limits.max_unpacked_bytes:
            raise too_large(f"it unpacks to more than {limits.max_unpacked_bytes} bytes")
        if self._produced_bytes > max(limits.free_unpacked_bytes, limits.max_ratio * self._consumed_bytes):
            raise too_large(f"its first {self._produced_bytes} bytes are packed into {self._consumed_bytes}")
