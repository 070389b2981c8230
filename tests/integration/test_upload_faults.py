"""What happens around a server while it publishes: a catalog that is locked, a disk without writing, clients lost."""

from __future__ import annotations

import contextlib
import http.client
import random
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_server import ForkedServer
from raw_http import RawConnection
from uploading import content_part, data_of, encode, head_of, keeps_nothing, published, usual_parts

from pypiserve.catalog import database
from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest

pytestmark = pytest.mark.machine

GROWTH_BYTES = 32 << 20
CUTS = 200


@contextlib.contextmanager
def locked(server: ServerUnderTest, seconds: float) -> Iterator[None]:
    """Hold the catalog's lock for writing as another process would, for so long."""
    held = threading.Event()

    def hold() -> None:
        with contextlib.closing(sqlite3.connect(data_of(server) / "catalog.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            held.set()
            time.sleep(seconds)
            other.execute("ROLLBACK")

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    try:
        yield
    finally:
        holder.join()


def test_an_upload_waits_for_a_locked_catalog(server: ServerUnderTest) -> None:
    """Five seconds of somebody else's transaction: pages are served meanwhile, and the upload succeeds."""
    statuses: list[int] = []
    uploader = threading.Thread(target=lambda: statuses.append(server.publish(a_wheel("late")).status))
    with locked(server, 5):
        uploader.start()
        assert server.get("/api/packages/main/pypi/simple/").status == http.client.OK
        assert server.get("/-/health").status == http.client.OK
        assert published(server, "late") == []
        assert statuses == []
    uploader.join(30)
    assert statuses == [http.client.CREATED]
    assert published(server, "late") == ["late-1.0-py3-none-any.whl"]


def test_a_catalog_locked_for_longer_is_told_and_a_retry_succeeds(
    make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with Retry-After, nothing listed, nothing left in the staging area."""
    monkeypatch.setattr(database, "LOCK_TIMEOUT_SECONDS", 1)
    server, wheel = make_server(), a_wheel("later")
    with locked(server, 3):
        refused = server.publish(wheel)
    assert refused.status == http.client.SERVICE_UNAVAILABLE
    assert "retry-after" in refused.headers
    assert published(server, "later") == []
    assert list((data_of(server) / "staging").iterdir()) == []
    assert server.publish(wheel).status == http.client.CREATED


@pytest.mark.parametrize("folder", ["staging", "files"])
def test_a_folder_that_becomes_read_only_refuses_and_recovers(folder: str, make_server: MakeServer) -> None:
    """503 without a path in it, nothing kept, pages go on; writable again, the same upload succeeds."""
    server = make_server()
    assert server.publish(a_wheel("before")).status == http.client.CREATED
    with read_only(data_of(server) / folder):
        with keeps_nothing(server):
            refused = server.publish(a_wheel("after"))
        assert refused.status == http.client.SERVICE_UNAVAILABLE
        assert str(server.folder) not in refused.text
        assert published(server, "before") == ["before-1.0-py3-none-any.whl"]
    assert server.publish(a_wheel("after")).status == http.client.CREATED


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """
    Mount a folder over itself so that not even root can write to it.

    Skips for users who may not mount.
    """
    bound = subprocess.run(["mount", "--bind", folder, folder], check=False, capture_output=True, text=True)
    if bound.returncode:
        pytest.skip(f"needs the right to mount a file system: {bound.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_clients_that_leave_at_any_byte_leave_nothing(tmp_path: Path) -> None:
    """Two hundred uploads cut at random places: nothing is kept, memory stays, the whole upload succeeds after."""
    wheel = a_wheel("cut", padding_bytes=200_000)
    body = encode([*usual_parts(wheel), content_part(wheel)])
    chance = random.Random(3)
    with ForkedServer(tmp_path) as server:
        message = head_of(server, Content_Length=str(len(body))) + body
        before_bytes = server.resident_bytes()
        with keeps_nothing(server):
            for _ in range(CUTS):
                with RawConnection(server) as connection:
                    connection.send(message[: chance.randrange(1, len(message))])
        assert server.resident_bytes() < before_bytes + GROWTH_BYTES
        assert published(server, "cut") == []
        assert "Traceback" not in server.log
        assert server.publish(wheel).status == http.client.CREATED
