"""Tar archives of all forms, and those that lie."""

from __future__ import annotations

import gzip
import io
import random
import tarfile

import pytest
from archive_samples import (
    METADATA,
    a_member,
    a_tar_of,
    build_tar,
    outcome,
    packed,
    read,
    refusal,
    unpacked,
)
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.core.archives import ArchiveMetadata
from pypiserve.core.errors import InvalidUpload

FILENAME = "demo-1.0.tar.gz"
PATH = "demo-1.0/PKG-INFO"

MEMBERS = {"demo-1.0/setup.py": b"x = 1\n" * 200, PATH: METADATA, "demo-1.0/demo.egg-info/PKG-INFO": b"other"}

SAMPLE_RAW = bytes(unpacked(build_tar(MEMBERS)))

changes = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=8)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_before_the_metadata(form: int) -> None:
    """Names over 100 bytes, which each kind of tar archive writes in its own way, are passed over."""
    long = f"demo-1.0/{'d' * 90}/{'f' * 90}"

    assert read(build_tar({long: b"x" * 700} | MEMBERS, form=form), FILENAME).content == METADATA


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_long_name_of_the_metadata(form: int) -> None:
    """The long name of the metadata itself is understood."""
    project = "d" * 120

    found = read(build_tar({f"{project}-1.0/PKG-INFO": METADATA}, form=form), f"{project}-1.0.tar.gz")

    assert found == ArchiveMetadata(f"{project}-1.0/PKG-INFO", METADATA)


def test_directories_and_links() -> None:
    """An sdist may hold directories, and links to what is in it."""
    file = a_tar_of(
        a_member("demo-1.0", tarfile.DIRTYPE),
        a_member(PATH, size_bytes=len(METADATA)),
        a_member("demo-1.0/link", tarfile.SYMTYPE, target="docs/../PKG-INFO"),
        a_member("demo-1.0/hard", tarfile.LNKTYPE, target=PATH),
    )

    assert read(file, FILENAME).content == METADATA


def test_a_comment_of_git() -> None:
    """Git puts the commit into a global header."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", pax_headers={"comment": "0" * 40}) as archive:
        archive.addfile(a_member(PATH, size_bytes=len(METADATA)), io.BytesIO(METADATA))

    assert read(packed(raw.getvalue()), FILENAME).content == METADATA


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.GNUTYPE_SPARSE, b"V"])
def test_members_that_do_not_belong_into_an_sdist(kind: bytes) -> None:
    """Devices, pipes and sparse files are refused where they are met."""
    assert refusal(a_tar_of(a_member("demo-1.0/x", kind), a_member(PATH)), FILENAME) == "unsafe-archive"


@pytest.mark.parametrize("record", ["path", "size", "GNU.sparse.name"])
def test_global_headers_that_change_members(record: str) -> None:
    """Readers differ on such headers, so they are refused."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", pax_headers={record: "3"}) as archive:
        archive.addfile(a_member(PATH))

    assert refusal(packed(raw.getvalue()), FILENAME) == "unsafe-archive"


def a_pax_header(content: bytes) -> io.BytesIO:
    header = a_member("demo-1.0/pax", tarfile.XHDTYPE, size_bytes=len(content)).tobuf()
    return packed(header + content + bytes(-len(content) % 512) + unpacked(a_tar_of(a_member(PATH))))


@pytest.mark.parametrize(
    "content",
    [
        b"nonsense",
        b"0 path=x\n",
        b"7 path=x\n",
        b"99 path=x\n",
        b"9 path=x\n0 path=y\n",
        b"-9 path=x\n",
        b"9999999999 path=x\n",
        b"9 path=x\0",
        b"11 size=-1\n",
        b"12 size=1_0\n",
        b"36 size=999999999999999999999999999\n",
    ],
)
def test_malformed_pax_headers(content: bytes) -> None:
    """Lengths and sizes that lie are found."""
    assert refusal(a_pax_header(content), FILENAME) == "invalid-archive"


def a_renamed_member(stated: int) -> io.BytesIO:
    """Make an archive whose one member has its path, and a size, in a pax header."""
    size = str(stated).encode()
    records = b"%d path=%s\n" % (len(PATH) + 9, PATH.encode()) + b"%d size=%s\n" % (len(size) + 9, size)
    header = a_member("demo-1.0/pax", tarfile.XHDTYPE, size_bytes=len(records)).tobuf()
    member = a_member("demo-1.0/short", size_bytes=len(METADATA)).tobuf() + METADATA + bytes(-len(METADATA) % 512)
    return packed(header + records + bytes(512 - len(records)) + member + bytes(1024))


def test_a_path_and_a_size_in_a_pax_header() -> None:
    """Records of pax replace what the member's own header says."""
    assert read(a_renamed_member(len(METADATA)), FILENAME) == ArchiveMetadata(PATH, METADATA)


def test_two_sizes_of_one_member() -> None:
    """A reader that ignores one of them looks for the next header inside a file."""
    assert refusal(a_renamed_member(10 + len(METADATA)), FILENAME) == "unsafe-archive"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_links_and_directories_with_content(kind: bytes) -> None:
    """Readers differ on where the member after them begins."""
    header = bytearray(a_member("demo-1.0/x", kind).tobuf())
    header[124:136] = b"%011o\0" % 512
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:]) + 256)

    assert refusal(packed(bytes(header + unpacked(build_tar(MEMBERS)))), FILENAME) == "unsafe-archive"


@pytest.mark.parametrize("length", [100, 600, 1024 + 200, 1024 + 512 + 20])
def test_a_tar_that_ends_too_early(length: int) -> None:
    """A whole gzip stream can hold half an archive."""
    raw = unpacked(a_tar_of(a_member("demo-1.0/" + "d" * 120), a_member(PATH, size_bytes=len(METADATA))))

    assert refusal(packed(bytes(raw[:length])), FILENAME) == "invalid-archive"


def test_a_hard_link_with_a_long_target() -> None:
    """GNU tar writes long targets of links as members of their own."""
    long = "demo-1.0/" + "d" * 120
    file = a_tar_of(
        a_member(PATH, size_bytes=len(METADATA)),
        a_member(long),
        a_member("demo-1.0/link", tarfile.LNKTYPE, target=long),
        form=tarfile.GNU_FORMAT,
    )

    assert read(file, FILENAME).content == METADATA


def test_a_header_with_a_wrong_checksum() -> None:
    """A header that was changed is found by its checksum."""
    raw = unpacked(build_tar(MEMBERS, form=tarfile.USTAR_FORMAT))
    raw[140] ^= 1

    assert refusal(packed(bytes(raw)), FILENAME) == "invalid-archive"


def test_extended_headers_are_bounded() -> None:
    """A header of 2 MiB is no header, whatever it holds."""
    assert refusal(a_pax_header(random.Random(1).randbytes(2 * 1024 * 1024)), FILENAME) == "archive-too-large"


def test_a_huge_size_in_a_binary_number() -> None:
    """A member that says it has 2**80 bytes is cut off at the end of the file."""
    header = bytearray(a_member("demo-1.0/x").tobuf())
    header[124:136] = b"\x80" + (2**80).to_bytes(11, "big")
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:]) + 256)

    assert refusal(packed(bytes(header + unpacked(build_tar(MEMBERS)))), FILENAME) == "invalid-archive"


def test_too_many_members() -> None:
    """The number of members is bounded."""
    files = {f"demo-1.0/{number}": b"" for number in range(30)}

    assert (
        refusal(build_tar(files | MEMBERS, form=tarfile.USTAR_FORMAT), FILENAME, max_members=30)
        == "archive-too-large"
    )
    assert read(build_tar(files | MEMBERS, form=tarfile.USTAR_FORMAT), FILENAME, max_members=33).content == METADATA


@given(changes)
def test_a_damaged_tar_causes_no_other_error(places: list[tuple[int, int]]) -> None:
    """Whatever bytes of the archive are changed before it is compressed, there is metadata or a refusal."""
    content = bytearray(SAMPLE_RAW)
    for place, value in places:
        content[place % len(content)] = value

    assert isinstance(outcome(gzip.compress(content, 1), FILENAME), bytes | InvalidUpload)


@given(st.binary(min_size=12, max_size=12), st.binary(min_size=1, max_size=1), st.binary(max_size=100))
def test_headers_of_any_content_with_a_right_checksum(size: bytes, kind: bytes, name: bytes) -> None:
    """A checksum proves nothing: any size, kind and name is read with care."""
    header = bytearray(a_member("demo-1.0/x").tobuf())
    header[: len(name)] = name
    header[124:136], header[156:157] = size, kind
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:]) + 256)

    assert isinstance(outcome(gzip.compress(header + SAMPLE_RAW, 1), FILENAME), bytes | InvalidUpload)
