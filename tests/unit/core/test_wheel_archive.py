"""Core metadata of wheels that strangers send."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

import pytest
from archive_samples import METADATA, build_zip
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.core.archives import ArchiveLimits, ArchiveMetadata, read_core_metadata
from pypiserve.core.errors import InvalidUpload
from pypiserve.core.filenames import parse_filename

NAME = parse_filename("demo-1.0-py3-none-any.whl")
PATH = "demo-1.0.dist-info/METADATA"
MEMBERS = {"demo/__init__.py": b"x = 1\n", PATH: METADATA, "demo-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\n"}


def read(file: BinaryIO, **limits: int) -> ArchiveMetadata:
    return read_core_metadata(file, NAME, limits=ArchiveLimits(**limits))


def refusal(file: BinaryIO, **limits: int) -> str:
    """Return the code of the one problem; its message is one line that can go into a header."""
    with pytest.raises(InvalidUpload) as caught:
        read(file, **limits)
    (problem,) = caught.value.problems
    assert problem.message.isascii()
    assert problem.message.isprintable()
    return problem.code


def edited(change: Callable[[bytearray], None]) -> io.BytesIO:
    content = bytearray(build_zip(MEMBERS).getvalue())
    change(content)
    return io.BytesIO(content)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_metadata_is_byte_exact(method: int) -> None:
    """What is served beside the file is what is in the file, stored or deflated."""
    assert read(build_zip(MEMBERS, method=method)) == ArchiveMetadata(PATH, METADATA)


@pytest.mark.parametrize("directory", ["Demo_Tools-1.0.0", "demo.tools-1.0", "demo-tools-1.0", "demo_tools-v1.0"])
def test_older_spellings_of_the_directory(directory: str) -> None:
    """The directory may spell name and version differently from the file name."""
    file = build_zip({f"{directory}.dist-info/METADATA": METADATA})

    found = read_core_metadata(file, parse_filename("demo_tools-1.0-py3-none-any.whl"))

    assert found.path == f"{directory}.dist-info/METADATA"


def test_a_local_version_and_an_epoch() -> None:
    """Local versions and epochs are found in the directory as in the file name."""
    file = build_zip({"demo-1!2.0+cu118.dist-info/METADATA": METADATA})

    found = read_core_metadata(file, parse_filename("demo-1!2.0+cu118-py3-none-any.whl"))

    assert found.content == METADATA


def test_a_wheel_written_without_seeking() -> None:
    """Sizes behind the members, as writers to a pipe leave them, are fine."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            super().__init__()
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            piece = bytes(cast("bytes", data))
            self.content += piece
            return len(piece)

    pipe = Pipe()
    with zipfile.ZipFile(cast("BinaryIO", pipe), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(PATH, METADATA)

    assert read(io.BytesIO(pipe.content)).content == METADATA


def test_64_bit_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wheels over 4 GiB have 64 bit sizes and offsets; so do small ones from some writers."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    file = build_zip(MEMBERS, method=zipfile.ZIP_STORED)

    assert b"PK\x06\x06" in file.getvalue()
    assert read(file).content == METADATA


def test_two_dist_info_directories() -> None:
    """Readers take the one or the other, so neither is right."""
    assert refusal(build_zip(MEMBERS | {"aaa-9.dist-info/METADATA": METADATA})) == "unsafe-archive"


def test_a_second_dist_info_directory_in_upper_case() -> None:
    """Some systems unpack both into one directory."""
    assert refusal(build_zip(MEMBERS | {"DEMO-1.0.DIST-INFO/METADATA": METADATA})) == "unsafe-archive"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name() -> None:
    """Readers take the first or the last."""
    file = build_zip(MEMBERS)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(PATH, b"Name: other\n")

    assert refusal(file) == "unsafe-archive"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"demo/__init__.py": b""}, "missing-metadata"),
        ({"demo-1.0.dist-info/WHEEL": b""}, "missing-metadata"),
        ({"demo/demo-1.0.dist-info/METADATA": METADATA}, "missing-metadata"),
        ({"other-1.0.dist-info/METADATA": METADATA}, "name-mismatch"),
        ({"demo-2.0.dist-info/METADATA": METADATA}, "version-mismatch"),
        ({"demo.dist-info/METADATA": METADATA}, "name-mismatch"),
        ({"demo-1.0-1.dist-info/METADATA": METADATA}, "version-mismatch"),
        ({}, "invalid-archive"),
    ],
)
def test_metadata_that_is_missing_or_of_another_file(members: dict[str, bytes], code: str) -> None:
    """A wheel holds the metadata that its file name promises."""
    assert refusal(build_zip(members)) == code


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "demo/../../x", "C:/x", "demo\\x", "demo//x", "./x", "a\nb", "\x7f"]
)
def test_members_that_lead_out_of_the_archive(name: str) -> None:
    """Paths that an installer could resolve to somewhere else are refused."""
    assert refusal(build_zip(MEMBERS | {name: b""})) == "unsafe-archive"


def test_metadata_that_is_a_link() -> None:
    """A link is not metadata."""
    file = build_zip({})
    info = zipfile.ZipInfo(PATH)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("demo/__init__.py", b"")
        archive.writestr(info, "elsewhere")

    assert refusal(file) == "unsafe-archive"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression(method: int) -> None:
    """Installers read stored and deflated members only."""
    assert refusal(build_zip(MEMBERS, method=method)) == "unsafe-archive"


def test_an_encrypted_member() -> None:
    """Nobody can install an encrypted wheel."""

    def encrypt(content: bytearray) -> None:
        content[content.index(b"PK\x01\x02") + 8] |= 1

    assert refusal(edited(encrypt)) == "unsafe-archive"


def test_a_name_that_is_not_utf_8() -> None:
    """Readers disagree on the letters of such a name."""
    file = build_zip(MEMBERS | {"XX": b""})

    assert refusal(io.BytesIO(file.getvalue().replace(b"XX", b"\xff\xfe"))) == "unsafe-archive"


@pytest.mark.parametrize(("before", "behind"), [(b"#!", b""), (b"", b"\n"), (b"", b"\0" * 22), (b"PK\x03\x04", b"")])
def test_bytes_around_the_archive(before: bytes, behind: bytes) -> None:
    """Nothing stands before the first member or behind the end record."""
    assert refusal(io.BytesIO(before + build_zip(MEMBERS).getvalue() + behind)) == "invalid-archive"


def test_an_archive_with_a_comment() -> None:
    """A comment can hold a second archive, so there is none."""
    file = build_zip(MEMBERS)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"hello"

    assert refusal(file) == "invalid-archive"


def test_headers_that_contradict_each_other() -> None:
    """A name that differs between the member and the list of members is seen by some readers only."""
    local = build_zip(MEMBERS).getvalue().replace(PATH.encode(), PATH.replace("demo", "evil").encode(), 1)

    assert refusal(io.BytesIO(local)) == "unsafe-archive"


def test_a_wrong_checksum() -> None:
    """Damaged metadata is found by its checksum."""
    content = build_zip(MEMBERS, method=zipfile.ZIP_STORED).getvalue().replace(b"demonstration", b"demonstratioN")

    assert refusal(io.BytesIO(content)) == "invalid-archive"


END, END64, LOCATOR = -22, -22 - 20 - 56, -22 - 20


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        (END + 4, 1, "invalid-archive"),
        (END + 8, 9, "invalid-archive"),
        (END + 12, 0, "invalid-archive"),
        (END + 16, 1, "invalid-archive"),
    ],
)
def test_end_records_that_lie(place: int, value: int, code: str) -> None:
    """Disks, counts, sizes and offsets of the end record are held against the file."""

    def change(content: bytearray) -> None:
        content[place] = value

    assert refusal(edited(change)) == code


@pytest.mark.parametrize(("count", "hint"), [(2, "longer than its end record"), (4, "is cut off")])
def test_a_wrong_number_of_members(count: int, hint: str) -> None:
    """The list of members is exactly as long as the end record says."""

    def change(content: bytearray) -> None:
        content[END + 8 : END + 12] = struct.pack("<2H", count, count)

    with pytest.raises(InvalidUpload, match=hint):
        read(edited(change))


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        (END64 + 4, 45, "invalid-archive"),
        (END64 + 16, 1, "invalid-archive"),
        (END64 + 24, 9, "invalid-archive"),
        (LOCATOR + 8, 1, "invalid-archive"),
        (LOCATOR + 16, 2, "invalid-archive"),
        (END + 12, 1, "unsafe-archive"),
    ],
)
def test_64_bit_end_records_that_contradict(
    monkeypatch: pytest.MonkeyPatch, place: int, value: int, code: str
) -> None:
    """What the two end records and the locator between them say must agree."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    content = bytearray(build_zip(MEMBERS).getvalue())
    content[place] = value

    assert refusal(io.BytesIO(content)) == code


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        (20, 2**32 - 1, "64 bit sizes are missing"),
        (20, 10_000, "is cut off"),
        (42, 1, "is not where"),
        (42, 2**31, "is not where"),
    ],
)
def test_entries_that_lie(field: int, value: int, hint: str) -> None:
    """Sizes and offsets in the list of members are held against the file before anything is read by them."""
    content = bytearray(build_zip({PATH: METADATA}).getvalue())
    central = content.index(b"PK\x01\x02")
    content[central + field : central + field + 4] = struct.pack("<L", value)
    # The other header agrees, so that only the file itself can contradict.
    if field == 20:  # the packed size
        content[18:22] = struct.pack("<L", value)

    with pytest.raises(InvalidUpload, match=hint):
        read(io.BytesIO(content))


def test_metadata_over_the_limit() -> None:
    """Metadata that says it is too large is refused before it is read."""
    assert refusal(build_zip(MEMBERS), max_metadata_bytes=len(METADATA) - 1) == "archive-too-large"
    assert read(build_zip(MEMBERS), max_metadata_bytes=len(METADATA)).content == METADATA


def test_metadata_that_is_larger_than_it_says() -> None:
    """A bomb that states a small size is inflated to that size and one byte, no further."""
    bomb = build_zip({"demo/__init__.py": b"", PATH: bytes(50_000_000)}).getvalue()
    sizes = struct.pack("<L", 50_000_000)

    assert refusal(io.BytesIO(bomb.replace(sizes, struct.pack("<L", 100)))) == "invalid-archive"


def test_too_many_members() -> None:
    """The number of members is bounded, and so is the room that their names take."""
    assert refusal(build_zip(MEMBERS), max_members=2) == "archive-too-large"
    assert refusal(build_zip(MEMBERS), max_directory_bytes=100) == "archive-too-large"
    assert read(build_zip(MEMBERS), max_members=3).content == METADATA


def test_only_metadata_is_inflated() -> None:
    """A payload that cannot be inflated does not matter: its cost is not paid here."""
    noise = zlib.compress(b"x" * 1000, 0)[2:]
    content = bytearray(build_zip({"demo/data": bytes(1000)} | MEMBERS).getvalue())
    start = 30 + len("demo/data")
    content[start : start + 5] = noise[::-1][:5]

    assert read(io.BytesIO(content)).content == METADATA


def test_a_read_error_of_the_disk_is_not_the_uploads_fault() -> None:
    """An error of the disk passes through."""

    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        read(Broken(bytes(100)))


SAMPLE = build_zip(MEMBERS).getvalue()
SAMPLE_STORED = build_zip(MEMBERS, method=zipfile.ZIP_STORED).getvalue()


def outcome(content: bytes) -> bytes | InvalidUpload:
    try:
        return read(io.BytesIO(content)).content
    except InvalidUpload as error:
        return error


@given(st.sampled_from([SAMPLE, SAMPLE_STORED]), st.data())
def test_a_truncated_wheel_is_refused(sample: bytes, data: st.DataObject) -> None:
    """Wherever a wheel is cut off, it is refused."""
    length = data.draw(st.integers(0, len(sample) - 1))

    assert isinstance(outcome(sample[:length]), InvalidUpload)


@given(st.sampled_from([SAMPLE, SAMPLE_STORED]), st.data())
def test_a_damaged_wheel_is_refused_or_gives_its_metadata(sample: bytes, data: st.DataObject) -> None:
    """Whatever bytes are changed, the metadata is the original or the wheel is refused, never anything else."""
    content = bytearray(sample)
    places = st.integers(0, len(sample) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        content[place] = value

    found = outcome(bytes(content))

    assert isinstance(found, InvalidUpload) or found == METADATA


@given(
    st.binary(max_size=300), st.sampled_from([b"", SAMPLE[:100], b"PK\x03\x04"]), st.sampled_from([b"", SAMPLE[-22:]])
)
def test_random_bytes_are_refused(content: bytes, before: bytes, behind: bytes) -> None:
    """No bytes cause any other error."""
    assert isinstance(outcome(before + content + behind), InvalidUpload)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=4, max_size=4), st.integers(0, 2**64 - 1))
def test_64_bit_end_records_that_lie_are_refused(numbers: list[int], place: int) -> None:
    """Counts, sizes and offsets of any magnitude are checked before anything is read by them."""
    here, count, size, offset = numbers
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, here, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, place, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)

    assert isinstance(outcome(SAMPLE[:-22] + end64 + locator + end), InvalidUpload)
