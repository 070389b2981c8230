"""Gzip streams that are longer than they look."""

from __future__ import annotations

import gzip
import io
import random

from archive_samples import (
    METADATA,
    build_tar,
    read,
    refusal,
    unpacked,
)

FILENAME = "demo-1.0.tar.gz"
PATH = "demo-1.0/PKG-INFO"

MEMBERS = {"demo-1.0/setup.py": b"x = 1\n" * 200, PATH: METADATA, "demo-1.0/demo.egg-info/PKG-INFO": b"other"}

SAMPLE = build_tar(MEMBERS).getvalue()


def test_several_gzip_streams_in_one_file() -> None:
    """A gzip file may be several, one after the other, as parallel packers write it."""
    raw = unpacked(build_tar(MEMBERS))

    assert read(io.BytesIO(gzip.compress(raw[:700]) + gzip.compress(raw[700:])), FILENAME).content == METADATA


def test_too_many_gzip_streams() -> None:
    """Empty streams cost time without adding to the inflated bytes, so their number is bounded."""
    assert refusal(io.BytesIO(gzip.compress(b"") * 2000 + SAMPLE), FILENAME) == "archive-too-large"


def test_a_bomb_before_the_metadata() -> None:
    """Zeros that were packed a thousandfold are inflated up to the limit and no further."""
    file = build_tar({"demo-1.0/zeros": bytes(3_000_000)} | MEMBERS)

    assert refusal(file, FILENAME, free_unpacked_bytes=1_000_000) == "archive-too-large"
    assert refusal(file, FILENAME, max_unpacked_bytes=1_000_000) == "archive-too-large"
    assert read(file, FILENAME).content == METADATA


def test_a_bomb_in_many_streams() -> None:
    """The compressed bytes of each stream count once, however many streams there are."""
    raw = bytes(unpacked(build_tar({"demo-1.0/zeros": bytes(4_000_000)} | MEMBERS)))
    streams = b"".join(gzip.compress(raw[start : start + 20_000]) for start in range(0, len(raw), 20_000))

    assert refusal(io.BytesIO(streams), FILENAME, free_unpacked_bytes=1_000_000) == "archive-too-large"
    assert read(io.BytesIO(streams), FILENAME).content == METADATA


def test_what_stands_behind_the_metadata_is_not_inflated() -> None:
    """A bomb behind the metadata costs nothing."""
    file = build_tar({PATH: METADATA, "demo-1.0/zeros": bytes(3_000_000)})

    assert read(file, FILENAME, max_unpacked_bytes=100_000).content == METADATA


def test_a_large_member_before_the_metadata() -> None:
    """A large member that does not shrink is passed over in small steps."""
    file = build_tar({"demo-1.0/noise": random.Random(1).randbytes(1_000_001)} | MEMBERS)

    assert read(file, FILENAME).content == METADATA
