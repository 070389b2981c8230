"""
A reader of zip files that nobody needs to trust.

It reads the central directory and single members, within limits, and is stricter than ``zipfile``: nothing may
stand before the first member or behind the end record, and whatever the headers say twice must agree. Wheels that
installers read in different ways are thereby refused. Its cost does not depend on the size of the members.

Spec: APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.
"""

from __future__ import annotations

import stat
import struct
import unicodedata
import zlib
from typing import BinaryIO

from pypiserve.core.archive_parts import ArchiveLimits, broken, check_member_name, shown, too_large, unsafe
from pypiserve.core.zip_end import find_directory, read_at
from pypiserve.core.zip_extra import check_extra, widened
from pypiserve.core.zip_local import check_local_header
from pypiserve.core.zip_member import DEFLATED, STORED, ZipMember, check_version

__all__ = ["ZipMember", "read_member", "read_members"]

_ENCRYPTED_OR_PATCHED = 1 << 0 | 1 << 5 | 1 << 6 | 1 << 13

_UTF_8 = 1 << 11
_FILE_TYPES = frozenset({0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK})
_MAX_PATH_BYTES = 1024
_MAX_SEGMENT_BYTES = 255

_CENTRAL = struct.Struct("<4s6H3L5H2L")


def read_members(file: BinaryIO, *, limits: ArchiveLimits) -> list[ZipMember]:
    """
    Read the central directory.

    Args:
        file: The whole file, seekable; its position is moved.
        limits: Bounds on the number of members and on the size of the directory.

    Raises:
        InvalidUpload: ``invalid-archive``, ``archive-too-large`` or ``unsafe-archive``.
        OSError: The file cannot be read.
    """
    directory = find_directory(file)
    if directory.member_count > limits.max_members:
        raise too_large(f"it has more than {limits.max_members} members")
    if directory.size_bytes > limits.max_directory_bytes:
        raise too_large(f"its list of members has more than {limits.max_directory_bytes} bytes")
    if read_at(file, 0, 4) != b"PK\x03\x04":
        raise broken("zip", "it does not begin with a member")
    content = read_at(file, directory.offset, directory.size_bytes)
    members: dict[str, ZipMember] = {}
    position = 0
    for _ in range(directory.member_count):
        member, position = _central_entry(content, position, data_end=directory.offset)
        if member.name in members:
            raise unsafe(f"it has two members called {shown(member.name)}")
        members[member.name] = member
    if position != len(content):
        raise broken("zip", "its list of members is longer than its end record says")
    return list(members.values())


def read_member(file: BinaryIO, member: ZipMember, *, max_bytes: int) -> bytes:
    """
    Inflate one member and verify its checksum.

    Args:
        file: The file that the member was read from.
        member: An entry of its central directory.
        max_bytes: Refuse members that are larger.

    Raises:
        InvalidUpload: ``invalid-archive``, ``archive-too-large`` or ``unsafe-archive``.
        OSError: The file cannot be read.
    """
    # Deflate needs 5 bytes for each 16 KiB or more that it cannot shrink; twice the limit is plenty.
    if member.size_bytes > max_bytes or member.packed_bytes > 2 * max_bytes:
        raise too_large(f"{shown(member.name)} has more than {max_bytes} bytes")
    if member.is_link:
        raise unsafe(f"{shown(member.name)} is a symbolic link")
    start = check_local_header(file, member)
    if start + member.packed_bytes > member.data_end:
        raise broken("zip", f"{shown(member.name)} is cut off")
    packed = read_at(file, start, member.packed_bytes)
    content = packed if member.method == STORED else _inflate(packed, member)
    if len(content) != member.size_bytes or zlib.crc32(content) != member.crc32:
        raise broken("zip", f"{shown(member.name)} has another size or checksum than its header says")
    return content


def _central_entry(content: bytes, position: int, *, data_end: int) -> tuple[ZipMember, int]:
    variable = position + _CENTRAL.size
    if variable > len(content):
        raise broken("zip", "its list of members is cut off")
    fields = _CENTRAL.unpack_from(content, position)
    signature, _, version, flags, method, _, _, crc32, packed_bytes, size_bytes = fields[:10]
    name_bytes, extra_bytes, comment_bytes, disk, _, attributes, offset = fields[10:]
    after = variable + name_bytes + extra_bytes + comment_bytes
    if signature != b"PK\x01\x02" or after > len(content):
        raise broken("zip", "its list of members is malformed")
    name = _decoded(content[variable : variable + name_bytes], flags)
    check_version(version)
    _check_readable(name, flags=flags, method=method, disk=disk)
    extra = content[variable + name_bytes : after - comment_bytes]
    check_extra(extra, name.encode())
    size_bytes, packed_bytes, offset = widened(extra, (size_bytes, packed_bytes, offset))
    is_link = stat.S_ISLNK(attributes >> 16)
    if stat.S_IFMT(attributes >> 16) not in _FILE_TYPES:
        raise unsafe(f"the member {shown(name)} is a device, a pipe or a socket")
    sums = (crc32, packed_bytes, size_bytes)
    member = ZipMember(name, flags, method, *sums, offset, data_end, is_link, has_comment=comment_bytes > 0)
    if member.is_directory and size_bytes:
        raise unsafe(f"the member {shown(name)} is a directory, and yet it has content")
    return member, after


def _decoded(name: bytes, flags: int) -> str:
    # Without the flag some readers take the bytes for code page 437, and others refuse the archive.
    if not flags & _UTF_8 and not name.isascii():
        raise unsafe("it has a member whose name is not ASCII, and is not said to be UTF-8")
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise unsafe("it has a member whose name is not UTF-8") from error


def _check_length(name: str) -> None:
    """No file system takes longer names; and what looks at each folder of a path would be busy for hours."""
    raw = name.encode()
    if len(raw) > _MAX_PATH_BYTES or max(map(len, raw.split(b"/"))) > _MAX_SEGMENT_BYTES:
        raise unsafe(f"the path {shown(name)} is too long to be unpacked")


def _check_readable(name: str, *, flags: int, method: int, disk: int) -> None:
    check_member_name(name)
    _check_length(name)
    if not name.isprintable() and any(unicodedata.category(letter).startswith("C") for letter in name):
        raise unsafe(f"the member {shown(name)} has an invisible or unassigned character in its name")
    if flags & _ENCRYPTED_OR_PATCHED:
        raise unsafe(f"the member {shown(name)} is encrypted or patched")
    if method not in {STORED, DEFLATED}:
        raise unsafe(f"the member {shown(name)} is neither stored nor deflated")
    if disk:
        raise broken("zip", "it is one part of several")


def _inflate(packed: bytes, member: ZipMember) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(packed, member.size_bytes + 1)
    except zlib.error as error:
        raise broken("zip", f"{shown(member.name)} cannot be inflated") from error
    if not inflater.eof or inflater.unused_data:
        raise broken("zip", f"{shown(member.name)} has another size than its header says")
    return content
