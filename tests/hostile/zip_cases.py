"""Hostile and malformed zip archives under the names of wheels: headers that lie, bytes that nobody owns, bombs."""

from __future__ import annotations

import functools
import io
import struct
import tarfile
import zlib
from collections.abc import Callable

from hostile_case import HostileCase
from raw_zip import FILENAME, Entry, archive, descriptor, wheel, zip64

__all__ = ["BOMB_CASES", "FRAMING_CASES", "HEADER_CASES", "MEMBER_CASES", "described"]

_BROKEN, _UNSAFE, _LARGE, _OLD = "invalid-archive", "unsafe-archive", "archive-too-large", "nonstandard-archive"
_CONTENT = b"x = 1\n" * 50
_SATURATED = 0xFFFFFFFF
_DESCRIBED = 0x808


def _case(
    name: str, content: Callable[[], bytes], *codes: str, lenient: tuple[str, ...] | None = None
) -> HostileCase:
    return HostileCase(name, FILENAME, content, codes, lenient=lenient)


def _lies(name: str, code: str, **lies: object) -> HostileCase:
    return _case(name, functools.partial(wheel, **lies), code)  # type: ignore[arg-type] # passed on as they are


def _one(
    name: str,
    *codes: str,
    path: str = "demo/a.py",
    lenient: tuple[str, ...] | None = None,
    **values: object,
) -> HostileCase:
    entry = Entry(path, **({"content": _CONTENT} | values))  # type: ignore[arg-type] # passed on as they are
    return _case(name, functools.partial(wheel, entry), *codes, lenient=lenient)


def _local(name: str, /, *codes: str, **values: int | bytes) -> HostileCase:
    return _one(name, *codes, local=values)


def _central(name: str, /, *codes: str, **values: int | bytes) -> HostileCase:
    return _one(name, *codes, central=values)


def _cut(length: int) -> Callable[[], bytes]:
    return lambda: wheel()[:length]


def _with_central(**values: int | bytes) -> Callable[[], bytes]:
    return lambda: wheel(Entry("demo/a.py", _CONTENT, local=values, central=values))


def _tar_too() -> bytes:
    """Begin with a member whose header is, read as a tar header, one with a right checksum."""
    extra = bytearray(600)
    name = b"demo/" + b"a" * 30
    head = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0x800, 0, 0, 0x21, 0, 0, 0, len(name), len(extra)) + name
    info = tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT)
    block = bytearray((head + bytes(extra))[:512])
    block[100:148] = info[100:148]
    block[156:512] = info[156:512]
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    padded = bytes(block[len(head) :]) + bytes(600 - (512 - len(head)))
    # As one unknown extra field, so that the zip reader passes over it.
    padded = struct.pack("<2H", 0x7A7A, len(padded) - 4) + padded[4:]
    fixed = bytearray(head + padded)
    fixed[148:156] = b" " * 8
    fixed[148:156] = f"{sum(fixed[:512]):06o}\0 ".encode()
    entry = Entry(name.decode(), b"", 0, local={"extra": bytes(fixed[len(head) :])})
    return wheel(first=[entry])


def _entry_in_the_gap() -> bytes:
    hidden = archive(Entry("demo/hidden.py", b"evil\n"))
    return wheel(Entry("demo/a.py", _CONTENT, behind=hidden[: hidden.index(b"PK\x01\x02")]))


def _overlapping() -> bytes:
    """Two entries of the directory for one member of the file."""
    inner = Entry("demo/a.py", _CONTENT)
    return wheel(inner, Entry("demo/b.py", _CONTENT, packed=b"", central={"offset": 0}))


def _quoted() -> bytes:
    """A small file that unpacks to much: one member holds the header of the next as its content."""
    kernel = zlib.compress(bytes(1 << 20), 9)[2:-4]
    return wheel(Entry("demo/bomb", bytes(1 << 20), packed=kernel, local={"size_bytes": 1 << 10}))


def described(method: int = 8, *, signature: bytes = b"PK\x07\x08", missing: bool = False, **lies: int) -> bytes:
    """Write a wheel as one who cannot seek does: the sums of a member stand behind it."""
    plain = Entry("demo/a.py", _CONTENT, method)
    behind = b"" if missing else descriptor(plain, signature=signature, **lies)
    zeros = {"flags": _DESCRIBED, "crc32": 0, "packed_bytes": 0, "size_bytes": 0}
    return wheel(Entry("demo/a.py", _CONTENT, method, local=zeros, central={"flags": _DESCRIBED}, behind=behind))


def _commented(comment: bytes) -> bytes:
    return wheel(behind=comment, end={"comment_bytes": len(comment)})


def _end64(*, at: int = 0, signature: bytes = b"PK\x06\x06", record_bytes: int = 44, **lies: int) -> bytes:
    """Put a 64 bit end record and its locator before the end record, with lies in them."""
    plain = wheel()
    end = plain[-22:]
    _, _, _, here, count, size_bytes, offset, _ = struct.unpack("<4s4H2LH", end)
    true = {"here": here, "count": count, "size_bytes": size_bytes, "offset": offset} | lies
    place = len(plain) - 22
    record = struct.pack("<4sQ2H2L4Q", signature, record_bytes, 45, 45, 0, 0, *true.values())
    return plain[:-22] + record + struct.pack("<4sLQL", b"PK\x06\x07", 0, place + at, 1) + end


def _crowd(count: int) -> bytes:
    file = io.BytesIO()
    file.write(archive(*(Entry(f"d/{number}", b"", 0) for number in range(200)), end={"count": 200, "here": 200}))
    content = bytearray(file.getvalue())
    size_bytes, offset = struct.unpack_from("<2L", content, len(content) - 10)
    place = len(content) - 22
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size_bytes, offset)
    saturated = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, size_bytes, offset, 0)
    return bytes(content[:-22]) + record + struct.pack("<4sLQL", b"PK\x06\x07", 0, place, 1) + saturated


FRAMING_CASES = [
    _case("empty-archive", archive, _BROKEN),
    _case("not-a-zip", lambda: b"this is no archive at all, however long it may be", _BROKEN),
    _case("a-single-byte", lambda: b"P", _BROKEN),
    _case("cut-in-the-end-record", _cut(-1), _BROKEN),
    _case("cut-in-the-directory", _cut(-60), _BROKEN),
    _case("cut-in-a-member", _cut(60), _BROKEN),
    _lies("bytes-before-the-first-member", _BROKEN, before=b"#!/bin/sh\n"),
    _lies("stub-with-shifted-offsets", _BROKEN, before=b"MZ" + bytes(100)),
    _lies("zeros-before-the-first-member", _BROKEN, before=bytes(512)),
    _case("member-before-the-first-listed", lambda: wheel(first=[Entry("a.py", b"", is_listed=False)]), _UNSAFE),
    _lies("bytes-before-the-directory", _UNSAFE, before_directory=b"junk"),
    _lies("bytes-before-the-end-record", _BROKEN, before_end=b"junk"),
    _lies("bytes-behind-the-end", _BROKEN, behind=b"\n"),
    _lies("a-comment", _BROKEN, behind=b"hello", end={"comment_bytes": 5}),
    _lies("a-comment-that-is-announced-only", _BROKEN, end={"comment_bytes": 5}),
    _case("a-comment-that-is-a-zip", lambda: _commented(archive(Entry("demo/x.py", b"evil"))), _BROKEN),
    _lies("two-archives-in-a-row", _BROKEN, behind=wheel()),
    _lies("count-too-small", _BROKEN, end={"count": 2, "here": 2}),
    _lies("count-too-large", _BROKEN, end={"count": 9, "here": 9}),
    _lies("counts-that-differ", _BROKEN, end={"here": 3}),
    _lies("several-disks", _BROKEN, end={"disk": 1, "first_disk": 1}),
    _lies("directory-size-too-small", _BROKEN, end={"size_bytes": 10}),
    _lies("directory-size-too-large", _BROKEN, end={"size_bytes": 100_000}),
    _lies("directory-elsewhere", _BROKEN, end={"offset": 0}),
    _lies("all-offsets-shifted", _BROKEN, shift=4),
    _case("member-that-is-not-listed", lambda: wheel(Entry("a.py", _CONTENT, is_listed=False)), _UNSAFE),
    _case("member-that-is-listed-twice", lambda: wheel(Entry("a.py", _CONTENT), Entry("a.py", _CONTENT)), _UNSAFE),
    _case("two-contents-under-one-name", lambda: wheel(Entry("a.py", b"1"), Entry("a.py", b"2")), _UNSAFE),
    _case("member-hidden-between-others", _entry_in_the_gap, _UNSAFE),
    _case("one-member-listed-under-two-names", _overlapping, _UNSAFE),
    _one("bytes-behind-a-member", _UNSAFE, behind=b"junk"),
    _case("an-egg-of-tar", _tar_too, _UNSAFE),
    _lies("a-zip64-locator-without-record", _BROKEN, before_end=struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)),
    _case("a-zip64-record-of-another-size", lambda: _end64(record_bytes=45), _BROKEN),
    _case(
        "a-zip64-record-with-another-count",
        lambda: _end64(count=9),
        _BROKEN,
    ),
    _case("a-zip64-record-with-another-offset", lambda: _end64(offset=1), _UNSAFE),
    _case("a-zip64-locator-that-points-elsewhere", lambda: _end64(at=3), _BROKEN),
    _case("a-zip64-record-with-a-wrong-signature", lambda: _end64(signature=b"PK\x06\x08"), _BROKEN),
]

HEADER_CASES = [
    _local("local-name-differs", _UNSAFE, name=b"demo/b.py"),
    _local("local-name-differs-in-case", _UNSAFE, name=b"demo/A.py"),
    _local("local-crc-differs", _UNSAFE, crc32=1),
    _local("local-size-differs", _UNSAFE, size_bytes=1),
    _local("local-packed-size-differs", _UNSAFE, packed_bytes=1),
    _local("local-sums-are-zero", _UNSAFE, crc32=0, size_bytes=0, packed_bytes=0),
    _local("local-method-differs", _UNSAFE, method=0),
    _local("local-flags-differ", _UNSAFE, flags=0),
    _local("local-signature-is-wrong", _BROKEN, signature=b"PK\x03\x05"),
    _local("local-extra-is-cut-off", _BROKEN, extra=struct.pack("<2H", 0x7A7A, 9)),
    _local("local-extra-has-a-rest", _BROKEN, extra=b"abc"),
    _local("local-zip64-twice", _UNSAFE, extra=zip64(300, 30) * 2),
    _local("local-64-bit-size-differs", _UNSAFE, size_bytes=_SATURATED, extra=zip64(1)),
    _local("local-64-bit-size-is-missing", _BROKEN, size_bytes=_SATURATED),
    _central("central-offset-elsewhere", _UNSAFE, offset=5),
    _central("central-offset-behind-the-file", _UNSAFE, offset=0x7FFFFFFF),
    _central("central-signature-is-wrong", _BROKEN, signature=b"PK\x01\x03"),
    _central("central-disk-is-another", _BROKEN, disk=1),
    _central("central-64-bit-size-is-missing", _BROKEN, size_bytes=_SATURATED),
    _central("central-64-bit-size-is-huge", _LARGE, size_bytes=_SATURATED, extra=zip64(1 << 62)),
    _central("central-zip64-twice", _UNSAFE, extra=zip64(300) * 2),
    _central("central-extra-is-cut-off", _BROKEN, extra=struct.pack("<2H", 1, 8)),
    _central(
        "unicode-path-differs",
        _UNSAFE,
        extra=struct.pack("<2HBL", 0x7075, 14, 1, zlib.crc32(b"demo/a.py")) + b"demo/b.py",
    ),
    _central(
        "unicode-path-twice",
        _UNSAFE,
        extra=2 * (struct.pack("<2HBL", 0x7075, 14, 1, zlib.crc32(b"demo/a.py")) + b"demo/a.py"),
    ),
    _case("encrypted", _with_central(flags=0x801), _UNSAFE),
    _case("strongly-encrypted", _with_central(flags=0x841), _UNSAFE),
    _case("patched", _with_central(flags=0x820), _UNSAFE),
    _case("directory-encrypted", _with_central(flags=0x2800), _UNSAFE),
    *(_case(f"method-{method}", _with_central(method=method), _UNSAFE) for method in (1, 6, 9, 12, 14, 93, 95, 99)),
    _one("a-comment-of-a-member", _OLD, central={"comment": b"hello"}, lenient=()),
    _case("data-descriptor", described, _OLD, lenient=()),
    _case("data-descriptor-behind-stored-bytes", lambda: described(0), _OLD, lenient=()),
    _case("data-descriptor-without-signature", lambda: described(signature=b""), _OLD, lenient=()),
    _case("data-descriptor-with-another-crc", lambda: described(crc32=1), _OLD, _UNSAFE, lenient=(_UNSAFE,)),
    _case("data-descriptor-with-another-size", lambda: described(size_bytes=1), _OLD, _UNSAFE, lenient=(_UNSAFE,)),
    _case("data-descriptor-that-is-missing", lambda: described(missing=True), _OLD, _UNSAFE, lenient=(_UNSAFE,)),
]

MEMBER_CASES = [
    _one("name-leads-out", _UNSAFE, path="../evil.py"),
    _one("name-leads-out-in-the-middle", _UNSAFE, path="demo/../../evil.py"),
    _one("name-is-absolute", _UNSAFE, path="/etc/evil"),
    _one("name-has-a-drive", _UNSAFE, path="C:/evil.py"),
    _one("name-has-a-backslash", _UNSAFE, path="demo\\evil.py"),
    _one("name-has-a-line-end", _UNSAFE, path="demo/a\n.py"),
    _one("name-has-a-nul", _UNSAFE, path="demo/a\0.py"),
    _one("name-has-a-delete", _UNSAFE, path="demo/a\x7f.py"),
    _one("name-has-an-empty-segment", _UNSAFE, path="demo//a.py"),
    _one("name-has-a-dot-segment", _UNSAFE, path="demo/./a.py"),
    _one("name-is-empty", _UNSAFE, path=""),
    _case("name-is-not-utf-8", _with_central(name=b"demo/\xff.py"), _UNSAFE),
    _one("symbolic-link", _UNSAFE, content=b"/etc/passwd", central={"attributes": 0o120777 << 16}),
    _one("directory-with-content", _UNSAFE, path="demo/sub/"),
    _case("file-and-directory", lambda: wheel(Entry("demo/a", b"1"), Entry("demo/a/b", b"2")), _UNSAFE),
    _central("crc-of-the-content-is-wrong", _UNSAFE, crc32=7),
    _case("crc-is-wrong-in-both-headers", _with_central(crc32=7), _BROKEN),
    _case(
        "size-too-large-in-both-headers",
        _with_central(size_bytes=301),
        _BROKEN,
        "record-mismatch",
        lenient=(_BROKEN,),
    ),
    _case(
        "size-too-small-in-both-headers",
        _with_central(size_bytes=299),
        _BROKEN,
        "record-mismatch",
        lenient=(_BROKEN,),
    ),
    _one("deflate-is-damaged", _BROKEN, packed=b"\xff\xff\xff\xff"),
    _one("deflate-ends-early", _BROKEN, packed=zlib.compress(_CONTENT, 9)[2:-8]),
    _one("deflate-has-a-rest", _BROKEN, packed=zlib.compress(_CONTENT, 9)[2:-4] + b"rest"),
    _case(
        "deflate-of-megabytes-has-a-rest",
        lambda: wheel(Entry("demo/zeros", bytes(3 << 20), packed=zlib.compress(bytes(3 << 20), 9)[2:-4] + b"rest")),
        _BROKEN,
    ),
    _one("deflate-is-empty", _BROKEN, packed=b""),
    _one("stored-with-another-content", _BROKEN, method=0, packed=b"y" * len(_CONTENT)),
]

BOMB_CASES = [
    _case("bomb-of-one-member", lambda: wheel(Entry("demo/zeros", bytes(65 << 20))), _LARGE),
    _case(
        "bomb-of-many-members",
        lambda: wheel(*(Entry(f"demo/{number}", bytes(1 << 20)) for number in range(66))),
        _LARGE,
    ),
    _case("bomb-that-lies-about-its-size", _quoted, _UNSAFE),
    _case(
        "bomb-whose-headers-both-lie",
        lambda: wheel(Entry("demo/zeros", b"0", packed=zlib.compress(bytes(1 << 24), 9)[2:-4])),
        _BROKEN,
    ),
    _case("more-members-than-anybody-needs", lambda: _crowd(100_001), _LARGE),
]
