"""
Whether a file that should be something else is a zip archive as well.

Zip readers look for the end record from the end of the file backwards and ignore what stands before the archive, so a
file can be an sdist for one reader and a wheel for another.

Spec: APPNOTE.TXT 6.3.10, sections 4.3.1, 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

__all__ = ["is_zip_too"]

_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE, _ENTRY_SIGNATURE, _LOCATOR_SIGNATURE = b"PK\x05\x06", b"PK\x01\x02", b"PK\x06\x07"
_LOCATOR_BYTES = 20
_MAX_COMMENT_BYTES = 0xFFFF


def is_zip_too(file: BinaryIO) -> bool:
    """
    Tell whether a zip reader could find an archive in the file.

    A signature alone is no trace: compressed bytes have one by chance in every hundred thousandth large file.

    Raises:
        OSError: The file cannot be read.
    """
    size_bytes = file.seek(0, 2)
    start = max(0, size_bytes - _END.size - _MAX_COMMENT_BYTES)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(_END_SIGNATURE)
    while at != -1:
        if at + _END.size <= len(tail) and _leads_to_a_directory(file, tail, at, start=start):
            return True
        at = tail.rfind(_END_SIGNATURE, 0, at)
    return False


def _leads_to_a_directory(file: BinaryIO, tail: bytes, at: int, *, start: int) -> bool:
    _, disk, first_disk, here, count, size_bytes, offset, _ = _END.unpack_from(tail, at)
    if not (disk or first_disk or here or count or size_bytes):
        return True  # an empty archive
    if tail[max(0, at - _LOCATOR_BYTES) : at].startswith(_LOCATOR_SIGNATURE):
        return True
    # Readers that allow for bytes before the archive count back from the end record.
    places = {offset, start + at - size_bytes}
    return any(place >= 0 and _has_entry(file, place) for place in places)


def _has_entry(file: BinaryIO, place: int) -> bool:
    file.seek(place)
    return file.read(len(_ENTRY_SIGNATURE)) == _ENTRY_SIGNATURE
