"""The corpus of bad sdists, names, metadata and forms: each gets its codes, and nothing good is among them."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hostile_case import HostileCase, each
from hypothesis import given
from hypothesis import strategies as st
from raw_tar import GNU, TOP, V7, a_file, archive, header, long_name, pax, sdist
from sdist_cases import GZIP_CASES, LINK_CASES, TAR_CASES, TREE_CASES
from text_cases import FORM_CASES, METADATA_CASES, NAME_CASES

from pypiserve.core.errors import InvalidUpload
from pypiserve.core.file_checks import FileReport, check_file
from pypiserve.core.index_rules import Validation
from pypiserve.services.staging import StagingArea
from pypiserve.services.upload_checks import Upload, examine
from pypiserve.testing import a_wheel, an_sdist

ALL = each(GZIP_CASES, TAR_CASES, LINK_CASES, TREE_CASES, NAME_CASES, METADATA_CASES, FORM_CASES)


@pytest.fixture
def staging(tmp_path: Path) -> StagingArea:
    return StagingArea(tmp_path)


def upload(case: HostileCase, staging: StagingArea) -> Iterator[Upload]:
    """Receive the case as a client would send it."""
    content = case.content()
    staged = staging.new_file()
    staged.write(content)
    fields: dict[str, Sequence[str]] = {"sha256_digest": [hashlib.sha256(content).hexdigest()]}
    for name, values in case.fields.items():
        fields[name] = [values] if isinstance(values, str) else values
    yield Upload(fields, case.filename, staged)
    staged.discard()


def codes_of(case: HostileCase, staging: StagingArea, validation: Validation) -> list[str]:
    """Return the codes of all problems; every message is one line that says something."""
    (codes,) = [list(_judge(received, validation)) for received in upload(case, staging)]
    return codes


def _judge(received: Upload, validation: Validation) -> Iterator[str]:
    try:
        examine(received, validation=validation)
    except InvalidUpload as error:
        for problem in error.problems:
            assert problem.message.isprintable()
            assert 10 < len(problem.message) < 600
            yield problem.code


@pytest.mark.parametrize("case", ALL)
def test_every_case_gets_its_codes(case: HostileCase, staging: StagingArea) -> None:
    """A strict index tells exactly what is wrong."""
    assert sorted(codes_of(case, staging, Validation.STRICT)) == sorted(case.codes)


@pytest.mark.parametrize("case", ALL)
def test_lenient_indexes_keep_to_safety_and_identity(case: HostileCase, staging: StagingArea) -> None:
    """A lenient index refuses what is unsafe or of another project, in the same words, and takes the rest."""
    assert sorted(codes_of(case, staging, Validation.LENIENT)) == sorted(case.lenient_codes)


def test_the_corpus_is_large_and_without_repeats() -> None:
    """Each name stands for one case."""
    families = (GZIP_CASES, TAR_CASES, LINK_CASES, TREE_CASES, NAME_CASES, METADATA_CASES, FORM_CASES)
    names = [case.name for family in families for case in family]

    assert len(names) == len(set(names))
    assert len(names) >= 200


GOOD = {
    "plain": sdist(),
    "zeros-behind": sdist() + bytes(1000),
    "more-zeros-at-the-end": sdist(end=bytes(10_240)),
    "gnu-header": sdist(a_file("x", b"y", magic=GNU)),
    "old-header": sdist(a_file("x", b"y", magic=V7)),
    "old-directory": sdist(header(f"{TOP}/d/", b"\0", magic=V7)),
    "prefix": sdist(header("x", prefix=f"{TOP}/long".encode())),
    "contiguous-file": sdist(header(f"{TOP}/x", b"7")),
    "long-name": sdist(long_name(f"{TOP}/{'d' * 90}/{'f' * 90}"), header("x")),
    "long-name-and-target": sdist(
        long_name(f"{TOP}/{'f' * 200}"), long_name("d/" * 90 + "x", b"K"), header("x", b"2", target="d")
    ),
    "pax-path": sdist(pax(("path", f"{TOP}/\N{SNOWMAN}"), ("mtime", "1.5")), header("x")),
    "pax-size-that-agrees": sdist(pax(("size", "1")), a_file("x", b"y")),
    "pax-other-records": sdist(pax(("SCHILY.xattr.user.x", b"\xff\0"), ("uname", "me")), a_file("x")),
    "comment-of-git": gzip.compress(pax(("comment", "0" * 40), kind=b"g") + archive()),
    "link-inside": sdist(header(f"{TOP}/a/l", b"2", target="../pyproject.toml")),
    "hard-link-inside": sdist(header(f"{TOP}/h", b"1", target=f"{TOP}/pyproject.toml")),
    "directory-twice": sdist(header(f"{TOP}/d/", b"5"), a_file("d/x"), header(f"{TOP}/d", b"5")),
    "zip-inside-that-is-compressed": gzip.compress(archive(a_file("x", a_wheel().content * 2)), 9),
    "sixty-megabytes-of-zeros": gzip.compress(archive(a_file("x", bytes(60 << 20))), 1),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_good_twins_are_taken(content: bytes) -> None:
    """What differs from a bad case in the one thing that counts is good, for us and for Python's extraction."""
    report = check_file(io.BytesIO(content), "demo-1.0.tar.gz", validation=Validation.STRICT)

    assert report.problems == ()
    assert_read_alike(content, report)
    with tarfile.open(fileobj=io.BytesIO(content)) as members:
        assert all(tarfile.data_filter(member, "/tmp/anywhere") for member in members)


GOOD_METADATA: list[dict[str, str | Sequence[str]]] = [
    {"Classifier": ["Private :: Do Not Upload", "Made :: Up"]},
    {"Summary": "x" * 512},
    {"Author-email": "Me <me@example.org>, You <you@example.org>"},
    {"Author-email": "\N{GREEK SMALL LETTER ALPHA} <me@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example>"},
    {"Maintainer-email": "me@localhost", "Author-email": "UNKNOWN"},
    {"Home-page": "HTTPS://example.org:8080/a?b=c#d", "Download-URL": "http://[::1]/"},
    {"Project-URL": [f"{'x' * 32}, https://example.org", "Docs,https://example.org"]},
    {"Requires-Dist": ["other (>=1.0)", "more[extra]~=2.0; python_version < '3.12'"], "Provides-Extra": "a.b"},
    {"Provides-Dist": ["other", "more (1.0)"], "Obsoletes-Dist": "old (<2); python_version >= '3'"},
    {"Dynamic": ["Requires-Dist", "version-of-nothing"][:1]},
    {"License-Expression": "MIT OR (Apache-2.0 WITH LLVM-exception)"},
    {"License": "A long text\n  of many lines"},
    {"Description-Content-Type": "text/markdown; charset=UTF-8; variant=GFM", "Description": "# Hello"},
    {"Keywords": "a,b", "Platform": ["any", "linux"], "Supported-Platform": "x"},
    {"Import-Name": ["demo", "_demo ; private"], "Import-Namespace": "space", "Metadata-Version": "2.5"},
    {"Import-Name": "", "Metadata-Version": "2.5"},
    {"License-File": "licences/MIT.txt", "Metadata-Version": "2.4"},
    {"Dynamic": "Requires-Dist", "Metadata-Version": "2.6"},
    {"Requires-Dist": "other", "Metadata-Version": "1.0"},
    {"X-Of-Our-Own": "yes"},
]


@pytest.mark.parametrize("fields", GOOD_METADATA, ids=str)
def test_good_metadata_is_taken(fields: dict[str, str | Sequence[str]]) -> None:
    """Every field that the specifications have, in the forms that tools write, and what a private index needs."""
    built = an_sdist(metadata=fields, files={"licences/MIT.txt": "Do what you like."})

    assert check_file(io.BytesIO(built.content), built.filename, validation=Validation.STRICT).problems == ()


GOOD_FORMS: list[dict[str, str | list[str]]] = [
    {},
    {"name": "Demo", "version": "v1.0.0", "filetype": "sdist", "pyversion": "source", "protocol_version": "1"},
    {"pyversion": "", "license": "", "metadata_version": "2.3", "requires_python": ""},
    {"name": ["demo", "demo"], "provides": "demo", ":action": "file_upload"},
    {"summary": "another", "requires_dist": ["nonsense (("], "gpg_signature": "x"},
]


@pytest.mark.parametrize("fields", GOOD_FORMS, ids=str)
def test_the_peculiarities_of_clients_are_taken(fields: dict[str, str | list[str]], staging: StagingArea) -> None:
    """flit's wrong metadata version, PDM's empty values, twice the same: the form is a hint."""
    case = HostileCase("good", "demo-1.0.tar.gz", lambda: an_sdist().content, (), fields)

    assert codes_of(case, staging, Validation.STRICT) == []


@pytest.mark.parametrize("pyversion", ["py2.py3", "py3.py2", "3.8", ""])
def test_the_python_of_a_wheel(pyversion: str, staging: StagingArea) -> None:
    """The tags in any order, nothing, or, as distutils has it, the Python that built the wheel."""
    wheel = a_wheel(tag="py2.py3-none-any")
    case = HostileCase("good", wheel.filename, lambda: wheel.content, (), {"pyversion": pyversion})

    assert codes_of(case, staging, Validation.STRICT) == []


@given(st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=20), st.booleans(), st.data())
def test_random_damage_causes_no_other_error(
    places: list[tuple[int, int]],
    inside: bool,  # noqa: FBT001 - hypothesis passes by name
    data: st.DataObject,
) -> None:
    """Whatever is changed in a good sdist, before or after it is compressed, there is a report, no other error."""
    good = data.draw(st.sampled_from(sorted(GOOD)[:-3]))
    content = bytearray(gzip.decompress(GOOD[good].rstrip(b"\0") + bytes(8)) if inside else GOOD[good])
    for place, value in places:
        content[place % len(content)] = value
    damaged = gzip.compress(content, 1) if inside else bytes(content)
    for validation in Validation:
        report = check_file(io.BytesIO(damaged), "demo-1.0.tar.gz", validation=validation)
        if not report.problems:
            assert_read_alike(damaged, report)


def assert_read_alike(content: bytes, report: FileReport) -> None:
    """Expect Python's reader to see the same files, and the same metadata."""
    assert report.archive is not None
    with tarfile.open(fileobj=io.BytesIO(content)) as members:
        sizes = {member.name: member.size for member in members if member.isreg()}
        metadata = members.extractfile(report.archive.metadata.path)
        assert metadata is not None
        assert metadata.read() == report.archive.metadata.content
    assert sizes == {member.path: member.size_bytes for member in report.archive.members}
