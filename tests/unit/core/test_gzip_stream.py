"""Gzip streams that are longer than they look."""

from __future__ import annotations

import gzip
import io
import random

import pytest
from archive_samples import (
    METADATA,
    build_tar,
    packed,
    read,
    refusal,
    unpacked,
)

FILENAME = "demo-1.0.tar.gz"
PATH = "demo-1.0/PKG-INFO"

MEMBERS = {"demo-1.0/setup.py": b"x = 1\n" * 200, PATH: METADATA, "demo-1.0/demo.egg-info/PKG-INFO": b"other"}

SAMPLE = build_tar(MEMBERS).getvalue()


@pytest.mark.parametrize("cut", [0, 700, -1])
def test_several_gzip_streams_in_one_file(cut: int) -> None:
    """uv reads the first stream only, and Python all of them: such an sdist is two."""
    raw = bytes(unpacked(build_tar(MEMBERS)))

    assert refusal(io.BytesIO(gzip.compress(raw[:cut]) + gzip.compress(raw[cut:])), FILENAME) == "unsafe-archive"


def test_zeros_behind_the_stream() -> None:
    """Tapes and some file systems pad files with zeros, which all readers ignore."""
    assert read(io.BytesIO(SAMPLE + bytes(200_000)), FILENAME).content == METADATA


@pytest.mark.parametrize("rest", [b"x", bytes(70_000) + b"x", b"PK", b"\x1f"])
def test_something_behind_the_stream(rest: bytes) -> None:
    """Nothing else may stand there, near or far."""
    assert refusal(io.BytesIO(SAMPLE + rest), FILENAME) == "unsafe-archive"


@pytest.mark.parametrize("place", [-8, -5, -4, -1])
def test_a_wrong_checksum_or_size(place: int) -> None:
    """The last eight bytes are the checksum and the size of what was inflated."""
    damaged = bytearray(SAMPLE)
    damaged[place] ^= 1

    assert refusal(io.BytesIO(damaged), FILENAME) == "invalid-archive"


@pytest.mark.parametrize("missing", [1, 8, 20])
def test_a_stream_that_is_cut_off(missing: int) -> None:
    """A stream without its last bytes is not whole, even if all members can be read."""
    assert refusal(io.BytesIO(SAMPLE[:-missing]), FILENAME) == "invalid-archive"


def test_a_bomb_before_the_metadata() -> None:
    """Zeros that were packed a thousandfold are inflated up to the limit and no further."""
    file = build_tar({"demo-1.0/zeros": bytes(3_000_000)} | MEMBERS)

    assert refusal(file, FILENAME, free_unpacked_bytes=1_000_000) == "archive-too-large"
    assert refusal(file, FILENAME, max_unpacked_bytes=1_000_000) == "archive-too-large"
    assert read(file, FILENAME).content == METADATA


def test_a_bomb_behind_the_metadata() -> None:
    """All of an sdist is looked at, and what stands behind the metadata is bounded alike."""
    file = build_tar(MEMBERS | {"demo-1.0/zeros": bytes(3_000_000)})

    assert refusal(file, FILENAME, free_unpacked_bytes=1_000_000) == "archive-too-large"


def test_a_bomb_behind_the_end_of_the_archive() -> None:
    """Zeros behind the end mark are inflated up to the limit as well."""
    file = packed(bytes(unpacked(build_tar(MEMBERS))) + bytes(3_000_000))

    assert refusal(file, FILENAME, free_unpacked_bytes=1_000_000) == "archive-too-large"


def test_a_large_member_before_the_metadata() -> None:
    """A large member that does not shrink is passed over in small steps."""
    file = build_tar({"demo-1.0/noise": random.Random(1).randbytes(1_000_001)} | MEMBERS)

    assert read(file, FILENAME).content == METADATA
