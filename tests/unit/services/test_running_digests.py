"""The digests of a file while it comes in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from pypiserve.services.running_digests import RunningDigests

PIECES = [b"head", bytes(range(256)) * 4096, b"", b"x" * 200_000, b"tail"]


@pytest.fixture(params=[False, True], ids=["alone", "with threads"])
def threads(request: pytest.FixtureRequest) -> Iterator[Executor | None]:
    """Return threads that help, or none."""
    if not request.param:
        yield None
        return
    with ThreadPoolExecutor(2) as executor:
        yield executor


def test_the_digests_are_those_of_the_whole_file(threads: Executor | None) -> None:
    """Small pieces and large ones, whoever computes them, are taken in their order."""
    digests = RunningDigests(threads)
    for piece in PIECES:
        with digests.taking(piece):
            pass
    whole = b"".join(PIECES)
    assert digests.sha256 == hashlib.sha256(whole).hexdigest()
    assert digests.md5 == hashlib.md5(whole, usedforsecurity=False).hexdigest()
    assert digests.blake2b_256 == hashlib.blake2b(whole, digest_size=32).hexdigest()


def test_a_block_that_fails_leaves_no_thread_at_work(threads: Executor | None) -> None:
    """The error passes, and the piece is used by nobody afterwards."""
    digests = RunningDigests(threads)
    with pytest.raises(OSError, match="full"), digests.taking(PIECES[1]):
        raise OSError("full")
    assert digests.sha256 == hashlib.sha256(b"").hexdigest()
