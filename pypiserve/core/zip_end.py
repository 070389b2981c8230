"""
The end record of a zip file, in its narrow and its 64 bit form.

Spec: APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

from pypiserve.core.archive_parts import broken, unsafe

__all__ = ["Directory", "find_directory", "read_at"]

_SATURATED_16, _SATURATED_32 = 0xFFFF, 0xFFFFFFFF

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")


class Directory(NamedTuple):
    """Where the central directory is; it ends where the end records begin."""

    offset: int
    size_bytes: int
    member_count: int


def find_directory(file: BinaryIO) -> Directory:
    """
    Find the central directory by the end record, which must be the last bytes of the file.

    Raises:
        InvalidUpload: ``invalid-archive`` or ``unsafe-archive``.
        OSError: The file cannot be read.
    """
    end = file.seek(0, 2) - _END.size
    if end < 0:
        raise broken("zip", "it is too short")
    signature, disk, first_disk, here, count, size_bytes, offset, comment = _END.unpack(read_at(file, end, _END.size))
    if signature != b"PK\x05\x06" or comment:
        raise broken("zip", "it is cut off, or something stands behind its end, such as a comment")
    directory = Directory(offset, size_bytes, count)
    locator = end - _LOCATOR64.size
    if locator >= 0 and read_at(file, locator, 4) == b"PK\x06\x07":
        directory, end = _find_directory64(file, locator, directory, (disk, first_disk, here))
    elif disk or first_disk or here != count:
        raise broken("zip", "it is one part of several")
    if directory.offset + directory.size_bytes != end:
        raise broken("zip", "its end record points to the wrong place")
    return directory


def _find_directory64(
    file: BinaryIO, locator: int, narrow: Directory, disks_stated: tuple[int, int, int]
) -> tuple[Directory, int]:
    """Read the 64 bit end record before the locator; what the narrow end record can say must be the same."""
    disk_stated, first_stated, here_stated = disks_stated
    end = locator - _END64.size
    _, _, end_stated, disks = _LOCATOR64.unpack(read_at(file, locator, _LOCATOR64.size))
    if end < 0 or end_stated != end or disks != 1:
        raise broken("zip", "its 64 bit end record is not where it should be")
    fields = _END64.unpack(read_at(file, end, _END64.size))
    signature, record_bytes, _, _, disk, first_disk, here, count, size_bytes, offset = fields
    if signature != b"PK\x06\x06" or record_bytes != _END64.size - 12 or disk or first_disk or here != count:
        raise broken("zip", "its 64 bit end record is malformed")
    agree = (
        {disk_stated, first_stated} <= {0, _SATURATED_16}
        and here_stated in {count, _SATURATED_16}
        and narrow.offset in {offset, _SATURATED_32}
        and narrow.size_bytes in {size_bytes, _SATURATED_32}
        and narrow.member_count in {count, _SATURATED_16}
    )
    if not agree:
        raise unsafe("its two end records contradict each other")
    return Directory(offset, size_bytes, count), end


def read_at(file: BinaryIO, offset: int, size_bytes: int) -> bytes:
    """Read exactly that many bytes; sizes and offsets were checked against the file's size where they are large."""
    file.seek(offset)
    content = file.read(size_bytes)
    if len(content) != size_bytes:
        raise broken("zip", "it is cut off")
    return content
