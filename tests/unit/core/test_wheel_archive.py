"""Core metadata of wheels that strangers send."""

from __future__ import annotations

import io
import zipfile

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

from pypiserve.core.archives import ArchiveMetadata
from pypiserve.core.errors import InvalidUpload

FILENAME = "demo-1.0-py3-none-any.whl"
PATH = "demo-1.0.dist-info/METADATA"

MEMBERS = {"demo/__init__.py": b"x = 1\n", PATH: METADATA, "demo-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\n"}

SAMPLE = build_zip(MEMBERS).getvalue()

SAMPLE_STORED = build_zip(MEMBERS, method=zipfile.ZIP_STORED).getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_metadata_is_byte_exact(method: int) -> None:
    """What is served beside the file is what is in the file, stored or deflated."""
    assert read(build_zip(MEMBERS, method=method), FILENAME) == ArchiveMetadata(PATH, METADATA)


@pytest.mark.parametrize("directory", ["Demo_Tools-1.0.0", "demo.tools-1.0", "demo-tools-1.0", "demo_tools-v1.0"])
def test_older_spellings_of_the_directory(directory: str) -> None:
    """The directory may spell name and version differently from the file name."""
    file = build_zip({f"{directory}.dist-info/METADATA": METADATA})

    found = read(file, "demo_tools-1.0-py3-none-any.whl")

    assert found.path == f"{directory}.dist-info/METADATA"


def test_a_local_version_and_an_epoch() -> None:
    """Local versions and epochs are found in the directory as in the file name."""
    file = build_zip({"demo-1!2.0+cu118.dist-info/METADATA": METADATA})

    found = read(file, "demo-1!2.0+cu118-py3-none-any.whl")

    assert found.content == METADATA


def test_two_dist_info_directories() -> None:
    """Readers take the one or the other, so neither is right."""
    assert refusal(build_zip(MEMBERS | {"aaa-9.dist-info/METADATA": METADATA}), FILENAME) == "unsafe-archive"


def test_a_second_dist_info_directory_in_upper_case() -> None:
    """Some systems unpack both into one directory."""
    assert refusal(build_zip(MEMBERS | {"DEMO-1.0.DIST-INFO/METADATA": METADATA}), FILENAME) == "unsafe-archive"


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
    assert refusal(build_zip(members), FILENAME) == code


def test_metadata_over_the_limit() -> None:
    """Metadata that says it is too large is refused before it is read."""
    assert refusal(build_zip(MEMBERS), FILENAME, max_metadata_bytes=len(METADATA) - 1) == "archive-too-large"
    assert read(build_zip(MEMBERS), FILENAME, max_metadata_bytes=len(METADATA)).content == METADATA


def test_a_read_error_of_the_disk_is_not_the_uploads_fault() -> None:
    """An error of the disk passes through."""

    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        read(Broken(bytes(100)), FILENAME)


@given(st.sampled_from([SAMPLE, SAMPLE_STORED]), st.data())
def test_a_truncated_wheel_is_refused(sample: bytes, data: st.DataObject) -> None:
    """Wherever a wheel is cut off, it is refused."""
    length = data.draw(st.integers(0, len(sample) - 1))

    assert isinstance(outcome(sample[:length], FILENAME), InvalidUpload)


@given(st.sampled_from([SAMPLE, SAMPLE_STORED]), st.data())
def test_a_damaged_wheel_is_refused_or_gives_its_metadata(sample: bytes, data: st.DataObject) -> None:
    """Whatever bytes are changed, the metadata is the original or the wheel is refused, never anything else."""
    content = bytearray(sample)
    places = st.integers(0, len(sample) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        content[place] = value

    found = outcome(bytes(content), FILENAME)

    assert isinstance(found, InvalidUpload) or found == METADATA


@given(
    st.binary(max_size=300), st.sampled_from([b"", SAMPLE[:100], b"PK\x03\x04"]), st.sampled_from([b"", SAMPLE[-22:]])
)
def test_random_bytes_are_refused(content: bytes, before: bytes, behind: bytes) -> None:
    """No bytes cause any other error."""
    assert isinstance(outcome(before + content + behind, FILENAME), InvalidUpload)
