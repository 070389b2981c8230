"""The corpus of bad wheels: each gets its codes, and nothing good is among them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hostile_case import HostileCase, each
from hypothesis import given
from hypothesis import strategies as st
from raw_zip import DIST_INFO, FILENAME, METADATA, WHEEL, Entry, record, wheel, zip64
from wheel_cases import COMMAND_CASES, LAYOUT_CASES, RECORD_CASES, WHEEL_FILE_CASES
from zip_cases import BOMB_CASES, FRAMING_CASES, HEADER_CASES, MEMBER_CASES

from pypiserve.core.file_checks import FileReport, check_file
from pypiserve.core.index_rules import Validation

FAMILIES = (
    FRAMING_CASES,
    HEADER_CASES,
    MEMBER_CASES,
    BOMB_CASES,
    RECORD_CASES,
    WHEEL_FILE_CASES,
    COMMAND_CASES,
    LAYOUT_CASES,
)


def report_of(content: bytes, validation: Validation, filename: str = FILENAME) -> FileReport:
    """Check a wheel; every message is one line that says something."""
    report = check_file(io.BytesIO(content), filename, validation=validation)
    for problem in (*report.problems, *report.warnings):
        assert problem.message.isprintable()
        assert 10 < len(problem.message) < 600
    return report


@pytest.mark.parametrize("case", each(*FAMILIES))
def test_every_case_gets_its_codes(case: HostileCase) -> None:
    """A strict index tells exactly what is wrong."""
    report = report_of(case.content(), Validation.STRICT, case.filename)

    assert sorted(problem.code for problem in report.problems) == sorted(case.codes)


@pytest.mark.parametrize("case", each(*FAMILIES))
def test_lenient_indexes_keep_to_safety_and_identity(case: HostileCase) -> None:
    """A lenient index refuses what is unsafe or of another project, and takes the rest with a warning."""
    report = report_of(case.content(), Validation.LENIENT, case.filename)

    assert sorted(problem.code for problem in report.problems) == sorted(case.lenient_codes)


def test_the_corpus_is_large_and_without_repeats() -> None:
    """Each name stands for one case."""
    names = [case.name for family in FAMILIES for case in family]

    assert len(names) == len(set(names))
    assert len(names) >= 140


def _signed() -> bytes:
    extra = [Entry(f"{DIST_INFO}/RECORD.jws", b"{}", is_recorded=False)]
    return wheel(*extra)


GOOD = {
    "plain": wheel(),
    "stored": wheel(Entry("demo/a.py", b"x = 1\n", 0)),
    "directories": wheel(Entry("demo/sub/", b"", 0), Entry("demo/sub/a.py", b"")),
    "signed": _signed(),
    "sha512": wheel(
        listed=record(
            Entry("demo/__init__.py", b"__version__ = '1.0'\n"),
            Entry(f"{DIST_INFO}/METADATA", METADATA),
            Entry(f"{DIST_INFO}/WHEEL", WHEEL),
            algorithm="sha512",
        )
    ),
    "64-bit-sizes": wheel(
        Entry("a", b"xx", 0, local={"size_bytes": 0xFFFFFFFF, "packed_bytes": 0xFFFFFFFF, "extra": zip64(2, 2)})
    ),
    "other-extra-fields": wheel(Entry("a", b"x", local={"extra": b"UT\x05\0\x01abcd\0\0"})),
    "commands": wheel(
        Entry(
            f"{DIST_INFO}/entry_points.txt", b"[console_scripts]\nde.mo-1 = demo.cli:App.main [extra]\n[x]\ny = a b\n"
        )
    ),
    "data": wheel(Entry("demo-1.0.data/scripts/demo", b"#!python\n"), Entry("demo-1.0.data/data/etc/x", b"")),
    "licence-file": wheel(
        Entry(f"{DIST_INFO}/licenses/doc/LICENSE", b"MIT"),
        metadata=METADATA.replace(b"2.1", b"2.4") + b"License-File: doc/LICENSE\n",
    ),
    "names-in-unicode": wheel(Entry("demo/\N{SNOWMAN}.txt", b"")),
    "zeros-that-fit": wheel(Entry("demo/zeros", bytes(60 << 20))),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_good_twins_are_taken(content: bytes) -> None:
    """What differs from a bad case in the one thing that counts is good."""
    report = report_of(content, Validation.STRICT)

    assert report.problems == ()
    assert report.warnings == ()
    assert_read_alike(content, report)


WARNED = {
    "tag-mismatch": wheel(wheel_file=WHEEL.replace(b"py3-none", b"py2-none")),
    "build-mismatch": wheel(wheel_file=WHEEL + b"Build: 7\n"),
    "newer-wheel-version": wheel(wheel_file=WHEEL.replace(b"1.0", b"1.9")),
    "case-collision": wheel(Entry("demo/A.py", b""), Entry("demo/a.py", b"")),
}


@pytest.mark.parametrize("code", WARNED)
def test_what_is_not_quite_right_is_told(code: str) -> None:
    """A warning does not refuse."""
    report = report_of(WARNED[code], Validation.STRICT)

    assert report.problems == ()
    assert [warning.code for warning in report.warnings] == [code]


@pytest.mark.parametrize("case", each(RECORD_CASES, WHEEL_FILE_CASES))
def test_a_lenient_index_warns_of_what_it_takes(case: HostileCase) -> None:
    """Nothing that a strict index refuses is passed over in silence."""
    report = report_of(case.content(), Validation.LENIENT)

    assert {warning.code for warning in report.warnings} >= set(case.codes)


def test_a_file_without_buffer_is_read_alike(tmp_path: Path) -> None:
    """Staged files are read without Python's buffer, and stay open."""
    path = tmp_path / FILENAME
    path.write_bytes(wheel(*(Entry(f"demo/{number}.py", b"x" * number) for number in range(300))))
    with path.open("rb", buffering=0) as file:
        report = check_file(file, FILENAME, validation=Validation.STRICT)
        assert not file.closed
    assert report.problems == ()


@given(st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=20), st.data())
def test_random_damage_causes_no_other_error(places: list[tuple[int, int]], data: st.DataObject) -> None:
    """Whatever is changed in a good wheel, there is a report, no other error; what passes reads like before."""
    content = bytearray(GOOD[data.draw(st.sampled_from(sorted(GOOD)[:-1]))])
    for place, value in places:
        content[place % len(content)] = value
    for validation in Validation:
        report = report_of(bytes(content), validation)
        if not report.problems:
            assert_read_alike(bytes(content), report)


def assert_read_alike(content: bytes, report: FileReport) -> None:
    """Expect Python's reader to see the same files, and the same metadata."""
    assert report.archive is not None
    with zipfile.ZipFile(io.BytesIO(content)) as members:
        assert members.testzip() is None
        sizes = {member.filename: member.file_size for member in members.infolist() if not member.is_dir()}
        assert members.read(report.archive.metadata.path) == report.archive.metadata.content
    assert sizes == {member.path: member.size_bytes for member in report.archive.members}
