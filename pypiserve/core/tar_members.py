"""
A reader of tar streams that nobody needs to trust.

It knows the header forms that are found in sdists (v7, ustar, GNU long names, pax), holds one header at a time and
bounds all of them. ``tarfile`` would read an extended header of any size into memory.

Spec: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pypiserve.core.archive_parts import ArchiveLimits, broken, check_member_name, shown, too_large, unsafe
from pypiserve.core.gzip_stream import GzipStream

__all__ = ["TarMember", "tar_members"]

_BLOCK_BYTES = 512
_MAX_EXTENDED_BYTES = 1024 * 1024
_MAX_SIZE_DIGITS = 20
_END = bytes(_BLOCK_BYTES)
_FILES = frozenset({b"0", b"\0", b"7"})
_WITHOUT_CONTENT = frozenset({b"1", b"2", b"5"})
_OCTAL = re.compile(rb"[ ]*([0-7]*)[ \0]*\Z")
_PAX_RECORD = re.compile(rb"([0-9]{1,7}) ([^=\n]+)=")


class TarMember(NamedTuple):
    """One member; the size is in bytes."""

    name: str
    is_file: bool
    size_bytes: int


class _Header(NamedTuple):
    name: bytes
    kind: bytes
    size_bytes: int


def tar_members(stream: GzipStream, *, limits: ArchiveLimits) -> Iterator[TarMember]:
    """
    Yield the members in order.

    After a member is yielded, the stream is at its first byte; a caller that takes from it must not come back.

    Args:
        stream: The tar archive from its first byte.
        limits: Bounds the number of headers.

    Raises:
        InvalidUpload: ``invalid-archive``, ``archive-too-large`` or ``unsafe-archive``.
        OSError: The file behind the stream cannot be read.
    """
    overrides: dict[bytes, bytes] = {}
    for _ in range(limits.max_members):
        block = stream.take(_BLOCK_BYTES)
        if block in {b"", _END}:
            return
        header = _parse_header(block)
        if header.kind in {b"x", b"g", b"L", b"K"}:
            overrides |= _read_extended(stream, header)
            continue
        member = _member(header, overrides)
        overrides = {}
        yield member
        _skip(stream, member.size_bytes)
    raise too_large(f"it has more than {limits.max_members} members before PKG-INFO")


def _parse_header(block: bytes) -> _Header:
    if len(block) < _BLOCK_BYTES:
        raise broken(".tar.gz", "its tar archive is cut off")
    checksum = sum(block[:148]) + sum(block[156:]) + 8 * ord(" ")
    if _number(block[148:156]) != checksum:
        raise broken(".tar.gz", "a tar header has a wrong checksum, or it holds no tar archive")
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0]
    if prefix and block[257:263] == b"ustar\0":
        name = prefix + b"/" + name
    return _Header(name, block[156:157], _number(block[124:136]))


def _number(field: bytes) -> int:
    if field[0] == 0x80:  # noqa: PLR2004 - marks a binary number, for sizes from 8 GiB
        return int.from_bytes(field[1:], "big")
    octal = _OCTAL.match(field)
    if octal is None:
        raise broken(".tar.gz", "a number in a tar header is malformed")
    return int(octal[1] or b"0", 8)


def _read_extended(stream: GzipStream, header: _Header) -> dict[bytes, bytes]:
    """Read a header that describes the member after it: a long name of GNU tar, or records of pax."""
    if header.size_bytes > _MAX_EXTENDED_BYTES:
        raise too_large(f"a tar header has more than {_MAX_EXTENDED_BYTES} bytes")
    content = stream.take(header.size_bytes)
    if not stream.skip(-header.size_bytes % _BLOCK_BYTES) or len(content) < header.size_bytes:
        raise broken(".tar.gz", "its tar archive is cut off")
    if header.kind == b"L":
        return {b"path": content.partition(b"\0")[0]}
    if header.kind == b"K":
        return {}
    records = _pax_records(content)
    # Global records hold for all members to come; the one that git writes, a comment, changes none of them.
    if records and header.kind == b"g":
        raise unsafe("a global tar header renames or resizes all members")
    return records


def _pax_records(content: bytes) -> dict[bytes, bytes]:
    """Return the records that matter here; keeping all of them would let headers pile up in memory."""
    records: dict[bytes, bytes] = {}
    position = 0
    while position < len(content):
        start = _PAX_RECORD.match(content, position)
        end = position + int(start[1]) if start is not None else 0
        if start is None or end <= start.end() or content[end - 1 : end] != b"\n":
            raise broken(".tar.gz", "an extended tar header is malformed")
        if start[2].startswith(b"GNU.sparse."):
            raise unsafe("it has a sparse file")
        if start[2] in {b"path", b"size"}:
            records[start[2]] = content[start.end() : end - 1]
        position = end
    return records


def _member(header: _Header, overrides: dict[bytes, bytes]) -> TarMember:
    name = _decoded(overrides.get(b"path") or header.name)
    size_bytes = header.size_bytes
    if stated := overrides.get(b"size"):
        if not (stated.isdigit() and len(stated) <= _MAX_SIZE_DIGITS):
            raise broken(".tar.gz", "a size in an extended tar header is malformed")
        size_bytes = int(stated)
    check_member_name(name)
    is_file = header.kind in _FILES and not name.endswith("/")
    if not is_file:
        _check_without_content(header, name, size_bytes)
    return TarMember(name.removesuffix("/"), is_file, size_bytes)


def _check_without_content(header: _Header, name: str, size_bytes: int) -> None:
    if header.kind not in _FILES | _WITHOUT_CONTENT:
        raise unsafe(f"the member {shown(name)} is neither a file nor a directory nor a link")
    # Readers differ on whether such content is passed over, and so on where the next header is.
    if size_bytes:
        raise unsafe(f"the member {shown(name)} is a directory or a link, and yet it has content")


def _decoded(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise unsafe("it has a member whose name is not UTF-8") from error


def _skip(stream: GzipStream, size_bytes: int) -> None:
    if not stream.skip(size_bytes + -size_bytes % _BLOCK_BYTES):
        raise broken(".tar.gz", "its tar archive is cut off")
