"""No room: the upload is refused, nothing is kept, and the server goes on."""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_server import ForkedServer
from uploading import data_of, keeps_nothing, kept_by, published

from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer

pytestmark = pytest.mark.machine

SENTENCE = "The server has no room left to store this file; nothing was kept, tell its administrator\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """
    Mount a file system of 6 MB.

    Skips for users who may not mount: the tests with a limit on the size of files try the same without.
    """
    disk = tmp_path / "small"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "none", disk], check=False, capture_output=True, text=True
    )
    if mount.returncode:
        pytest.skip(f"needs the right to mount a file system: {mount.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def room_on(disk: Path) -> int:
    """Return the free bytes."""
    facts = os.statvfs(disk)
    return facts.f_bavail * facts.f_frsize


@contextlib.contextmanager
def filled(disk: Path, *, but_for: int) -> Iterator[None]:
    """Leave so many bytes free for a while."""
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, room_on(disk) - but_for)))
    yield
    filler.unlink()


def test_a_full_disk_refuses_and_recovers(small_disk: Path, make_server: MakeServer) -> None:
    """507 in one line; a smaller file fits; with room made, the first one is published."""
    server = make_server(folder=small_disk)
    large, small = a_wheel("large", padding_bytes=5_000_000), a_wheel("small")
    with filled(small_disk, but_for=1_000_000):
        with keeps_nothing(server):
            refused = server.publish(large)
        assert (refused.status, refused.text) == (http.client.INSUFFICIENT_STORAGE, SENTENCE)
        assert refused.reason + "\n" == SENTENCE
        assert server.get("/-/health").status == http.client.OK
        assert server.publish(small).status == http.client.CREATED
    assert server.publish(large).status == http.client.CREATED
    assert published(server, "large") == [large.filename]


def test_every_little_that_is_left_is_enough_or_nothing_is_kept(small_disk: Path, make_server: MakeServer) -> None:
    """Whatever runs out of room, be it staging, the store or the database: all of the file is kept or none."""
    server = make_server(folder=small_disk)
    server.publish(a_wheel("before"))
    statuses = set()
    for number, left in enumerate(range(0, 400_000, 16_384)):
        wheel = a_wheel(f"wheel{number}", padding_bytes=100_000)
        with filled(small_disk, but_for=left):
            before = kept_by(data_of(server))
            reply = server.publish(wheel)
            if reply.status != http.client.CREATED:
                assert (reply.status, reply.text) == (http.client.INSUFFICIENT_STORAGE, SENTENCE)
                assert kept_by(data_of(server)) == before
            assert server.get("/api/packages/main/pypi/simple/before/").status == http.client.OK
        statuses.add(reply.status)
    assert statuses == {http.client.CREATED, http.client.INSUFFICIENT_STORAGE}


def test_a_database_without_room_takes_the_bytes_back(small_disk: Path, make_server: MakeServer) -> None:
    """When the bytes still fit and their row does not, the bytes do not stay to fill the disk for good."""
    server = make_server(folder=small_disk)
    assert server.publish(a_wheel("first")).status == http.client.CREATED
    wheel = a_wheel("nearly", padding_bytes=100_000)
    with filled(small_disk, but_for=len(wheel.content) + 12_288), keeps_nothing(server):
        assert server.publish(wheel).status == http.client.INSUFFICIENT_STORAGE
    assert server.publish(wheel).status == http.client.CREATED


def test_a_limit_on_the_size_of_files_refuses_and_recovers(tmp_path: Path) -> None:
    """The same for a user whose files may not grow: 507, and what fits is published."""
    with ForkedServer(tmp_path) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        with keeps_nothing(server):
            refused = server.publish(a_wheel("large", padding_bytes=4_000_000))
        assert (refused.status, refused.text) == (http.client.INSUFFICIENT_STORAGE, SENTENCE)
        assert server.publish(a_wheel("small")).status == http.client.CREATED
        assert server.get("/-/health").status == http.client.OK
