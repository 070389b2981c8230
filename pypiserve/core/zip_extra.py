"""
Extra fields of zip headers: those that change what a member is must say one thing only.

Spec: APPNOTE.TXT 6.3.10, sections 4.5.1, 4.5.3 and 4.6.9.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pypiserve.core.archive_parts import broken, unsafe

__all__ = ["check_extra", "zip64_values"]

_FIELD = struct.Struct("<2H")
_ZIP64 = 0x0001
_UNICODE_PATH = 0x7075
_UNICODE_PATH_PREFIX_BYTES = 5  # a version and the CRC-32 of the plain name


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
        if kind in {_ZIP64, _UNICODE_PATH} and kind in seen:
            raise unsafe("a member has the same extra field twice")
        if kind == _UNICODE_PATH and content[_UNICODE_PATH_PREFIX_BYTES:] != name:
            raise unsafe("a member has a second, different name in an extra field")
        seen.add(kind)


def zip64_values(extra: bytes) -> tuple[int, ...]:
    """
    Return the 64 bit numbers of the ZIP64 extra field in their order; none when there is no such field.

    Raises:
        InvalidUpload: ``invalid-archive``: the fields are malformed.
    """
    content = next((content for kind, content in _fields(extra) if kind == _ZIP64), b"")
    whole = len(content) // 8 * 8
    return tuple(value for (value,) in struct.iter_unpack("<Q", content[:whole]))


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
