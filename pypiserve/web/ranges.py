"""
Range requests and validators.

Spec: RFC 9110 sections 8.8.3, 13.1 and 14.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

__all__ = ["ByteRange", "Unsatisfiable", "etag_matches", "if_range_matches", "parse_range"]

# Long enough for every number that a file can need, short enough for int() to stay cheap.
_MAX_RANGE_CHARACTERS = 128
_MAX_CONDITION_CHARACTERS = 4096
_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)", re.IGNORECASE)
_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


class Unsatisfiable(Exception):
    """
    The range lies outside the file: status 416.

    Attributes:
        size: Size of the file in bytes.
        content_range: The ``Content-Range`` header of the answer.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"the range lies outside the file of {size} bytes")
        self.size = size
        self.content_range = f"bytes */{size}"


@dataclass(frozen=True)
class ByteRange:
    """
    A part of a file; never empty.

    Attributes:
        start: Offset of the first byte.
        stop: Offset after the last byte.
    """

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Number of bytes."""
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """Return the ``Content-Range`` header for this part of a file of ``size`` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """
    Read a ``Range`` header.

    The span of the whole file is a range like others: uv takes a 200 for "ranges not supported" and downloads the
    file once more. Several ranges, other units and malformed values are ignored, as the standard allows, and so
    is ``bytes=-n`` of an empty file, which ``Content-Range`` cannot express.

    Args:
        header: The header's value as sent.
        size: Size of the file in bytes.

    Returns:
        The part to send with 206, cut to the file's end; ``None`` to send the whole file with 200.

    Raises:
        Unsatisfiable: The range begins behind the file's end, or asks for its last 0 bytes.
    """
    if header is None or len(header) > _MAX_RANGE_CHARACTERS:
        return None
    match = _RANGE.fullmatch(header.strip(" \t"))
    if match is None:
        return None
    first, last = match.groups()
    if first:
        return _from_first(int(first), int(last) if last else None, size)
    return _from_end(int(last), size) if last else None


def _from_first(first: int, last: int | None, size: int) -> ByteRange | None:
    if last is not None and last < first:
        return None
    if first >= size:
        raise Unsatisfiable(size)
    return ByteRange(first, size if last is None else min(last + 1, size))


def _from_end(length: int, size: int) -> ByteRange | None:
    if length == 0:
        raise Unsatisfiable(size)
    return ByteRange(max(size - length, 0), size) if size else None


def if_range_matches(header: str | None, etag: str, last_modified: datetime) -> bool:
    """
    Tell whether a range may be served, so that parts of two different files are never joined.

    Args:
        header: The value of ``If-Range`` as sent; a missing one always matches.
        etag: The file's entity tag with its quotes; a weak one never matches.
        last_modified: Aware; what ``Last-Modified`` says, to the second. A date matches only letter by letter.
    """
    if header is None:
        return True
    condition = header.strip(" \t")
    if condition.startswith(('"', "W/")):
        return condition == etag and not etag.startswith("W/")
    return condition == format_datetime(last_modified.astimezone(UTC), usegmt=True)


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """
    Tell whether the client has this representation already: status 304.

    Args:
        if_none_match: The value of ``If-None-Match`` as sent: ``*`` or a list; only its first 4 KiB count.
        etag: The current entity tag with its quotes. The comparison is weak, since proxies that compress weaken tags.
    """
    if if_none_match is None:
        return False
    if if_none_match.strip(" \t") == "*":
        return True
    known = _ENTITY_TAG.findall(if_none_match[:_MAX_CONDITION_CHARACTERS])
    return etag.removeprefix("W/") in known
