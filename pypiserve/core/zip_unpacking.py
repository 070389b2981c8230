"""
A whole zip archive, walked from its first byte to its directory.

Every byte belongs to one member, every member is inflated in small steps, and what comes out is exactly what both of
its headers promise. Readers that start at the front and readers that start at the end then see the same archive.

Spec: APPNOTE.TXT 6.3.10, section 4.3.6.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Protocol, cast

from pypiserve.core.archive_parts import ArchiveLimits, broken, shown, too_large, unsafe
from pypiserve.core.errors import InvalidUpload
from pypiserve.core.zip_local import check_descriptor, check_local_header
from pypiserve.core.zip_member import DATA_DESCRIPTOR, STORED, ZipMember

__all__ = ["Sink", "check_bounds", "unpack_all"]

_STEP_BYTES = 256 * 1024
_READ_BYTES = 1024 * 1024


class Sink(Protocol):
    """Takes the bytes of a member in order, as the hashes of ``hashlib`` do."""

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""
        ...


def check_bounds(members: Sequence[ZipMember], packed_bytes: int, *, limits: ArchiveLimits) -> None:
    """
    Refuse a bomb by what the directory says; no member is inflated beyond that.

    Args:
        members: All members.
        packed_bytes: Size of the archive.
        limits: The bounds.

    Raises:
        InvalidUpload: ``archive-too-large``.
    """
    unpacked = sum(member.size_bytes for member in members)
    if unpacked > limits.max_unpacked_bytes:
        raise too_large(f"it unpacks to more than {limits.max_unpacked_bytes} bytes")
    if unpacked > max(limits.free_unpacked_bytes, limits.max_ratio * packed_bytes):
        raise too_large(f"{unpacked} bytes are packed into {packed_bytes}")


def unpack_all(
    file: BinaryIO,
    members: Sequence[ZipMember],
    *,
    sink_for: Callable[[ZipMember], Sink | None],
    damaged: Callable[[ZipMember, InvalidUpload], None],
) -> None:
    """
    Check the framing of an archive and the bytes of all its members, in the order in which they stand.

    Args:
        file: The whole file, seekable; its position is moved.
        members: All entries of its directory.
        sink_for: Returns what takes the bytes of a member, or ``None`` when nobody needs them.
        damaged: Told of a member whose bytes are wrong; those after it are still looked at.

    Raises:
        InvalidUpload: ``invalid-archive`` or ``unsafe-archive``: the framing is wrong.
        OSError: The file cannot be read.
    """
    with _buffered(file) as source:
        for member, start in _placed(source, members):
            try:
                _unpack(source, member, start, sink_for(member))
            except InvalidUpload as error:
                damaged(member, error)


def _placed(file: BinaryIO, members: Sequence[ZipMember]) -> Iterator[tuple[ZipMember, int]]:
    """Yield the members as they stand, with the places of their bytes; each begins where the one before ends."""
    ordered = sorted(members, key=lambda member: member.header_offset)
    ends = [member.header_offset for member in ordered[1:]] + [member.data_end for member in ordered[-1:]]
    if ordered and ordered[0].header_offset:
        raise unsafe("something stands before its first member")
    for member, end in zip(ordered, ends, strict=True):
        start = check_local_header(file, member)
        packed_end = start + member.packed_bytes
        if packed_end > end:
            raise unsafe(f"the member {shown(member.name)} overlaps what stands behind it")
        if member.flags & DATA_DESCRIPTOR:
            check_descriptor(file, member, start=packed_end, end=end)
        elif packed_end != end:
            raise unsafe(f"something that is no member stands behind {shown(member.name)}")
        yield member, start


def _unpack(file: BinaryIO, member: ZipMember, start: int, sink: Sink | None) -> None:
    file.seek(start)
    chunks = _packed_chunks(file, member)
    crc32 = size_bytes = 0
    for chunk in chunks if member.method == STORED else _inflated(chunks, member):
        size_bytes += len(chunk)
        crc32 = zlib.crc32(chunk, crc32)
        if size_bytes > member.size_bytes:
            break
        if sink is not None:
            sink.update(chunk)
    if size_bytes != member.size_bytes or crc32 != member.crc32:
        raise broken("zip", f"{shown(member.name)} has another size or checksum than its header says")


def _packed_chunks(file: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    left = member.packed_bytes
    while left:
        chunk = file.read(min(left, _STEP_BYTES))
        if not chunk:
            raise broken("zip", "it is cut off")
        left -= len(chunk)
        yield chunk


def _left_by(inflater: zlib._Decompress) -> bytes:
    """Return what is still to be inflated: at its end an inflater may go on naming a tail that it never takes."""
    return b"" if inflater.eof else inflater.unconsumed_tail


def _inflated(chunks: Iterator[bytes], member: ZipMember) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for packed in chunks:
        if inflater.eof:
            raise broken("zip", f"{shown(member.name)} has bytes behind its end")
        pending = packed
        while pending:
            try:
                yield inflater.decompress(pending, 4 * _STEP_BYTES)
            except zlib.error as error:
                raise broken("zip", f"{shown(member.name)} cannot be inflated") from error
            pending = _left_by(inflater)
    if not inflater.eof:
        yield inflater.flush()
    if not inflater.eof or inflater.unused_data:
        raise broken("zip", f"{shown(member.name)} ends too early, or has bytes behind its end")


@contextmanager
def _buffered(file: BinaryIO) -> Iterator[BinaryIO]:
    """Thousands of small members would cost a system call or three each."""
    if not isinstance(file, io.RawIOBase):
        yield file
        return
    reader = io.BufferedReader(file, _READ_BYTES)
    try:
        yield cast("BinaryIO", reader)
    finally:
        reader.detach()
