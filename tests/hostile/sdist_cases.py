"""Hostile and malformed sdists: the gzip stream, the tar stream, and what is in it."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import struct
import zipfile
from collections.abc import Callable

from hostile_case import HostileCase
from raw_tar import BLOCK, GNU, METADATA, TOP, V7, a_file, archive, extended, header, long_name, pax, sdist

__all__ = ["GZIP_CASES", "LINK_CASES", "TAR_CASES", "TREE_CASES"]

_FILENAME = "demo-1.0.tar.gz"
_BROKEN, _UNSAFE, _LARGE = "invalid-archive", "unsafe-archive", "archive-too-large"
Content = Callable[[], bytes]


def _case(name: str, content: Content, *codes: str, lenient: tuple[str, ...] | None = None) -> HostileCase:
    return HostileCase(name, _FILENAME, content, codes, lenient=lenient)


def _of(name: str, *members: bytes, codes: tuple[str, ...] = (_UNSAFE,)) -> HostileCase:
    return _case(name, functools.partial(sdist, *members), *codes)


def _changed(place: int, value: int) -> Content:
    def content() -> bytes:
        changed = bytearray(sdist())
        changed[place] ^= value
        return bytes(changed)

    return content


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        members.writestr(f"{TOP}/PKG-INFO", METADATA)
    return file.getvalue()


def _zip_in_the_gzip_header() -> bytes:
    """Hide a zip archive in the extra field of the gzip header, where only zip readers look."""
    hidden = _zip()
    extra = b"zz" + struct.pack("<H", len(hidden)) + hidden
    good = sdist()
    return good[:3] + b"\x04" + good[4:10] + struct.pack("<H", len(extra)) + extra + good[10:]


def _gzip(raw: bytes) -> Content:
    return lambda: gzip.compress(raw, 1)


GZIP_CASES = [
    _case("text", lambda: b"hello, world\n" * 50, _BROKEN),
    _case("tar-without-gzip", archive, _BROKEN),
    _case("bzip2", lambda: bz2.compress(archive()), _BROKEN),
    _case("xz", lambda: lzma.compress(archive()), _BROKEN),
    _case("zip", _zip, _BROKEN),
    _case("gzip-of-text", _gzip(b"hello, world\n" * 500), _BROKEN),
    _case("gzip-of-a-zip", lambda: gzip.compress(_zip() + bytes(BLOCK)), _BROKEN),
    _case("gzip-twice", lambda: gzip.compress(sdist() + bytes(BLOCK)), _BROKEN),
    _case("gzip-of-nothing", _gzip(b""), _BROKEN, lenient=("missing-metadata",)),
    _case("cut-in-half", lambda: sdist()[: len(sdist()) // 2], _BROKEN),
    _case("cut-before-the-checksum", lambda: sdist()[:-8], _BROKEN),
    _case("cut-in-the-size", lambda: sdist()[:-2], _BROKEN),
    _case("wrong-checksum", _changed(-6, 1), _BROKEN),
    _case("wrong-size", _changed(-1, 1), _BROKEN),
    _case("unknown-flags", _changed(3, 0xE0), _BROKEN),
    _case("unknown-method", _changed(2, 1), _BROKEN),
    _case("two-streams", lambda: gzip.compress(archive()[:700]) + gzip.compress(archive()[700:]), _UNSAFE),
    _case("second-stream-with-another-archive", lambda: sdist() + sdist(a_file("evil.py")), _UNSAFE),
    _case("empty-second-stream", lambda: sdist() + gzip.compress(b""), _UNSAFE),
    _case("empty-first-stream", lambda: gzip.compress(b"") + sdist(), _UNSAFE),
    _case("garbage-behind", lambda: sdist() + b"garbage", _UNSAFE),
    _case("garbage-behind-zeros", lambda: sdist() + bytes(100_000) + b"x", _UNSAFE),
    _case("zip-behind", lambda: sdist() + _zip(), _UNSAFE),
    _case("zip-in-the-gzip-header", _zip_in_the_gzip_header, _UNSAFE),
    _case("zip-stored-inside", lambda: gzip.compress(archive(a_file("x", _zip())), 0), _UNSAFE),
    _case("bomb-before-the-metadata", _gzip(a_file("0", bytes(80 << 20)) + archive()), _LARGE),
    _case("bomb-behind-the-metadata", _gzip(archive(a_file("0", bytes(80 << 20)))), _LARGE),
    _case("bomb-behind-the-end", _gzip(archive(end=bytes(80 << 20))), _LARGE),
]

_MANY = b"".join(header(f"{TOP}/{number}/", b"5") for number in range(200))


def _too_many_members() -> bytes:
    return gzip.compress(archive(_MANY * 501), 1)


def _size(field: bytes) -> bytes:
    return header(f"{TOP}/x", size=field)


def _with_mode(mode: bytes) -> bytes:
    """Write a header whose other numbers are wrong, where Python's reader ends without a word."""
    block = bytearray(header(f"{TOP}/m"))
    block[100:108] = mode
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * 32)
    return bytes(block)


_NUL_END = bytes(BLOCK)
TAR_CASES = [
    _case("no-end", lambda: sdist(end=b""), _BROKEN, lenient=()),
    _case("half-an-end", lambda: sdist(end=_NUL_END), _BROKEN, lenient=()),
    _case("member-behind-half-an-end", lambda: sdist(_NUL_END, a_file("x")), _BROKEN, lenient=(_UNSAFE,)),
    _case("member-behind-the-end", lambda: sdist(end=bytes(2 * BLOCK) + a_file("x")), _UNSAFE),
    _case("a-bit-behind-the-end", lambda: sdist(end=bytes(20 * BLOCK) + b"\1"), _UNSAFE),
    _case("cut-in-a-header", lambda: gzip.compress(archive(header("x"), end=b"")[:-100]), _BROKEN),
    _case("cut-in-a-file", lambda: gzip.compress(archive(a_file("x", b"y" * 2000), end=b"")[:-600]), _BROKEN),
    _of("checksum", header(f"{TOP}/x")[:-1] + b"\1", codes=(_BROKEN,)),
    _of("unknown-form", header(f"{TOP}/x", magic=b"mystery!"), codes=(_BROKEN,)),
    _of("size-is-no-number", _size(b"0000000009x\0"), codes=(_BROKEN,)),
    _of("size-below-zero", _size(b"\xff" * 12), codes=(_BROKEN,)),
    _of("size-without-end", _size(b"\x80" + b"\x7f" * 11), codes=(_BROKEN,)),
    _of("gnu-header-with-a-prefix", header("x", magic=GNU, prefix=TOP.encode())),
    _of("old-header-with-a-prefix", header("x", magic=V7, prefix=TOP.encode())),
    _of("directory-with-content", header(f"{TOP}/d/", b"5", size=BLOCK) + a_file("x")),
    _of("link-with-content", header(f"{TOP}/l", b"2", size=BLOCK, target="x") + a_file("x")),
    _of("hard-link-with-content", header(f"{TOP}/l", b"1", size=BLOCK, target=f"{TOP}/PKG-INFO") + a_file("x")),
    _of("file-called-like-a-directory", header(f"{TOP}/d/")),
    _of("sparse-file", header(f"{TOP}/x", b"S")),
    _of("sparse-file-of-pax", pax(("GNU.sparse.major", "1"), ("GNU.sparse.name", f"{TOP}/x")), header(f"{TOP}/x")),
    _of("character-device", header(f"{TOP}/x", b"3")),
    _of("block-device", header(f"{TOP}/x", b"4")),
    _of("pipe", header(f"{TOP}/x", b"6")),
    _of("part-of-another-volume", header(f"{TOP}/x", b"M")),
    _of("volume-label", header("label", b"V")),
    _of("list-of-a-directory", header(f"{TOP}/x", b"D")),
    _of("unknown-kind", header(f"{TOP}/x", b"Z")),
    _of("pax-without-length", extended(b"x", b"path=demo-1.0/x\n"), header("x"), codes=(_BROKEN,)),
    _of("pax-length-zero", extended(b"x", b"0 path=demo-1.0/x\n"), header("x"), codes=(_BROKEN,)),
    _of("pax-length-too-long", extended(b"x", b"99 path=demo-1.0/x\n"), header("x"), codes=(_BROKEN,)),
    _of("pax-length-too-short", extended(b"x", b"12 path=demo-1.0/x\n"), header("x"), codes=(_BROKEN,)),
    _of("pax-path-twice", pax(("path", f"{TOP}/x"), ("path", f"{TOP}/y")), header("x")),
    _of("two-pax-headers", pax(("path", f"{TOP}/x")), pax(("path", f"{TOP}/y")), header("x")),
    _of("pax-and-gnu-names", pax(("path", f"{TOP}/x")), long_name(f"{TOP}/y"), header("x")),
    _of("two-gnu-names", long_name(f"{TOP}/x"), long_name(f"{TOP}/y"), header("x")),
    _of("pax-size-differs", pax(("size", "512")), a_file("x") + a_file("y")),
    _of("pax-size-hides-a-member", pax(("size", "1024")), header(f"{TOP}/x") + a_file("y", b"z")),
    _of("pax-size-below-zero", pax(("size", "-1")), header(f"{TOP}/x"), codes=(_BROKEN,)),
    _of("pax-size-endless", pax(("size", "9" * 30)), header(f"{TOP}/x"), codes=(_BROKEN,)),
    _of("pax-size-in-arabic-digits", pax(("size", "\u0661")), header(f"{TOP}/x"), codes=(_BROKEN,)),
    _of("pax-path-with-nul", pax(("path", f"{TOP}/x\0.py")), header("x")),
    _of("pax-path-absolute", pax(("path", "/etc/passwd")), header("x")),
    _of("pax-path-empty", pax(("path", "")), header("x")),
    _of("pax-in-another-charset", pax(("hdrcharset", "ISO-8859-1"), ("path", f"{TOP}/x")), header("x")),
    _of("global-path", pax(("path", f"{TOP}/x"), kind=b"g")),
    _of("global-size", pax(("size", "0"), kind=b"g")),
    _of("global-target", pax(("linkpath", "x"), kind=b"g")),
    _of("global-sparse", pax(("GNU.sparse.size", "1"), kind=b"g")),
    _of("header-of-two-megabytes", extended(b"x", bytes(2 << 20)), header("x"), codes=(_LARGE,)),
    _of("name-of-a-megabyte", long_name("x" * 500_000), header("x"), codes=(_LARGE,)),
    _of("pax-path-of-a-megabyte", pax(("path", "x" * 500_000)), header("x"), codes=(_LARGE,)),
    _of("header-of-no-member", pax(("path", f"{TOP}/x")), codes=(_BROKEN,)),
    _of("header-that-says-nothing-of-no-member", pax(("uname", "me")), codes=(_BROKEN,)),
    _of("global-header-of-no-member", pax(("comment", "x"), kind=b"g"), codes=(_BROKEN,)),
    _of("mode-is-no-number", _with_mode(b"rw-r--r-"), a_file("x"), codes=(_BROKEN,)),
    _of("gnu-name-goes-on", long_name(f"{TOP}/x\0/../y"), header("x")),
    _of("gnu-name-goes-on-in-the-padding", header("l", b"L", size=12) + a_file("longer")[:BLOCK], header("x")),
    _of("name-is-not-utf-8", header(TOP.encode() + b"/caf\xe9")),
    _case("too-many-members", _too_many_members, _LARGE),
]


def _link(name: str, target: str) -> bytes:
    return header(f"{TOP}/{name}", b"2", target=target)


def _hard(name: str, target: str) -> bytes:
    return header(f"{TOP}/{name}", b"1", target=target)


LINK_CASES = [
    _of("link-absolute", _link("l", "/etc/passwd")),
    _of("link-up", _link("l", "../other/x")),
    _of("link-up-from-below", _link("a/l", "../../x")),
    _of("link-down-and-up", _link("l", "a/../../x")),
    _of("link-drive", _link("l", "C:\\x")),
    _of("link-backslash", _link("l", "..\\x")),
    _of("link-empty", _link("l", "")),
    _of("link-by-pax", pax(("linkpath", "/etc/passwd")), _link("l", "x")),
    _of("link-by-gnu", long_name("../" * 50, b"K"), _link("l", "x")),
    _of("member-through-a-link", _link("l", "."), a_file("l/x")),
    _of("link-over-a-directory", a_file("l/x"), _link("l", ".")),
    _of("link-over-a-file", a_file("l"), _link("l", "pyproject.toml")),
    _of("link-through-a-link", _link("a/l", "../b"), _link("out", "a/l/../..")),
    _of("hard-link-out", _hard("h", "../../etc/passwd")),
    _of("hard-link-absolute", _hard("h", "/etc/passwd")),
    _of("hard-link-to-nothing", _hard("h", f"{TOP}/missing")),
    _of("hard-link-to-a-link", _link("l", "."), _hard("h", f"{TOP}/l")),
    _of("hard-link-forward", _hard("h", f"{TOP}/x"), a_file("x")),
    _of("metadata-through-hard-link", _hard("PKG-INFO", f"{TOP}/pyproject.toml")),
]


def _bare(*members: bytes) -> Content:
    """An sdist without PKG-INFO."""
    return functools.partial(sdist, *members, metadata=None)


TREE_CASES = [
    _of("absolute", header("/etc/passwd")),
    _of("up", header(f"{TOP}/../x")),
    _of("up-at-once", header("../x")),
    _of("dot", header(f"{TOP}/./x")),
    _of("empty-segment", header(f"{TOP}//x")),
    _of("no-name", header("")),
    _of("drive", header("C:/x")),
    _of("backslash", header(f"{TOP}/..\\x")),
    _of("line-break", header(f"{TOP}/a\nb")),
    _of("delete-character", header(f"{TOP}/a\x7f")),
    _of("file-in-a-file", a_file("a"), a_file("a/b")),
    _of("file-over-a-directory", a_file("a/b"), a_file("a")),
    _of("directory-over-a-file", a_file("a"), header(f"{TOP}/a/", b"5")),
    _case("file-twice", lambda: sdist(a_file("a"), a_file("a")), _UNSAFE, lenient=()),
    _of("metadata-twice", a_file("PKG-INFO", METADATA)),
    _of("metadata-in-other-letters", a_file("pkg-info", METADATA)),
    _of("two-top-directories", header("other-1.0/x")),
    _of("file-beside-the-top-directory", header("setup.py")),
    _case("metadata-missing", _bare(), "missing-metadata"),
    _case("metadata-too-deep", _bare(a_file("demo/PKG-INFO", METADATA)), "missing-metadata"),
    _case("metadata-is-a-link", _bare(_link("PKG-INFO", "pyproject.toml")), _UNSAFE),
    _case("metadata-is-a-directory", _bare(header(f"{TOP}/PKG-INFO/", b"5")), _UNSAFE),
    _case("metadata-not-utf-8", lambda: sdist(metadata=METADATA + b"Summary: caf\xe9\n"), "invalid-metadata"),
    _case("metadata-too-large", lambda: sdist(metadata=b"x" * (9 << 20)), _LARGE),
    HostileCase("directory-of-another-project", "other-1.0.tar.gz", sdist, ("name-mismatch",)),
    HostileCase("directory-of-another-version", "demo-2.0.tar.gz", sdist, ("version-mismatch",)),
    _case(
        "many-things-at-once",
        _bare(_link("l", "/"), header("/x"), header("other/x")),
        *[_UNSAFE] * 3,
    ),
]
