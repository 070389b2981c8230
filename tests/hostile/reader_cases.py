"""Wheels that real readers refuse or read in different ways, though no byte is lost and every sum is right."""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable

from hostile_case import HostileCase
from raw_zip import DIST_INFO, FILENAME, METADATA, WHEEL, Entry, record, wheel, zip64

__all__ = ["ARCHIVE_CASES", "INSTALL_CASES", "NAME_CASES", "SIZE_CASES"]

_BROKEN, _UNSAFE, _DATA = "invalid-archive", "unsafe-archive", "invalid-data-directory"
_CONTENT = b"x = 1\n" * 50
_PATH = "demo/a.py"
_SATURATED = 0xFFFFFFFF
_PACKED = len(Entry(_PATH, _CONTENT).data())
_MODULE = Entry("demo/__init__.py", b"__version__ = '1.0'\n")
_USUAL = (_MODULE, Entry(f"{DIST_INFO}/METADATA", METADATA), Entry(f"{DIST_INFO}/WHEEL", WHEEL))


def _case(
    name: str, content: Callable[[], bytes], *codes: str, lenient: tuple[str, ...] | None = None
) -> HostileCase:
    return HostileCase(name, FILENAME, content, codes, lenient=lenient)


def _local(name: str, code: str, **values: int | bytes) -> HostileCase:
    return _case(name, functools.partial(wheel, Entry(_PATH, _CONTENT, local=values)), code)


def _central(name: str, code: str, **values: int | bytes) -> HostileCase:
    return _case(name, functools.partial(wheel, Entry(_PATH, _CONTENT, central=values)), code)


def _named(path: str, code: str = _UNSAFE, *, name: str) -> HostileCase:
    return _case(name, functools.partial(wheel, Entry(path, _CONTENT)), code)


def _commands(name: str, text: str) -> HostileCase:
    entry = Entry(f"{DIST_INFO}/entry_points.txt", text.encode())
    return _case(name, functools.partial(wheel, entry), "invalid-entry-points")


def _wheel_file(name: str, content: bytes, *codes: str) -> HostileCase:
    return _case(name, functools.partial(wheel, wheel_file=content), *codes, lenient=())


def _field(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<2H", kind, len(content)) + content


def _both(path: str, content: bytes, *, method: int = 8, **values: int | bytes) -> Entry:
    """Write a member whose two headers say the same, though something else than is true."""
    return Entry(path, content, method, local=values, central=values)


def _with_more(more: bytes) -> bytes:
    return wheel(Entry(_PATH, _CONTENT, packed=Entry(_PATH, _CONTENT).data() + more))


def _version(place: int) -> Callable[[], bytes]:
    """Change the version that is needed, in the first header with this signature."""
    signature = b"PK\x03\x04" if place == 4 else b"PK\x01\x02"

    def content() -> bytes:
        changed = bytearray(wheel())
        changed[changed.index(signature) + place] = 64
        return bytes(changed)

    return content


def _end64(**narrow: int) -> bytes:
    """Add a right 64 bit end record; the narrow one refers to it, with other values where they are given."""
    plain = wheel()
    _, _, _, here, count, size_bytes, offset, _ = struct.unpack("<4s4H2LH", plain[-22:])
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, here, count, size_bytes, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(plain) - 22, 1)
    stated = {"disk": 0, "first": 0, "here": 0xFFFF, "count": 0xFFFF, "size": _SATURATED, "at": _SATURATED} | narrow
    return plain[:-22] + wide + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", *stated.values(), 0)


def _record(name: str, listed: bytes, *codes: str) -> HostileCase:
    return _case(name, functools.partial(wheel, listed=listed), *codes, lenient=())


SIZE_CASES = [
    _local("local-64-bit-sizes-nobody-asked-for", _BROKEN, extra=zip64(len(_CONTENT), _PACKED + 1)),
    _local("local-64-bit-sizes-of-five-bytes", _BROKEN, extra=_field(1, b"12345")),
    _local("local-64-bit-size-too-many", _BROKEN, size_bytes=_SATURATED, extra=zip64(len(_CONTENT), _PACKED)),
    _local(
        "local-64-bit-offset",
        _BROKEN,
        size_bytes=_SATURATED,
        packed_bytes=_SATURATED,
        extra=zip64(len(_CONTENT), _PACKED, 0),
    ),
    _central("central-64-bit-sizes-nobody-asked-for", _BROKEN, extra=zip64(len(_CONTENT), _PACKED)),
    _central("central-64-bit-sizes-that-lie", _BROKEN, extra=zip64(7, 7)),
    _central("central-64-bit-size-too-many", _BROKEN, size_bytes=_SATURATED, extra=zip64(len(_CONTENT), _PACKED)),
    _central(
        "central-64-bit-size-of-twelve-bytes",
        _BROKEN,
        size_bytes=_SATURATED,
        extra=_field(1, struct.pack("<QL", len(_CONTENT), 0)),
    ),
    _case("narrow-end-record-with-another-disk", lambda: _end64(disk=3), _UNSAFE),
    _case("narrow-end-record-with-another-first-disk", lambda: _end64(first=3), _UNSAFE),
    _case("narrow-end-record-with-another-part", lambda: _end64(here=2), _UNSAFE),
    _case("narrow-end-record-with-another-count", lambda: _end64(count=2), _UNSAFE),
]

ARCHIVE_CASES = [
    _local("local-time-field-twice", _UNSAFE, extra=_field(0x5455, b"a") * 2),
    _central("central-time-field-twice", _UNSAFE, extra=_field(0x5455, b"a") * 2),
    _local("local-padding-of-two-fields", _UNSAFE, extra=bytes(8)),
    _local("local-unicode-comment-cut-off", _BROKEN, extra=_field(0x6375, b"\x01")),
    _case("local-version-from-the-future", _version(4), _BROKEN),
    _case("central-version-from-the-future", _version(6), _BROKEN),
    _central("a-pipe", _UNSAFE, attributes=0o010644 << 16),
    _central("a-device", _UNSAFE, attributes=0o020644 << 16),
    _central("a-socket", _UNSAFE, attributes=0o140644 << 16),
    _case(
        "file-before-a-folder-of-its-name",
        lambda: wheel(Entry("demo/sub", b"x"), Entry("demo/sub/", b"", 0)),
        _UNSAFE,
    ),
    _case(
        "folder-before-a-file-of-its-name",
        lambda: wheel(Entry("demo/sub/", b"", 0), Entry("demo/sub", b"x")),
        _UNSAFE,
    ),
    _case("folder-with-a-checksum", lambda: wheel(_both("demo/sub/", b"", method=0, crc32=5)), _BROKEN),
    _case("deflated-bytes-with-two-more", lambda: _with_more(b"\0\0"), _BROKEN),
]


NAME_CASES = [
    _case(
        "name-in-an-unknown-encoding",
        lambda: wheel(_both("demo/\N{LATIN SMALL LETTER E WITH ACUTE}.py", _CONTENT, flags=0)),
        _UNSAFE,
    ),
    _named("demo/a\N{ZERO WIDTH SPACE}b.py", name="name-with-a-zero-width-space"),
    _named("demo/a\N{RIGHT-TO-LEFT OVERRIDE}b.py", name="name-that-turns-around"),
    _named("demo/a\N{SOFT HYPHEN}b.py", name="name-with-a-soft-hyphen"),
    _named("demo/a\x85b.py", name="name-with-a-c1-control"),
    _named("demo/a\ue000b.py", name="name-with-a-private-letter"),
    _named("demo/a\U000e0041b.py", name="name-with-a-tag-letter"),
    _named(f"demo/{'a' * 253}.py", name="name-longer-than-file-systems-take"),
    _named("demo/" + "\N{SNOWMAN}" * 90 + ".py", name="name-longer-in-bytes-than-file-systems-take"),
    _named("demo/" + "a/" * 600 + "b.py", name="path-deeper-than-file-systems-take"),
    _named(f"{DIST_INFO}/metadata", name="metadata-in-two-letter-cases"),
    _named(f"{DIST_INFO}/record", name="record-in-two-letter-cases"),
]

INSTALL_CASES = [
    _commands("command-python", "[console_scripts]\npython = demo:main\n"),
    _commands("command-python-with-version", "[console_scripts]\npython3.12 = demo:main\n"),
    _commands("command-python-without-lock", "[gui_scripts]\npythonw3.14t = demo:main\n"),
    _commands("command-python-in-capitals", "[console_scripts]\nPython.py = demo:main\n"),
    _commands("command-pypy", "[console_scripts]\npypy3 = demo:main\n"),
    _commands("command-with-empty-extras", "[console_scripts]\nx = demo:main []\n"),
    _commands("command-with-extras-of-a-comma", "[console_scripts]\nx = demo:main [,]\n"),
    _commands("command-with-a-second-line", "[console_scripts]\nx = demo:main\n  more\n"),
    _commands("command-with-a-remark", "[console_scripts]\nx = demo:main # remark\n"),
    _commands("command-with-a-colon-for-equals", "[console_scripts]\nx : demo:main\n"),
    _commands("command-without-value", "[console_scripts]\nx\n"),
    _commands("command-from-the-default-group", "[DEFAULT]\nx = ../y\n[console_scripts]\n"),
    _commands("entry-points-with-a-byte-order-mark", "\ufeff[console_scripts]\nx = demo:main\n"),
    _named("demo-1.0.data/scripts/sub/x", _DATA, name="data-scripts-in-a-folder"),
    _named("demo-1.0.data/scripts/python", _DATA, name="data-script-python"),
    _named("demo-1.0.data/scripts/Python3.EXE", _DATA, name="data-script-python-for-windows"),
    _named("demo-1.0.data/data/bin/python3", _DATA, name="data-file-in-the-place-of-python"),
    _named("demo-1.0.data/scripts", _DATA, name="data-scheme-that-is-a-file"),
    _named("demo-1.0.data/purelib/other-2.0.dist-info/METADATA", _DATA, name="data-that-is-another-project"),
    _named(f"demo-1.0.data/platlib/{DIST_INFO}/METADATA", _DATA, name="data-over-the-own-metadata"),
    _wheel_file("wheel-version-in-small-letters", WHEEL.replace(b"Wheel-V", b"wheel-v"), "invalid-wheel-file"),
    _wheel_file("purelib-in-small-letters", WHEEL.replace(b"Root-Is", b"root-is"), "invalid-wheel-file"),
    _wheel_file("tag-in-small-letters", WHEEL.replace(b"Tag", b"tag"), "invalid-wheel-file"),
    _wheel_file("wheel-file-with-a-byte-order-mark", "\ufeff".encode() + WHEEL, *["invalid-wheel-file"] * 3),
    _wheel_file("wheel-file-behind-a-line-of-junk", b"junk\n" + WHEEL, *["invalid-wheel-file"] * 3),
    _wheel_file(
        "tags-that-stand-for-millions",
        WHEEL + b"Tag: " + b"-".join([b".".join(b"%c" % letter for letter in b"abcdefghijklmnopqrstuv")] * 3) + b"\n",
        "invalid-wheel-file",
    ),
    _record(
        "record-with-its-own-digest", record(*_USUAL).replace(b"RECORD,,", b"RECORD,sha256=YQ,1"), "record-mismatch"
    ),
    _record(
        "record-with-a-byte-order-mark", "\ufeff".encode() + record(*_USUAL), "record-incomplete", "record-mismatch"
    ),
    _record("record-with-a-blank-before-a-size", record(*_USUAL).replace(b",20\n", b", 20\n"), "invalid-record"),
    _record("record-of-a-million-lines", b"a,,\n" * 1_000_000, "invalid-record"),
]
