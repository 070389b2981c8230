"""
Extra fields of zip headers: those that change what a member is must say one thing only.

Spec: APPNOTE.TXT 6.3.10, sections 4.5.1, 4.5.3 and 4.6.9.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from pypiserve.core.archive_parts import broken, unsafe

__all__ = ["check_extra", "widened"]

_FIELD = struct.Struct("<2H")
_ZIP64 = 0x0001
_UNICODE_COMMENT = 0x6375
_UNICODE_PATH = 0x7075
_UNICODE_PREFIX_BYTES = 5  # a version and the CRC-32 of the plain text
_SATURATED = 0xFFFFFFFF
_SIZES = 2  # of a local header: unpacked and packed


def check_extra(extra: bytes, name: bytes) -> None:
    """
    Refuse extra fields that readers resolve differently.

    Args:
        extra: All extra fields of one header.
        name: The member's name as the same header has it.

    Raises:
        InvalidUpload: ``invalid-archive`` or ``unsafe-archive``.
    """
    seen: set[int] = set()
    for kind, content in _fields(extra):
        if kind in seen:
            raise unsafe("a member has the same extra field twice")
        if kind == _UNICODE_COMMENT and len(content) < _UNICODE_PREFIX_BYTES:
            raise broken("zip", "the extra fields of a member are malformed")
        if kind == _UNICODE_PATH and content[_UNICODE_PREFIX_BYTES:] != name:
            raise unsafe("a member has a second, different name in an extra field")
        seen.add(kind)


def widened(extra: bytes, narrow: Sequence[int]) -> list[int]:
    """
    Take the 64 bit forms of those numbers of a header that 32 bits cannot hold.

    The ZIP64 extra field has these and no others: readers differ on which numbers they take from one that is longer.

    Args:
        extra: All extra fields of the header.
        narrow: Size, packed size and, in the directory, offset.

    Raises:
        InvalidUpload: ``invalid-archive``.
    """
    content = next((content for kind, content in _fields(extra) if kind == _ZIP64), b"")
    if content == struct.pack(f"<{_SIZES}Q", *narrow[:_SIZES]) and len(narrow) == _SIZES:
        return list(narrow)  # said twice, and the same
    wide = list(narrow)
    saturated = [at for at, value in enumerate(narrow) if value == _SATURATED]
    if len(content) != 8 * len(saturated):
        raise broken("zip", "a member's 64 bit sizes are missing or malformed")
    for at, (value,) in zip(saturated, struct.iter_unpack("<Q", content), strict=True):
        wide[at] = value
    return wide


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + _FIELD.size <= len(extra):
        kind, length = _FIELD.unpack_from(extra, position)
        position += _FIELD.size
        if position + length > len(extra):
            raise broken("zip", "the extra fields of a member are malformed")
        yield kind, extra[position : position + length]
        position += length
    # Some tools pad with zeros, to align what follows.
    if any(extra[position:]):
        raise broken("zip", "the extra fields of a member are malformed")
