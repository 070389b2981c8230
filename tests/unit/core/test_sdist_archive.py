"""Core metadata of sdists that strangers send."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from typing import BinaryIO

import pytest
from archive_samples import METADATA, build_tar, build_zip
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.core.archives import ArchiveLimits, ArchiveMetadata, read_core_metadata
from pypiserve.core.errors import InvalidUpload
from pypiserve.core.filenames import parse_filename

TAR = parse_filename("demo-1.0.tar.gz")
ZIP = parse_filename("demo-1.0.zip")
PATH = "demo-1.0/PKG-INFO"
MEMBERS = {"demo-1.0/setup.py": b"x = 1\n" * 200, PATH: METADATA, "demo-1.0/demo.egg-info/PKG-INFO": b"other"}


def read(file: BinaryIO, **limits: int) -> ArchiveMetadata:
    return read_core_metadata(file, TAR, limits=ArchiveLimits(**limits))


def refusal(file: BinaryIO, **limits: int) -> str:
    """Return the code of the one problem; its message is one line that can go into a header."""
    with pytest.raises(InvalidUpload) as caught:
        read(file, **limits)
    (problem,) = caught.value.problems
    assert problem.message.isascii()
    assert problem.message.isprintable()
    return problem.code


def unpacked(file: io.BytesIO) -> bytearray:
    return bytearray(gzip.decompress(file.getvalue()))


def packed(content: bytes) -> io.BytesIO:
    return io.BytesIO(gzip.compress(content, mtime=0))


def a_tar_of(*infos: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> io.BytesIO:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(METADATA))
    return packed(raw.getvalue())


def a_member(name: str, kind: bytes = tarfile.REGTYPE, *, size_bytes: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size_bytes, "setup.py"
    return info


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_metadata_is_byte_exact(form: int) -> None:
    """PKG-INFO is read from each kind of tar archive, exactly."""
    assert read(build_tar(MEMBERS, form=form)) == ArchiveMetadata(PATH, METADATA)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_before_the_metadata(form: int) -> None:
    """Names over 100 bytes, which each kind of tar archive writes in its own way, are passed over."""
    long = f"demo-1.0/{'d' * 90}/{'f' * 90}"

    assert read(build_tar({long: b"x" * 700} | MEMBERS, form=form)).content == METADATA


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_long_name_of_the_metadata(form: int) -> None:
    """The long name of the metadata itself is understood."""
    project = "d" * 120

    found = read_core_metadata(
        build_tar({f"{project}-1.0/PKG-INFO": METADATA}, form=form), parse_filename(f"{project}-1.0.tar.gz")
    )

    assert found == ArchiveMetadata(f"{project}-1.0/PKG-INFO", METADATA)


def test_a_zip() -> None:
    """An sdist may be a zip archive."""
    assert read_core_metadata(build_zip(MEMBERS), ZIP) == ArchiveMetadata(PATH, METADATA)


@pytest.mark.parametrize("top", ["Demo.Tools-1.0", "demo-tools-1.0.0", "demo_tools-1.0", "demo--tools-v1.0"])
def test_older_spellings_of_the_top_level_directory(top: str) -> None:
    """The directory may spell name and version differently from the file name."""
    name = parse_filename("demo_tools-1.0.tar.gz")

    assert read_core_metadata(build_tar({f"{top}/PKG-INFO": METADATA}), name).path == f"{top}/PKG-INFO"


def test_directories_and_links_are_passed_over() -> None:
    """An sdist may hold directories and links; what they mean is no matter of metadata."""
    file = a_tar_of(
        a_member("demo-1.0", tarfile.DIRTYPE),
        a_member("demo-1.0/link", tarfile.SYMTYPE),
        a_member("demo-1.0/hard", tarfile.LNKTYPE),
        a_member(PATH, size_bytes=len(METADATA)),
    )

    assert read(file).content == METADATA


def test_a_comment_of_git() -> None:
    """Git puts the commit into a global header."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", pax_headers={"comment": "0" * 40}) as archive:
        archive.addfile(a_member(PATH, size_bytes=len(METADATA)), io.BytesIO(METADATA))

    assert read(packed(raw.getvalue())).content == METADATA


def test_several_gzip_streams_in_one_file() -> None:
    """A gzip file may be several, one after the other, as parallel packers write it."""
    raw = unpacked(build_tar(MEMBERS))

    assert read(io.BytesIO(gzip.compress(raw[:700]) + gzip.compress(raw[700:]))).content == METADATA


def test_too_many_gzip_streams() -> None:
    """Empty streams cost time without adding to the inflated bytes, so their number is bounded."""
    assert refusal(io.BytesIO(gzip.compress(b"") * 2000 + SAMPLE)) == "archive-too-large"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"demo-1.0/setup.py": b""}, "missing-metadata"),
        ({"demo-1.0/demo/PKG-INFO": METADATA}, "missing-metadata"),
        ({"demo-1.0": b""}, "missing-metadata"),
        ({"other-1.0/PKG-INFO": METADATA}, "name-mismatch"),
        ({"demo-2.0/PKG-INFO": METADATA}, "version-mismatch"),
        ({"PKG-INFO": METADATA}, "name-mismatch"),
        ({"demo-1.0/a": b"", "other/PKG-INFO": METADATA}, "unsafe-archive"),
        ({"demo-1.0/../x": b""} | MEMBERS, "unsafe-archive"),
        ({"/demo-1.0/x": b""} | MEMBERS, "unsafe-archive"),
        ({"demo-1.0/a\\b": b""} | MEMBERS, "unsafe-archive"),
    ],
)
def test_metadata_that_is_missing_or_of_another_file(members: dict[str, bytes], code: str) -> None:
    """An sdist holds, in one directory of its own name, its metadata."""
    assert refusal(build_tar(members)) == code


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"demo-1.0/setup.py": b""}, "missing-metadata"),
        ({"demo-2.0/PKG-INFO": METADATA}, "version-mismatch"),
        (MEMBERS | {"other/x": b""}, "unsafe-archive"),
    ],
)
def test_metadata_that_is_missing_in_a_zip(members: dict[str, bytes], code: str) -> None:
    """The same holds for an sdist that is a zip archive."""
    with pytest.raises(InvalidUpload) as caught:
        read_core_metadata(build_zip(members), ZIP)

    assert caught.value.problems[0].code == code


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_metadata_that_is_not_a_file(kind: bytes) -> None:
    """A link or a directory is not metadata."""
    assert refusal(a_tar_of(a_member(PATH, kind))) == "unsafe-archive"


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.GNUTYPE_SPARSE, b"V"])
def test_members_that_do_not_belong_into_an_sdist(kind: bytes) -> None:
    """Devices, pipes and sparse files are refused where they are met."""
    assert refusal(a_tar_of(a_member("demo-1.0/x", kind), a_member(PATH))) == "unsafe-archive"


@pytest.mark.parametrize("record", ["path", "size", "GNU.sparse.name"])
def test_global_headers_that_change_members(record: str) -> None:
    """Readers differ on such headers, so they are refused."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", pax_headers={record: "3"}) as archive:
        archive.addfile(a_member(PATH))

    assert refusal(packed(raw.getvalue())) == "unsafe-archive"


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
    assert refusal(a_pax_header(content)) == "invalid-archive"


def test_a_path_and_a_size_in_a_pax_header() -> None:
    """Records of pax replace what the member's own header says."""
    size = str(len(METADATA)).encode()
    records = b"%d path=%s\n" % (len(PATH) + 9, PATH.encode()) + b"%d size=%s\n" % (len(size) + 9, size)
    header = a_member("demo-1.0/pax", tarfile.XHDTYPE, size_bytes=len(records)).tobuf()
    member = a_member("demo-1.0/short").tobuf() + METADATA + bytes(-len(METADATA) % 512)

    found = read(packed(header + records + bytes(512 - len(records)) + member))

    assert found == ArchiveMetadata(PATH, METADATA)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_links_and_directories_with_content(kind: bytes) -> None:
    """Readers differ on where the member after them begins."""
    header = bytearray(a_member("demo-1.0/x", kind).tobuf())
    header[124:136] = b"%011o\0" % 512
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:]) + 256)

    assert refusal(packed(bytes(header + unpacked(build_tar(MEMBERS))))) == "unsafe-archive"


@pytest.mark.parametrize("length", [100, 600, 1024 + 200, 1024 + 512 + 20])
def test_a_tar_that_ends_too_early(length: int) -> None:
    """A whole gzip stream can hold half an archive."""
    raw = unpacked(a_tar_of(a_member("demo-1.0/" + "d" * 120), a_member(PATH, size_bytes=len(METADATA))))

    assert refusal(packed(bytes(raw[:length]))) == "invalid-archive"


def test_a_hard_link_with_a_long_target() -> None:
    """GNU tar writes long targets of links as members of their own."""
    link = a_member("demo-1.0/link", tarfile.LNKTYPE)
    link.linkname = "demo-1.0/" + "d" * 120
    file = a_tar_of(link, a_member(PATH, size_bytes=len(METADATA)), form=tarfile.GNU_FORMAT)

    assert read(file).content == METADATA


def test_extended_headers_are_bounded() -> None:
    """A header of 2 MiB is no header, whatever it holds."""
    assert refusal(a_pax_header(random.Random(1).randbytes(2 * 1024 * 1024))) == "archive-too-large"


def test_a_huge_size_in_a_binary_number() -> None:
    """A member that says it has 2**80 bytes is cut off at the end of the file."""
    header = bytearray(a_member("demo-1.0/x").tobuf())
    header[124:136] = b"\x80" + (2**80).to_bytes(11, "big")
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:]) + 256)

    assert refusal(packed(bytes(header + unpacked(build_tar(MEMBERS))))) == "invalid-archive"


def test_files_that_are_no_archives() -> None:
    """Empty files, texts, zips, and gzip files of something else are told apart from archives."""
    for content in (b"", b"hello" * 1000, build_zip(MEMBERS).getvalue(), gzip.compress(b"hello" * 1000)):
        assert refusal(io.BytesIO(content)) == "invalid-archive"


def test_an_empty_archive() -> None:
    """An archive without members has no metadata."""
    assert refusal(build_tar({})) == "missing-metadata"


def test_metadata_over_the_limit() -> None:
    """Metadata that says it is too large is refused before it is inflated."""
    assert refusal(build_tar(MEMBERS), max_metadata_bytes=len(METADATA) - 1) == "archive-too-large"
    assert read(build_tar(MEMBERS), max_metadata_bytes=len(METADATA)).content == METADATA


def test_too_many_members() -> None:
    """The number of headers that are read in search of the metadata is bounded."""
    files = {f"demo-1.0/{number}": b"" for number in range(30)}

    assert refusal(build_tar(files | MEMBERS, form=tarfile.USTAR_FORMAT), max_members=30) == "archive-too-large"
    assert read(build_tar(files | MEMBERS, form=tarfile.USTAR_FORMAT), max_members=32).content == METADATA


def test_a_bomb_before_the_metadata() -> None:
    """Zeros that were packed a thousandfold are inflated up to the limit and no further."""
    file = build_tar({"demo-1.0/zeros": bytes(3_000_000)} | MEMBERS)

    assert refusal(file, free_unpacked_bytes=1_000_000) == "archive-too-large"
    assert refusal(file, max_unpacked_bytes=1_000_000) == "archive-too-large"
    assert read(file).content == METADATA


def test_what_stands_behind_the_metadata_is_not_inflated() -> None:
    """A bomb behind the metadata costs nothing."""
    file = build_tar({PATH: METADATA, "demo-1.0/zeros": bytes(3_000_000)})

    assert read(file, max_unpacked_bytes=100_000).content == METADATA


def test_a_large_member_before_the_metadata() -> None:
    """A large member that does not shrink is passed over in small steps."""
    file = build_tar({"demo-1.0/noise": random.Random(1).randbytes(1_000_001)} | MEMBERS)

    assert read(file).content == METADATA


def test_a_read_error_of_the_disk_is_not_the_uploads_fault() -> None:
    """An error of the disk passes through."""

    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        read(Broken(bytes(100)))


SAMPLE = build_tar(MEMBERS).getvalue()
SAMPLE_RAW = bytes(unpacked(build_tar(MEMBERS)))
changes = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=8)


def outcome(content: bytes) -> bytes | InvalidUpload:
    try:
        return read(io.BytesIO(content)).content
    except InvalidUpload as error:
        return error


@given(st.integers(0, len(SAMPLE) - 1))
def test_a_truncated_sdist_is_refused_or_gives_its_metadata(length: int) -> None:
    """Wherever an sdist is cut off, its metadata was read before that point or it is refused."""
    found = outcome(SAMPLE[:length])

    assert isinstance(found, InvalidUpload) or found == METADATA


@given(changes)
def test_a_damaged_sdist_causes_no_other_error(places: list[tuple[int, int]]) -> None:
    """Whatever bytes of the compressed file are changed, there is metadata or a refusal."""
    content = bytearray(SAMPLE)
    for place, value in places:
        content[place % len(content)] = value

    assert isinstance(outcome(bytes(content)), bytes | InvalidUpload)


@given(changes)
def test_a_damaged_tar_causes_no_other_error(places: list[tuple[int, int]]) -> None:
    """Whatever bytes of the archive are changed before it is compressed, there is metadata or a refusal."""
    content = bytearray(SAMPLE_RAW)
    for place, value in places:
        content[place % len(content)] = value

    assert isinstance(outcome(gzip.compress(content, 1)), bytes | InvalidUpload)


@given(st.binary(max_size=600), st.booleans())
def test_random_bytes_are_refused(content: bytes, compressed: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
    """No bytes cause any other error."""
    assert isinstance(outcome(gzip.compress(content) if compressed else content), InvalidUpload)


@given(st.binary(min_size=12, max_size=12), st.binary(min_size=1, max_size=1), st.binary(max_size=100))
def test_headers_of_any_content_with_a_right_checksum(size: bytes, kind: bytes, name: bytes) -> None:
    """A checksum proves nothing: any size, kind and name is read with care."""
    header = bytearray(a_member("demo-1.0/x").tobuf())
    header[: len(name)] = name
    header[124:136], header[156:157] = size, kind
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:]) + 256)

    assert isinstance(outcome(gzip.compress(header + SAMPLE_RAW, 1)), bytes | InvalidUpload)
