"""Sdists: an input is the tar archive, which is compressed before it is checked."""

from __future__ import annotations

import gzip
import io
import zlib

import atheris
from sdist_cases import GZIP_CASES, LINK_CASES, TAR_CASES, TREE_CASES
from test_hostile_sdists import GOOD
from test_read_alike import SAMPLES, read_by_python

from pypiserve.core.file_checks import FileReport, check_file
from pypiserve.core.index_rules import Validation
from pypiserve.testing import an_sdist

from .verdicts import assert_told

__all__ = ["mutate", "seeds", "test"]

_BLOCK = 512
_MAX_SEED_BYTES = 16_384


def test(data: bytes) -> None:
    """There is a report, whatever comes; and what passes is the same archive for Python."""
    content = gzip.compress(data, 1)
    strict = _check(content, Validation.STRICT)
    lenient = _check(content, Validation.LENIENT)
    assert strict.problems or not lenient.problems, f"strict is satisfied, lenient refuses: {lenient.problems}"


def _check(content: bytes, validation: Validation) -> FileReport:
    report = check_file(io.BytesIO(content), "demo-1.0.tar.gz", validation=validation)
    assert_told(report)
    if not report.problems:
        assert report.archive is not None
        sizes, metadata = read_by_python(content, report)
        assert sizes == {member.path: member.size_bytes for member in report.archive.members}
        assert metadata == report.archive.metadata.content
    return report


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change bytes; mostly, give headers a right checksum again, for without it nothing else is looked at."""
    changed = bytearray(atheris.Mutate(data, max_size))
    if seed % 4:
        changed += bytes(-len(changed) % _BLOCK)
        for start in range(0, len(changed), _BLOCK):
            if changed[start + 257 : start + 262] == b"ustar":
                block = changed[start : start + _BLOCK]
                changed[start + 148 : start + 156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * 32)
    return bytes(changed[: max_size // _BLOCK * _BLOCK or max_size])


def seeds() -> list[bytes]:
    """Return the hostile corpus and good sdists, unpacked."""
    cases = [case.content() for family in (GZIP_CASES, TAR_CASES, LINK_CASES, TREE_CASES) for case in family]
    return [*SAMPLES, *(_unpacked(content) for content in (*cases, *GOOD.values(), an_sdist().content))]


def _unpacked(content: bytes) -> bytes:
    """Unpack what is no bomb; the long zeros at its end, which say nothing, are cut."""
    try:
        raw = zlib.decompressobj(31).decompress(content, 4 * _MAX_SEED_BYTES)
    except zlib.error:
        return content
    return raw.rstrip(b"\0") + bytes(-len(raw.rstrip(b"\0")) % _BLOCK + 2 * _BLOCK)
