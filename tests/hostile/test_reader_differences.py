"""Wheels that readers disagree on are refused, and their good twins are taken."""

from __future__ import annotations

import io
import time

import pytest
from hostile_case import HostileCase, each
from raw_zip import DIST_INFO, FILENAME, WHEEL, Entry, wheel, zip64
from reader_cases import ARCHIVE_CASES, INSTALL_CASES, NAME_CASES, SIZE_CASES

from pypiserve.core.file_checks import check_file
from pypiserve.core.index_rules import Validation

FAMILIES = (SIZE_CASES, ARCHIVE_CASES, NAME_CASES, INSTALL_CASES)


def codes_of(content: bytes, validation: Validation) -> list[str]:
    """Return the codes of all problems; every message is one line that says something."""
    problems = check_file(io.BytesIO(content), FILENAME, validation=validation).problems
    assert all(problem.message.isprintable() and 10 < len(problem.message) < 600 for problem in problems)
    return sorted(problem.code for problem in problems)


@pytest.mark.parametrize("case", each(*FAMILIES))
def test_every_case_gets_its_codes(case: HostileCase) -> None:
    """A strict index tells exactly what is wrong."""
    assert codes_of(case.content(), Validation.STRICT) == sorted(case.codes)


@pytest.mark.parametrize("case", each(*FAMILIES))
def test_lenient_indexes_keep_to_safety(case: HostileCase) -> None:
    """A lenient index refuses what readers see differently, and takes what RECORD and WHEEL say wrongly."""
    assert codes_of(case.content(), Validation.LENIENT) == sorted(case.lenient_codes)


def _extra(extra: bytes, **values: int) -> bytes:
    return wheel(Entry("demo/a.py", b"x = 1\n", 0, local={"extra": extra, **values}))


def _command(line: str) -> bytes:
    return wheel(Entry(f"{DIST_INFO}/entry_points.txt", f"[console_scripts]\n{line}\n".encode()))


GOOD = {
    "64-bit-sizes-said-twice": _extra(zip64(6, 6)),
    "64-bit-field-without-sizes": _extra(zip64()),
    "64-bit-sizes-that-are-needed": _extra(zip64(6, 6), size_bytes=0xFFFFFFFF, packed_bytes=0xFFFFFFFF),
    "unlike-extra-fields": _extra(b"UT\1\0aux\1\0a"),
    "padding-of-three-bytes": _extra(bytes(3)),
    "a-folder-and-its-files": wheel(Entry("demo/sub/", b"", 0), Entry("demo/sub/a", b""), Entry("demo/sub.py", b"")),
    "a-long-name": wheel(Entry(f"demo/{'a' * 252}.py", b"")),
    "a-deep-path": wheel(Entry("demo/" + "a/" * 500 + "b.py", b"")),
    "letters-of-any-script": wheel(Entry("demo/\N{GREEK SMALL LETTER ALPHA}\N{RAINBOW}.py", b"")),
    "a-command-like-python": _command("python-demo = demo:main"),
    "a-command-with-extras": _command("demo = demo.cli : App.main [a-b, c]"),
    "data-in-a-folder": wheel(
        Entry("demo-1.0.data/data/share/python", b""), Entry("demo-1.0.data/scripts/demo", b"")
    ),
    "data-beside-the-package": wheel(Entry("demo-1.0.data/purelib/demo/b.py", b"")),
    "data-folders-of-their-own": wheel(Entry("demo-1.0.data/", b"", 0), Entry("demo-1.0.data/scripts/", b"", 0)),
    "many-tags": wheel(wheel_file=WHEEL.replace(b"py3-", b"py2.py3-") + b"Tag: py3-none-any\n"),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_good_twins_are_taken(content: bytes) -> None:
    """What differs from a bad case in the one thing that counts is good."""
    assert codes_of(content, Validation.STRICT) == []


def test_deep_paths_cost_little() -> None:
    """Thousands of deep paths are compared in the time that reading them takes."""
    entries = [Entry(f"{number}/" + "a/" * 500 + "b", b"", 0) for number in range(3000)]
    content = wheel(*entries)

    start = time.monotonic()
    assert codes_of(content, Validation.STRICT) == []
    assert time.monotonic() - start < 10


def test_default_groups_cost_little() -> None:
    """What stands in the default group is not copied into each of thousands of groups."""
    defaults = "".join(f"k{number}=v\n" for number in range(10_000))
    groups = "".join(f"[s{number}]\n" for number in range(10_000))
    text = f"[DEFAULT]\n{defaults}{groups}".encode()

    # Of the processor, not of the clock: the machine may have other work.
    start = time.process_time()
    assert codes_of(wheel(Entry(f"{DIST_INFO}/entry_points.txt", text)), Validation.STRICT) == [
        "invalid-entry-points"
    ]
    assert time.process_time() - start < 5
