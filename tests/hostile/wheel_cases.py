"""Hostile and malformed wheels in sound zip archives: RECORD, WHEEL, commands, licence files, directories."""

from __future__ import annotations

import functools
from collections.abc import Callable

from hostile_case import HostileCase
from raw_zip import DIST_INFO, FILENAME, METADATA, WHEEL, Entry, record, wheel

__all__ = ["COMMAND_CASES", "LAYOUT_CASES", "RECORD_CASES", "WHEEL_FILE_CASES"]

_MODULE = Entry("demo/__init__.py", b"__version__ = '1.0'\n")
_USUAL = (_MODULE, Entry(f"{DIST_INFO}/METADATA", METADATA), Entry(f"{DIST_INFO}/WHEEL", WHEEL))
_LICENSED = METADATA.replace(b"2.1", b"2.4") + b"License-File: LICENSE\n"


def _case(
    name: str,
    content: Callable[[], bytes],
    *codes: str,
    lenient: tuple[str, ...] | None = None,
    filename: str = FILENAME,
) -> HostileCase:
    return HostileCase(name, filename, content, codes, lenient=lenient)


def _record(name: str, content: bytes | str, *codes: str) -> HostileCase:
    listed = content.encode() if isinstance(content, str) else content
    return _case(name, functools.partial(wheel, listed=listed), *codes, lenient=())


def _wheel_file(name: str, content: bytes | None, *codes: str) -> HostileCase:
    return _case(name, functools.partial(wheel, wheel_file=content), *codes, lenient=())


def _commands(name: str, content: bytes | str) -> HostileCase:
    text = content.encode() if isinstance(content, str) else content
    entry = Entry(f"{DIST_INFO}/entry_points.txt", text)
    return _case(name, functools.partial(wheel, entry), "invalid-entry-points")


def _path(name: str, path: str, *codes: str) -> HostileCase:
    return _case(name, functools.partial(wheel, Entry(path, b"x")), *codes)


def _without(text: str) -> bytes:
    return b"".join(line for line in record(*_USUAL).splitlines(keepends=True) if text.encode() not in line)


def _changed(old: str, new: str) -> bytes:
    return record(*_USUAL).replace(old.encode(), new.encode())


RECORD_CASES = [
    _case("record-is-missing", lambda: wheel(without_record=True), "record-missing", lenient=()),
    _record("record-is-empty", "", "record-incomplete"),
    _record("record-lacks-a-module", _without("__init__"), "record-incomplete"),
    _record("record-lacks-the-metadata", _without("METADATA"), "record-incomplete"),
    _record(
        "record-has-another-digest", record(Entry("demo/__init__.py", b"other" * 4), *_USUAL[1:]), "record-mismatch"
    ),
    _record("record-has-another-size", _changed(",20\n", ",21\n"), "record-mismatch"),
    _record("record-has-a-file-that-is-not-there", record(*_USUAL, Entry("demo/gone.py", b"")), "record-mismatch"),
    _record("record-has-a-file-twice", record(*_USUAL, _MODULE), "record-mismatch"),
    _record("record-has-md5", record(*_USUAL, algorithm="md5"), "record-incomplete"),
    _record("record-has-sha1", record(*_USUAL, algorithm="sha1"), "record-incomplete"),
    _record("record-has-no-digests", "".join(f"{entry.name},,\n" for entry in _USUAL), "record-incomplete"),
    _record("record-has-an-unknown-digest", _changed("sha256=", "sha999="), "record-incomplete"),
    _record("record-has-hex-digests", _changed("sha256=", "sha256=!!"), "invalid-record"),
    _record("record-has-two-fields", "demo/__init__.py,\n", "invalid-record"),
    _record("record-has-four-fields", record(*_USUAL, more="a,b,c,d\n"), "invalid-record"),
    _record("record-has-a-size-in-words", _changed(",20\n", ",twenty\n"), "invalid-record"),
    _record("record-has-a-negative-size", _changed(",20\n", ",-20\n"), "invalid-record"),
    _record("record-is-not-utf-8", record(*_USUAL) + b"\xff,,\n", "invalid-record"),
    _record("record-has-an-open-quote", record(*_USUAL, more='"demo/x.py,,\n'), "invalid-record"),
    _record(
        "record-has-absolute-paths",
        _changed("demo/__init__", "/demo/__init__"),
        "record-incomplete",
        "record-mismatch",
    ),
    _record(
        "record-has-backslashes", _changed("demo/__init__", "demo\\__init__"), "record-incomplete", "record-mismatch"
    ),
]

WHEEL_FILE_CASES = [
    _wheel_file("wheel-file-is-missing", None, "invalid-wheel-file"),
    _wheel_file("wheel-file-is-empty", b"", *["invalid-wheel-file"] * 3),
    _wheel_file("wheel-file-is-not-utf-8", b"\xff\xfe", "invalid-wheel-file"),
    _wheel_file("wheel-version-is-missing", WHEEL.replace(b"Wheel-Version: 1.0\n", b""), "invalid-wheel-file"),
    _wheel_file("wheel-version-is-no-version", WHEEL.replace(b"1.0", b"one"), "invalid-wheel-file"),
    _wheel_file("wheel-version-2", WHEEL.replace(b"1.0", b"2.0"), "unsupported-wheel-version"),
    _wheel_file("wheel-version-0", WHEEL.replace(b"1.0", b"0.9"), "unsupported-wheel-version"),
    _wheel_file("purelib-is-missing", WHEEL.replace(b"Root-Is-Purelib: true\n", b""), "invalid-wheel-file"),
    _wheel_file("purelib-is-perhaps", WHEEL.replace(b"true", b"perhaps"), "invalid-wheel-file"),
    _wheel_file("tag-is-missing", WHEEL.replace(b"Tag: py3-none-any\n", b""), "invalid-wheel-file"),
    _wheel_file("tag-has-two-parts", WHEEL.replace(b"py3-none-any", b"py3-none"), "invalid-wheel-file"),
    _wheel_file("tag-has-an-empty-part", WHEEL.replace(b"py3-none-any", b"py3.-none-any"), "invalid-wheel-file"),
    _wheel_file("tag-is-of-no-python", WHEEL.replace(b"py3-none-any", b"!y3-none-any"), "invalid-wheel-file"),
]

COMMAND_CASES = [
    _commands("command-leads-out", "[console_scripts]\n../../evil = demo:main\n"),
    _commands("command-is-absolute", "[console_scripts]\n/usr/bin/evil = demo:main\n"),
    _commands("command-has-a-backslash", "[gui_scripts]\n..\\evil = demo:main\n"),
    _commands("command-is-two-dots", "[console_scripts]\n.. = demo:main\n"),
    _commands("command-has-a-blank", "[console_scripts]\nev il = demo:main\n"),
    _commands("command-has-no-object", "[console_scripts]\ndemo = demo\n"),
    _commands("command-is-code", "[console_scripts]\ndemo = demo:main;import os\n"),
    _commands("command-is-given-twice", "[console_scripts]\ndemo = demo:a\ndemo = demo:b\n"),
    _commands("group-is-given-twice", "[a]\nx = y\n[a]\nz = y\n"),
    _commands("entry-points-without-group", "demo = demo:main\n"),
    _commands("entry-points-that-are-no-ini", "[console_scripts\nx\n"),
    _commands("entry-points-that-are-not-utf-8", b"[console_scripts]\n\xff = demo:main\n"),
]

LAYOUT_CASES = [
    _case("metadata-is-missing", lambda: wheel(metadata=None), "missing-metadata"),
    _case("dist-info-of-another-project", lambda: wheel(top="other-1.0.dist-info"), "name-mismatch"),
    _case("dist-info-of-another-version", lambda: wheel(top="demo-2.0.dist-info"), "version-mismatch"),
    _case("no-dist-info", lambda: wheel(top="demo"), "missing-metadata"),
    _path("two-dist-infos", "other-1.0.dist-info/METADATA", "unsafe-archive"),
    _path("two-dist-infos-in-other-letter-case", "Demo-1.0.DIST-INFO/METADATA", "unsafe-archive"),
    _case(
        "metadata-of-another-project", lambda: wheel(metadata=METADATA.replace(b"demo", b"other")), "name-mismatch"
    ),
    _case(
        "metadata-of-another-version", lambda: wheel(metadata=METADATA.replace(b"1.0", b"1.1")), "version-mismatch"
    ),
    _case("metadata-is-empty", lambda: wheel(metadata=b""), *["invalid-metadata"] * 3),
    _case("licence-file-is-missing", lambda: wheel(metadata=_LICENSED), "missing-license-file", lenient=()),
    _case(
        "licence-file-is-in-the-old-place",
        lambda: wheel(Entry(f"{DIST_INFO}/LICENSE", b"x"), metadata=_LICENSED),
        "missing-license-file",
        lenient=(),
    ),
    _path("data-of-another-project", "other-1.0.data/scripts/x", "invalid-data-directory"),
    _path("data-of-another-version", "demo-2.0.data/scripts/x", "invalid-data-directory"),
    _path("data-of-an-unknown-scheme", "demo-1.0.data/rootfs/etc/passwd", "invalid-data-directory"),
    _path("data-without-a-scheme", "demo-1.0.data/x", "invalid-data-directory"),
    _case(
        "all-at-once",
        lambda: wheel(
            Entry(f"{DIST_INFO}/entry_points.txt", b"[console_scripts]\n../x = demo:main\n"),
            Entry("demo-1.0.data/nowhere/x", b""),
            Entry("demo/unlisted.py", b"", is_recorded=False),
            metadata=_LICENSED.replace(b"demo", b"other"),
            wheel_file=WHEEL.replace(b"1.0", b"3.0"),
        ),
        "invalid-entry-points",
        "invalid-data-directory",
        "record-incomplete",
        "unsupported-wheel-version",
        lenient=("invalid-entry-points", "invalid-data-directory"),
    ),
]
