"""Zip files that lie, or that readers understand in different ways."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import BinaryIO, cast

import pytest
from archive_samples import (
    METADATA,
    build_zip,
    outcome,
    read,
    refusal,
)
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.core.errors import InvalidUpload

FILENAME = "demo-1.0-py3-none-any.whl"
PATH = "demo-1.0.dist-info/METADATA"

MEMBERS = {"demo/__init__.py": b"x = 1\n", PATH: METADATA, "demo-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\n"}

SAMPLE = build_zip(MEMBERS).getvalue()

END, END64, LOCATOR = -22, -22 - 20 - 56, -22 - 20


def edited(change: Callable[[bytearray], None]) -> io.BytesIO:
    content = bytearray(build_zip(MEMBERS).getvalue())
    change(content)
    return io.BytesIO(content)


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

    assert read(io.BytesIO(pipe.content), FILENAME).content == METADATA


def test_64_bit_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wheels over 4 GiB have 64 bit sizes and offsets; so do small ones from some writers."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    file = build_zip(MEMBERS, method=zipfile.ZIP_STORED)

    assert b"PK\x06\x06" in file.getvalue()
    assert read(file, FILENAME).content == METADATA


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name() -> None:
    """Readers take the first or the last."""
    file = build_zip(MEMBERS)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(PATH, b"Name: other\n")

    assert refusal(file, FILENAME) == "unsafe-archive"


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "demo/../../x", "C:/x", "demo\\x", "demo//x", "./x", "a\nb", "\x7f"]
)
def test_members_that_lead_out_of_the_archive(name: str) -> None:
    """Paths that an installer could resolve to somewhere else are refused."""
    assert refusal(build_zip(MEMBERS | {name: b""}), FILENAME) == "unsafe-archive"


def test_metadata_that_is_a_link() -> None:
    """A link is not metadata."""
    file = build_zip({})
    info = zipfile.ZipInfo(PATH)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("demo/__init__.py", b"")
        archive.writestr(info, "elsewhere")

    assert refusal(file, FILENAME) == "unsafe-archive"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression(method: int) -> None:
    """Installers read stored and deflated members only."""
    assert refusal(build_zip(MEMBERS, method=method), FILENAME) == "unsafe-archive"


def test_an_encrypted_member() -> None:
    """Nobody can install an encrypted wheel."""

    def encrypt(content: bytearray) -> None:
        content[content.index(b"PK\x01\x02") + 8] |= 1

    assert refusal(edited(encrypt), FILENAME) == "unsafe-archive"


def test_a_name_that_is_not_utf_8() -> None:
    """Readers disagree on the letters of such a name."""
    file = build_zip(MEMBERS | {"XX": b""})

    assert refusal(io.BytesIO(file.getvalue().replace(b"XX", b"\xff\xfe")), FILENAME) == "unsafe-archive"


@pytest.mark.parametrize(("before", "behind"), [(b"#!", b""), (b"", b"\n"), (b"", b"\0" * 22), (b"PK\x03\x04", b"")])
def test_bytes_around_the_archive(before: bytes, behind: bytes) -> None:
    """Nothing stands before the first member or behind the end record."""
    assert refusal(io.BytesIO(before + build_zip(MEMBERS).getvalue() + behind), FILENAME) == "invalid-archive"


def test_bytes_before_the_end_record() -> None:
    """Nothing stands between the list of members and the end record."""
    content = build_zip(MEMBERS).getvalue()

    assert refusal(io.BytesIO(content[:END] + b"more" + content[END:]), FILENAME) == "invalid-archive"


@pytest.mark.parametrize("place", [6, 8, 14, 18, 22])
def test_headers_that_differ_in_numbers(place: int) -> None:
    """Flags, method, checksum and sizes of the metadata are the same in both of its headers."""
    content = bytearray(build_zip({PATH: METADATA}).getvalue())
    content[place] ^= 2

    assert refusal(io.BytesIO(content), FILENAME) == "unsafe-archive"


def test_an_archive_with_a_comment() -> None:
    """A comment can hold a second archive, so there is none."""
    file = build_zip(MEMBERS)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"hello"

    assert refusal(file, FILENAME) == "invalid-archive"


def test_headers_that_contradict_each_other() -> None:
    """A name that differs between the member and the list of members is seen by some readers only."""
    local = build_zip(MEMBERS).getvalue().replace(PATH.encode(), PATH.replace("demo", "evil").encode(), 1)

    assert refusal(io.BytesIO(local), FILENAME) == "unsafe-archive"


def test_a_wrong_checksum() -> None:
    """Damaged metadata is found by its checksum."""
    content = build_zip(MEMBERS, method=zipfile.ZIP_STORED).getvalue().replace(b"demonstration", b"demonstratioN")

    assert refusal(io.BytesIO(content), FILENAME) == "invalid-archive"


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

    assert refusal(edited(change), FILENAME) == code


@pytest.mark.parametrize(("count", "hint"), [(2, "longer than its end record"), (4, "is cut off")])
def test_a_wrong_number_of_members(count: int, hint: str) -> None:
    """The list of members is exactly as long as the end record says."""

    def change(content: bytearray) -> None:
        content[END + 8 : END + 12] = struct.pack("<2H", count, count)

    with pytest.raises(InvalidUpload, match=hint):
        read(edited(change), FILENAME)


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

    assert refusal(io.BytesIO(content), FILENAME) == code


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
        read(io.BytesIO(content), FILENAME)


def test_metadata_that_is_larger_than_it_says() -> None:
    """A bomb that states a small size is inflated to that size and one byte, no further."""
    bomb = build_zip({"demo/__init__.py": b"", PATH: bytes(50_000_000)}).getvalue()
    sizes = struct.pack("<L", 50_000_000)
    liar = io.BytesIO(bomb.replace(sizes, struct.pack("<L", 100)))

    tracemalloc.start()
    code = refusal(liar, FILENAME)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert code == "invalid-archive"
    assert peak_bytes < 5_000_000


def test_too_many_members() -> None:
    """The number of members is bounded, and so is the room that their names take."""
    assert refusal(build_zip(MEMBERS), FILENAME, max_members=2) == "archive-too-large"
    assert refusal(build_zip(MEMBERS), FILENAME, max_directory_bytes=100) == "archive-too-large"
    assert read(build_zip(MEMBERS), FILENAME, max_members=3).content == METADATA


@given(st.lists(st.integers(0, 2**64 - 1), min_size=4, max_size=4), st.integers(0, 2**64 - 1))
def test_64_bit_end_records_that_lie_are_refused(numbers: list[int], place: int) -> None:
    """Counts, sizes and offsets of any magnitude are checked before anything is read by them."""
    here, count, size, offset = numbers
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, here, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, place, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)

    assert isinstance(outcome(SAMPLE[:-22] + end64 + locator + end, FILENAME), InvalidUpload)
