"""Writes zip archives and wheels byte by byte, so that any field of any header can lie."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["DIST_INFO", "FILENAME", "METADATA", "WHEEL", "Entry", "archive", "descriptor", "record", "wheel", "zip64"]

FILENAME = "demo-1.0-py3-none-any.whl"
DIST_INFO = "demo-1.0.dist-info"
METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True)
class Entry:
    """
    One member.

    Attributes:
        name: Its path.
        content: Its bytes, unpacked.
        method: 8 deflates, 0 stores.
        packed: Its bytes as they stand in the archive, instead of those that follow.
        local: Values that the header before it has, instead of the true ones.
        central: Values that the directory has, instead of the true ones.
        behind: Bytes behind it.
        is_listed: Whether the directory has it.
        is_recorded: Whether RECORD has it.
    """

    name: str
    content: bytes = b""
    method: int = 8
    packed: bytes | None = None
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    central: Mapping[str, int | bytes] = field(default_factory=dict)
    behind: bytes = b""
    is_listed: bool = True
    is_recorded: bool = True

    def values(self) -> dict[str, int | bytes]:
        """Return what both headers say when nobody lies."""
        return {
            "signature": b"PK\x03\x04",
            "name": self.name.encode(),
            "flags": 0x800,
            "method": self.method,
            "crc32": zlib.crc32(self.content),
            "packed_bytes": len(self.data()),
            "size_bytes": len(self.content),
            "extra": b"",
            "comment": b"",
            "disk": 0,
            "attributes": 0o100644 << 16,
        }

    def data(self) -> bytes:
        """Return its packed bytes."""
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.content
        packer = zlib.compressobj(9, wbits=-15)
        return packer.compress(self.content) + packer.flush()


def archive(
    *entries: Entry,
    before: bytes = b"",
    before_directory: bytes = b"",
    before_end: bytes = b"",
    behind: bytes = b"",
    end: Mapping[str, int] | None = None,
    shift: int = 0,
) -> bytes:
    """Write an archive; ``end`` holds lies of the end record, and ``shift`` is added to all offsets."""
    body, listed = bytearray(before), []
    for entry in entries:
        listed.append((entry, len(body) + shift))
        body += _local(entry) + entry.data() + entry.behind
    body += before_directory
    directory = b"".join(_central(entry, offset) for entry, offset in listed if entry.is_listed)
    count = sum(entry.is_listed for entry, _ in listed)
    true = {"disk": 0, "first_disk": 0, "here": count, "count": count, "comment_bytes": 0}
    stated = true | {"size_bytes": len(directory), "offset": len(body) + shift} | dict(end or {})
    names = ("disk", "first_disk", "here", "count", "size_bytes", "offset", "comment_bytes")
    return bytes(body) + directory + before_end + _END.pack(b"PK\x05\x06", *(stated[name] for name in names)) + behind


def wheel(
    *entries: Entry,
    metadata: bytes | None = METADATA,
    wheel_file: bytes | None = WHEEL,
    listed: bytes | None = None,
    without_record: bool = False,
    top: str = DIST_INFO,
    first: Sequence[Entry] = (),
    **lies: object,
) -> bytes:
    """Write a wheel with a module, the usual files and further entries, and a RECORD that is right unless given."""
    all_entries = [*first, Entry("demo/__init__.py", b"__version__ = '1.0'\n"), *entries]
    if metadata is not None:
        all_entries.append(Entry(f"{top}/METADATA", metadata))
    if wheel_file is not None:
        all_entries.append(Entry(f"{top}/WHEEL", wheel_file))
    if not without_record:
        content = record(*all_entries, top=top) if listed is None else listed
        all_entries.append(Entry(f"{top}/RECORD", content))
    return archive(*all_entries, **lies)  # type: ignore[arg-type] # passed on as they are


def record(*entries: Entry, top: str = DIST_INFO, algorithm: str = "sha256", more: str = "") -> bytes:
    """Write a RECORD of entries, with itself at the end."""
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    for entry in entries:
        if entry.is_recorded and not entry.name.endswith("/"):
            digest = base64.urlsafe_b64encode(hashlib.new(algorithm, entry.content).digest()).rstrip(b"=").decode()
            rows.writerow([entry.name, f"{algorithm}={digest}", len(entry.content)])
    rows.writerow([f"{top}/RECORD", "", ""])
    return (buffer.getvalue() + more).encode()


def zip64(*values: int) -> bytes:
    """Write a ZIP64 extra field."""
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)


def descriptor(entry: Entry, *, signature: bytes = b"PK\x07\x08", **lies: int) -> bytes:
    """Write the data descriptor of an entry."""
    true = {"crc32": zlib.crc32(entry.content), "packed_bytes": len(entry.data()), "size_bytes": len(entry.content)}
    return signature + struct.pack("<3L", *(true | lies).values())


def _local(entry: Entry) -> bytes:
    said = entry.values() | dict(entry.local)
    name, extra = said["name"], said["extra"]
    assert isinstance(name, bytes)
    assert isinstance(extra, bytes)
    sums = (said["crc32"], said["packed_bytes"], said["size_bytes"])
    head = (said["signature"], 20, said["flags"], said["method"], 0, 0x21, *sums, len(name), len(extra))
    return _LOCAL.pack(*head) + name + extra


def _central(entry: Entry, offset: int) -> bytes:
    said = entry.values() | {"signature": b"PK\x01\x02", "offset": offset} | dict(entry.central)
    name, extra, comment = said["name"], said["extra"], said["comment"]
    assert isinstance(name, bytes)
    assert isinstance(extra, bytes)
    assert isinstance(comment, bytes)
    sums = (said["crc32"], said["packed_bytes"], said["size_bytes"])
    lengths = (len(name), len(extra), len(comment))
    head = (said["signature"], 0x314, 20, said["flags"], said["method"], 0, 0x21, *sums, *lengths)
    tail = (said["disk"], 0, said["attributes"], said["offset"])
    return _CENTRAL.pack(*head, *tail) + name + extra + comment
