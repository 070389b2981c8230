"""
Headers of tar archives that nobody needs to trust.

Where two readers could understand a header in two ways (name fields of one form in a header of another, a size that
is given twice) it is refused rather than interpreted: the next header would be somewhere else for each of them.

Spec: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pypiserve.core.archive_parts import broken, too_large, unsafe

__all__ = ["BLOCK_BYTES", "TarHeader", "global_records", "long_text", "member_records", "parse_header"]

BLOCK_BYTES = 512
"""Size of a header, and what the contents of members are padded to."""

_USTAR, _GNU, _V7 = b"ustar\0", b"ustar  \0", bytes(8)
# Mode, user, group, time, and the numbers of a device.
_NUMBERS = (slice(100, 108), slice(108, 116), slice(116, 124), slice(136, 148), slice(329, 337), slice(337, 345))
# Begin numbers that are not octal: from zero up, and below zero.
_BINARY = frozenset({0x80, 0xFF})
_MAX_TEXT_BYTES = 4096
_MAX_SIZE_DIGITS = 20
_OCTAL = re.compile(rb"[ ]*([0-7]*)[ \0]*\Z")
_PAX_RECORD = re.compile(rb"([0-9]{1,7}) ([^=\n]+)=")
_VITAL = frozenset({b"path", b"linkpath", b"size", b"hdrcharset"})
_CHARSETS = frozenset({b"BINARY", b"ISO-IR 10646 2000 UTF-8"})


class TarHeader(NamedTuple):
    """One header as it stands there; the size is in bytes."""

    name: bytes
    kind: bytes
    size_bytes: int
    target: bytes


def parse_header(block: bytes) -> TarHeader:
    """
    Read a header.

    Args:
        block: 512 bytes, or fewer when the archive ends before.

    Raises:
        InvalidUpload: ``invalid-archive`` or ``unsafe-archive``.
    """
    if len(block) < BLOCK_BYTES:
        raise broken(".tar.gz", "its tar archive is cut off")
    checksum = sum(block[:148]) + sum(block[156:]) + 8 * ord(" ")
    if _number(block[148:156]) != checksum:
        raise broken(".tar.gz", "a tar header has a wrong checksum, or it holds no tar archive")
    for field in _NUMBERS:
        _check_number(block[field])
    return TarHeader(_name(block), block[156:157], _number(block[124:136]), _text(block[157:257]))


def _name(block: bytes) -> bytes:
    name, prefix, magic = _text(block[:100]), _text(block[345:500]), block[257:265]
    if magic not in {_GNU, _V7} and not magic.startswith(_USTAR):
        raise broken(".tar.gz", "a tar header is of no known form")
    if not prefix:
        return name
    if not magic.startswith(_USTAR):
        raise unsafe("a tar header has a name in two parts, which only another form of header may have")
    return prefix + b"/" + name


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _check_number(field: bytes) -> None:
    """Python's reader takes a header with any bad number for the end of the archive, and says nothing."""
    if field[0] not in _BINARY and _OCTAL.match(field) is None:
        raise broken(".tar.gz", "a number in a tar header is malformed")


def _number(field: bytes) -> int:
    if field[0] == 0x80:  # noqa: PLR2004 - marks a binary number, for sizes from 8 GiB
        return int.from_bytes(field[1:], "big")
    octal = _OCTAL.match(field)
    if octal is None:
        raise broken(".tar.gz", "a number in a tar header is malformed")
    return int(octal[1] or b"0", 8)


def long_text(content: bytes) -> bytes:
    """
    Read the name, or the target of a link, that GNU tar wrote as a member of its own.

    Raises:
        InvalidUpload: ``archive-too-large`` or ``unsafe-archive``.
    """
    text, _, rest = content.partition(b"\0")
    if any(rest):
        raise unsafe("a long name in a tar header goes on behind its end")
    return _bounded(text)


def member_records(content: bytes) -> dict[bytes, bytes]:
    """
    Read the records of a pax header that stands before one member: path, linkpath and size, if they are there.

    Raises:
        InvalidUpload: ``invalid-archive``, ``archive-too-large`` or ``unsafe-archive``.
    """
    records = _pax_records(content)
    if records.pop(b"hdrcharset", b"BINARY") not in _CHARSETS:
        raise unsafe("an extended tar header is not in UTF-8")
    size = records.get(b"size", b"0")
    if not (size.isdigit() and len(size) <= _MAX_SIZE_DIGITS):
        raise broken(".tar.gz", "a size in an extended tar header is malformed")
    return records


def global_records(content: bytes) -> None:
    """
    Check a pax header that holds for all members to come; the one that git writes, a comment, changes none of them.

    Raises:
        InvalidUpload: ``invalid-archive``, ``archive-too-large`` or ``unsafe-archive``.
    """
    if _pax_records(content):
        raise unsafe("a global tar header renames or resizes all members")


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
        if start[2] in records:
            raise unsafe("an extended tar header says something twice")
        if start[2] in _VITAL:
            records[start[2]] = _bounded(content[start.end() : end - 1])
        position = end
    return records


def _bounded(text: bytes) -> bytes:
    if len(text) > _MAX_TEXT_BYTES:
        raise too_large(f"a name or a link has more than {_MAX_TEXT_BYTES} bytes")
    return text
