"""
Tar archives whose headers are changed, with right checksums: what is taken must be the same archive for Python.

For longer, by hand: ``PYPISERVE_EXAMPLES=100000 pytest tests/hostile/test_read_alike.py``.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile

from hypothesis import given, settings
from hypothesis import strategies as st
from raw_tar import BLOCK, GNU, TOP, a_file, archive, header, long_name, pax

from pypiserve.core.file_checks import FileReport, check_file
from pypiserve.core.index_rules import Validation

SAMPLES = (
    archive(
        a_file("x", b"y" * 700), header(f"{TOP}/d/", b"5"), header(f"{TOP}/l", b"2", target="x"), a_file("z", b"1")
    ),
    archive(pax(("path", f"{TOP}/pp"), ("size", "3")), a_file("x", b"abc"), a_file("q")),
    archive(
        long_name(f"{TOP}/longer"),
        a_file("x", b"abc", magic=GNU),
        long_name("x", b"K"),
        header(f"{TOP}/l", b"2", target="q", magic=GNU),
    ),
)
FIELDS = (0, 100, 108, 116, 124, 136, 156, 157, 257, 329, 337, 345)
VALUES = [b"\0", b"/", b".", b"..", b"1", b"\x80", b"\xff", b"ustar\0", GNU, b"demo-1.0/", b"0000001\0", b" "]
VALUES += [b"x", b"g", b"L", b"K", b"S", b"1", b"2", b"5", b"7"]

places = st.sampled_from(FIELDS) | st.integers(0, BLOCK - 12)
edits = st.lists(
    st.tuples(st.integers(0), places, st.integers(0, 11), st.sampled_from(VALUES)), min_size=1, max_size=4
)


def change(raw: bytes, changes: list[tuple[int, int, int, bytes]]) -> bytes:
    """Write values into blocks, and a right checksum into each of them."""
    changed = bytearray(raw)
    for number, field, more, value in changes:
        start = number % (len(raw) // BLOCK) * BLOCK
        place = start + min(field + more, BLOCK - len(value))
        changed[place : place + len(value)] = value
        block = changed[start : start + BLOCK]
        changed[start + 148 : start + 156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * 32)
    return gzip.compress(changed, 1)


def read_by_python(content: bytes, report: FileReport) -> tuple[dict[str, int], bytes]:
    """Return the sizes of all files and the metadata; every member must pass the filter of extraction."""
    assert report.archive is not None
    with tarfile.open(fileobj=io.BytesIO(content)) as members:
        assert all(tarfile.data_filter(member, "/tmp/anywhere") for member in members)
        metadata = members.extractfile(report.archive.metadata.path)
        assert metadata is not None
        return {member.name: member.size for member in members if member.isreg()}, metadata.read()


@settings(max_examples=int(os.environ.get("PYPISERVE_EXAMPLES", "200")), deadline=None)
@given(st.sampled_from(SAMPLES), edits, st.sampled_from(Validation))
def test_what_is_taken_is_read_alike(
    raw: bytes, changes: list[tuple[int, int, int, bytes]], validation: Validation
) -> None:
    """A header that two readers understand in two ways is refused."""
    content = change(raw, changes)
    report = check_file(io.BytesIO(content), "demo-1.0.tar.gz", validation=validation)
    if report.problems:
        return
    assert report.archive is not None
    sizes, metadata = read_by_python(content, report)
    assert sizes == {member.path: member.size_bytes for member in report.archive.members}
    assert metadata == report.archive.metadata.content
