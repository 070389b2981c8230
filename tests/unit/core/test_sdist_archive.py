"""Core metadata of sdists that strangers send."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest
from archive_samples import (
    METADATA,
    a_member,
    a_tar_of,
    build_tar,
    build_zip,
    outcome,
    read,
    refusal,
)
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.core.archives import ArchiveMetadata
from pypiserve.core.errors import InvalidUpload

FILENAME = "demo-1.0.tar.gz"
PATH = "demo-1.0/PKG-INFO"

MEMBERS = {"demo-1.0/setup.py": b"x = 1\n" * 200, PATH: METADATA, "demo-1.0/demo.egg-info/PKG-INFO": b"other"}

SAMPLE = build_tar(MEMBERS).getvalue()

changes = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=8)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_metadata_is_byte_exact(form: int) -> None:
    """PKG-INFO is read from each kind of tar archive, exactly."""
    assert read(build_tar(MEMBERS, form=form), FILENAME) == ArchiveMetadata(PATH, METADATA)


def test_a_zip() -> None:
    """An sdist may be a zip archive."""
    assert read(build_zip(MEMBERS), "demo-1.0.zip") == ArchiveMetadata(PATH, METADATA)


@pytest.mark.parametrize("top", ["Demo.Tools-1.0", "demo-tools-1.0.0", "demo_tools-1.0", "demo--tools-v1.0"])
def test_older_spellings_of_the_top_level_directory(top: str) -> None:
    """The directory may spell name and version differently from the file name."""
    assert read(build_tar({f"{top}/PKG-INFO": METADATA}), "demo_tools-1.0.tar.gz").path == f"{top}/PKG-INFO"


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
    assert refusal(build_tar(members), FILENAME) == code


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
    assert refusal(build_zip(members), "demo-1.0.zip") == code


@pytest.mark.parametrize("place", [b"setup.py", b"x = 1"])
def test_damage_behind_the_metadata_of_a_zip(place: bytes) -> None:
    """All of a zip is looked at, not only its metadata: each name, and each checksum."""
    file = build_zip({"demo-1.0/PKG-INFO": METADATA, "demo-1.0/setup.py": b"x = 1"}, method=zipfile.ZIP_STORED)
    content = file.getvalue().replace(place, b"X" + place[1:], 1)

    assert refusal(io.BytesIO(content), "demo-1.0.zip") in {"invalid-archive", "unsafe-archive"}


def test_a_bomb_in_a_zip() -> None:
    """A zip that unpacks to too much is refused by what its directory says."""
    file = build_zip(MEMBERS | {"demo-1.0/zeros": bytes(3_000_000)})

    assert refusal(file, "demo-1.0.zip", free_unpacked_bytes=1_000_000) == "archive-too-large"


def test_a_file_in_a_file_of_a_zip() -> None:
    """A path cannot be a file and a directory."""
    members = MEMBERS | {"demo-1.0/a": b"", "demo-1.0/a/b": b""}

    assert refusal(build_zip(members), "demo-1.0.zip") == "unsafe-archive"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_metadata_that_is_not_a_file(kind: bytes) -> None:
    """A link or a directory is not metadata."""
    assert refusal(a_tar_of(a_member(PATH, kind)), FILENAME) == "unsafe-archive"


def test_files_that_are_no_archives() -> None:
    """Empty files, texts, zips, and gzip files of something else are told apart from archives."""
    for content in (b"", b"hello" * 1000, build_zip(MEMBERS).getvalue(), gzip.compress(b"hello" * 1000)):
        assert refusal(io.BytesIO(content), FILENAME) == "invalid-archive"


def test_an_empty_archive() -> None:
    """An archive without members has no metadata."""
    assert refusal(build_tar({}), FILENAME) == "missing-metadata"


def test_metadata_over_the_limit() -> None:
    """Metadata that says it is too large is refused before it is inflated."""
    assert refusal(build_tar(MEMBERS), FILENAME, max_metadata_bytes=len(METADATA) - 1) == "archive-too-large"
    assert read(build_tar(MEMBERS), FILENAME, max_metadata_bytes=len(METADATA)).content == METADATA


def test_a_read_error_of_the_disk_is_not_the_uploads_fault() -> None:
    """An error of the disk passes through."""

    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        read(Broken(bytes(100)), FILENAME)


@given(st.integers(0, len(SAMPLE) - 1))
def test_a_truncated_sdist_is_refused_or_gives_its_metadata(length: int) -> None:
    """Wherever an sdist is cut off, its metadata was read before that point or it is refused."""
    found = outcome(SAMPLE[:length], FILENAME)

    assert isinstance(found, InvalidUpload) or found == METADATA


@given(changes)
def test_a_damaged_sdist_causes_no_other_error(places: list[tuple[int, int]]) -> None:
    """Whatever bytes of the compressed file are changed, there is metadata or a refusal."""
    content = bytearray(SAMPLE)
    for place, value in places:
        content[place % len(content)] = value

    assert isinstance(outcome(bytes(content), FILENAME), bytes | InvalidUpload)


@given(st.binary(max_size=600), st.booleans())
def test_random_bytes_are_refused(content: bytes, compressed: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
    """No bytes cause any other error."""
    assert isinstance(outcome(gzip.compress(content) if compressed else content, FILENAME), InvalidUpload)
