"""
What stands before and behind the bytes of a member: it must say the same as the directory.

Spec: APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.9 and 4.4.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from pypiserve.core.archive_parts import broken, shown, unsafe
from pypiserve.core.zip_end import read_at
from pypiserve.core.zip_extra import check_extra, widened
from pypiserve.core.zip_member import DATA_DESCRIPTOR, ZipMember, check_version

__all__ = ["check_descriptor", "check_local_header"]

_SATURATED = 0xFFFFFFFF
_LOCAL = struct.Struct("<4s5H3L2H")
_SIGNATURE = b"PK\x03\x04"
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"


def check_local_header(file: BinaryIO, member: ZipMember) -> int:
    """
    Compare the header before a member with its entry in the directory, and return where its bytes start.

    Raises:
        InvalidUpload: ``invalid-archive`` or ``unsafe-archive``.
        OSError: The file cannot be read.
    """
    variable = member.header_offset + _LOCAL.size
    if variable > member.data_end:
        raise broken("zip", f"{shown(member.name)} is not where the list of members says")
    fields = _LOCAL.unpack(read_at(file, member.header_offset, _LOCAL.size))
    signature, version, flags, method, _, _, crc32, packed_bytes, size_bytes, name_bytes, extra_bytes = fields
    if signature != _SIGNATURE:
        raise broken("zip", f"{shown(member.name)} is not where the list of members says")
    check_version(version)
    start = variable + name_bytes + extra_bytes
    if start > member.data_end:
        raise broken("zip", f"{shown(member.name)} is cut off")
    rest = read_at(file, variable, name_bytes + extra_bytes)
    name, extra = rest[:name_bytes], rest[name_bytes:]
    check_extra(extra, name)
    size_bytes, packed_bytes = widened(extra, (size_bytes, packed_bytes))
    sums = (crc32, packed_bytes, size_bytes)
    if (flags, method, name) != (member.flags, member.method, member.name.encode()) or not _agree(member, sums):
        raise unsafe(f"two headers of the member {shown(member.name)} contradict each other")
    return int(start)


def check_descriptor(file: BinaryIO, member: ZipMember, *, start: int, end: int) -> None:
    """
    Check that what stands behind a member, before the next, is its data descriptor and nothing else.

    Args:
        file: The archive.
        member: One that says that it has a descriptor.
        start: Where its bytes end.
        end: Where the next member or the directory begins.

    Raises:
        InvalidUpload: ``unsafe-archive``.
        OSError: The file cannot be read.
    """
    crc32, packed_bytes, size_bytes = member.crc32, member.packed_bytes, member.size_bytes
    forms = [struct.pack("<L2Q", crc32, packed_bytes, size_bytes)]
    if max(packed_bytes, size_bytes) < _SATURATED:
        forms.append(struct.pack("<3L", crc32, packed_bytes, size_bytes))
    forms += [_DESCRIPTOR_SIGNATURE + form for form in forms]
    length = end - start
    if length not in {len(form) for form in forms} or read_at(file, start, length) not in forms:
        raise unsafe(f"something else than its sums stands behind the member {shown(member.name)}")


def _agree(member: ZipMember, sums: tuple[int, int, int]) -> bool:
    # Writers that cannot seek leave zeros here and write the sums behind the member.
    if member.flags & DATA_DESCRIPTOR and not any(sums):
        return True
    return sums == (member.crc32, member.packed_bytes, member.size_bytes)
