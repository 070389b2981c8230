"""Wheels, as they come or with their sums set right."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import atheris
from raw_zip import DIST_INFO, FILENAME, Entry, archive, record
from reader_cases import ARCHIVE_CASES, INSTALL_CASES, NAME_CASES, SIZE_CASES
from test_hostile_wheels import GOOD, assert_read_alike
from wheel_cases import COMMAND_CASES, LAYOUT_CASES, RECORD_CASES, WHEEL_FILE_CASES
from zip_cases import FRAMING_CASES, HEADER_CASES, MEMBER_CASES

from pypiserve.core.file_checks import FileReport, check_file
from pypiserve.core.index_rules import Validation
from pypiserve.testing import a_wheel

from .verdicts import assert_told

__all__ = ["mutate", "seeds", "test"]

_FAMILIES = (
    *(ARCHIVE_CASES, INSTALL_CASES, NAME_CASES, SIZE_CASES),
    *(COMMAND_CASES, LAYOUT_CASES, RECORD_CASES, WHEEL_FILE_CASES),
    *(FRAMING_CASES, HEADER_CASES, MEMBER_CASES),
)
_RECORD = f"{DIST_INFO}/RECORD"
_CENTRAL = struct.Struct("<4s12xL4xL14xL")
"""Of a header in the directory: signature, CRC-32, unpacked size, offset of the member."""


def test(data: bytes) -> None:
    """There is a report, whatever comes; and what passes is the same archive for Python."""
    strict = _check(data, Validation.STRICT)
    lenient = _check(data, Validation.LENIENT)
    assert strict.problems or not lenient.problems, f"strict is satisfied, lenient refuses: {lenient.problems}"


def _check(data: bytes, validation: Validation) -> FileReport:
    report = check_file(io.BytesIO(data), FILENAME, validation=validation)
    assert_told(report)
    if not report.problems:
        assert_read_alike(data, report)
    return report


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change bytes anywhere, or the content of one member in an archive that is sound."""
    if seed % 3 == 0 and (rebuilt := _with_a_changed_member(data, max_size, seed // 3)):
        return rebuilt
    changed = bytearray(atheris.Mutate(data, max_size))
    if seed % 3 == 1:
        _set_sums_right(changed)
    return bytes(changed)


def _with_a_changed_member(data: bytes, max_size: int, seed: int) -> bytes:
    """Rebuild the archive as Python reads it; empty if it cannot, or if there is no room."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as members:
            contents = {name: members.read(name)[:max_size] for name in members.namelist()}
    except Exception:  # noqa: BLE001 - any error of zipfile over what was mutated before
        return b""
    if not contents:
        return b""
    chosen = sorted(contents)[seed % len(contents)]
    contents[chosen] = atheris.Mutate(contents[chosen], 2000)
    entries = [Entry(name, content, 0) for name, content in contents.items() if name != _RECORD]
    listed = contents[_RECORD] if chosen == _RECORD else record(*entries)
    rebuilt = archive(*entries, Entry(_RECORD, listed, 0))
    return rebuilt if len(rebuilt) <= max_size else b""


def _set_sums_right(changed: bytearray) -> None:
    """Put the CRC-32 of stored members into both their headers; without it nothing else is looked at."""
    start = 0
    while (start := changed.find(b"PK\x01\x02", start)) >= 0 and start + 46 <= len(changed):
        _, _, size, local = _CENTRAL.unpack_from(changed, start)
        if local + 30 <= len(changed):
            names = sum(struct.unpack_from("<2H", changed, local + 26))
            content = changed[local + 30 + names : local + 30 + names + size]
            if changed[local + 8 : local + 10] == b"\0\0":
                crc32 = struct.pack("<L", zlib.crc32(content))
                changed[start + 16 : start + 20] = changed[local + 14 : local + 18] = crc32
        start += 46


def seeds() -> list[bytes]:
    """Return the hostile corpus without its bombs, and good wheels."""
    cases = [case.content() for family in _FAMILIES for case in family if case.filename == FILENAME]
    return [*cases, *GOOD.values(), a_wheel().content]
