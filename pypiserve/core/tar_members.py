"""
The members of a tar stream that nobody needs to trust, one at a time.

It knows the header forms that are found in sdists (v7, ustar, GNU long names, pax) and bounds all of them.
``tarfile`` would read an extended header of any size into memory, and stops without a word where headers end.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import NamedTuple

from pypiserve.core.archive_parts import ArchiveLimits, broken, shown, too_large, unsafe
from pypiserve.core.gzip_stream import GzipStream
from pypiserve.core.tar_headers import (
    BLOCK_BYTES,
    TarHeader,
    global_records,
    long_text,
    member_records,
    parse_header,
)

__all__ = ["TarKind", "TarMember", "tar_members"]

_MAX_EXTENDED_BYTES = 1024 * 1024
_END = bytes(BLOCK_BYTES)


class TarKind(enum.Enum):
    """What a member is; everything else has no place in an sdist."""

    FILE = "a file"
    DIRECTORY = "a directory"
    SYMBOLIC_LINK = "a symbolic link"
    HARD_LINK = "a hard link"


_KINDS = {
    b"0": TarKind.FILE,
    b"\0": TarKind.FILE,
    b"7": TarKind.FILE,
    b"1": TarKind.HARD_LINK,
    b"2": TarKind.SYMBOLIC_LINK,
    b"5": TarKind.DIRECTORY,
}


class TarMember(NamedTuple):
    """
    One member; nothing about its name and target is checked but that they are UTF-8.

    Attributes:
        name: Without the slash at the end of a directory's.
        kind: What it is.
        size_bytes: Of a file; 0 for the others.
        target: Where a link points, as written.
    """

    name: str
    kind: TarKind
    size_bytes: int
    target: str


class _Pending:
    """What the extended headers before a member say about it."""

    def __init__(self) -> None:
        self._records: dict[bytes, bytes] = {}
        self.is_empty = True

    def add(self, records: dict[bytes, bytes]) -> None:
        # Readers differ on which of two holds.
        if self._records.keys() & records.keys():
            raise unsafe("two headers before one member of its tar archive say the same in two ways")
        self._records |= records
        self.is_empty = False

    def describe(self, header: TarHeader) -> TarHeader:
        stated = int(self._records.get(b"size", header.size_bytes))
        # A reader that does not know such headers goes on reading at another place.
        if stated != header.size_bytes:
            raise unsafe("two headers of one member of its tar archive give different sizes")
        name = self._records.get(b"path", header.name)
        target = self._records.get(b"linkpath", header.target)
        return header._replace(name=name, target=target)


def tar_members(stream: GzipStream, *, limits: ArchiveLimits, end_required: bool = True) -> Iterator[TarMember]:
    """
    Yield the members in order, up to the end of the archive, behind which nothing may stand.

    After a member is yielded, the stream is at its first byte; who takes from it takes no more than the member has.

    Args:
        stream: The tar archive from its first byte.
        limits: Bounds the number of headers.
        end_required: Whether the end must be marked, by two blocks of zeros.

    Raises:
        InvalidUpload: ``invalid-archive``, ``archive-too-large`` or ``unsafe-archive``.
        OSError: The file behind the stream cannot be read.
    """
    pending, members = _Pending(), 0
    # Each may have up to three headers before it: a long name, a long target, and what else pax says.
    for _ in range(4 * limits.max_members):
        block = stream.take(BLOCK_BYTES)
        if block in {b"", _END}:
            _finish(stream, block, pending, end_required=end_required)
            return
        header = parse_header(block)
        if header.kind in {b"x", b"g", b"L", b"K"}:
            pending.add(_read_extended(stream, header))
            continue
        member = _member(pending.describe(header))
        pending, members = _Pending(), members + 1
        if members > limits.max_members:
            break
        end = stream.position + member.size_bytes + -member.size_bytes % BLOCK_BYTES
        yield member
        if not stream.skip(end - stream.position):
            raise broken(".tar.gz", "its tar archive is cut off")
    raise too_large(f"it has more than {limits.max_members} members")


def _finish(stream: GzipStream, block: bytes, pending: _Pending, *, end_required: bool) -> None:
    if not pending.is_empty:
        raise broken(".tar.gz", "its tar archive ends with a header of a member that does not come")
    if end_required and (not block or stream.take(BLOCK_BYTES) != _END):
        raise broken(".tar.gz", "the end of its tar archive is not marked; it may be cut off")
    if not stream.skip_zeros():
        raise unsafe("something stands behind the end of its tar archive")


def _read_extended(stream: GzipStream, header: TarHeader) -> dict[bytes, bytes]:
    """Read a header that describes the member after it: a long name of GNU tar, or records of pax."""
    if header.size_bytes > _MAX_EXTENDED_BYTES:
        raise too_large(f"a tar header has more than {_MAX_EXTENDED_BYTES} bytes")
    content = stream.take(header.size_bytes)
    padding = stream.take(-header.size_bytes % BLOCK_BYTES)
    if (len(content) + len(padding)) % BLOCK_BYTES or len(content) < header.size_bytes:
        raise broken(".tar.gz", "its tar archive is cut off")
    if any(padding):
        raise unsafe("a long name in a tar header goes on behind its end")
    if header.kind == b"g":
        global_records(content)
        return {}
    if header.kind == b"x":
        return member_records(content)
    return {b"path" if header.kind == b"L" else b"linkpath": long_text(content)}


def _member(header: TarHeader) -> TarMember:
    name = _decoded(header.name)
    kind = _KINDS.get(header.kind)
    if kind is None:
        raise unsafe(f"the member {shown(name)} is neither a file nor a directory nor a link")
    if kind is TarKind.FILE and name.endswith("/"):
        if header.kind != b"\0":
            raise unsafe(f"the member {shown(name)} is a file with the name of a directory")
        kind = TarKind.DIRECTORY  # as archives from before POSIX have them
    # Readers differ on whether such content is passed over, and so on where the next header is.
    if kind is not TarKind.FILE and header.size_bytes:
        raise unsafe(f"the member {shown(name)} is a directory or a link, and yet it has content")
    if kind is TarKind.DIRECTORY:
        name = name.removesuffix("/")
    return TarMember(name, kind, header.size_bytes, _decoded(header.target))


def _decoded(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise unsafe("it has a member whose name is not UTF-8") from error
