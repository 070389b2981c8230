"""Sending many bytes: to fast, slow, stalled and vanishing clients, on connections that go on afterwards."""

from __future__ import annotations

import hashlib
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from forked_server import ForkedServer
from raw_http import RawConnection
from server_process import ServerProcess

from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

BASE = "/api/packages/main/pypi"
SMALL = a_wheel("small", "1.0", padding_bytes=3000)
MEDIUM = a_wheel("medium", "1.0", padding_bytes=300_000)
LARGE = a_wheel("large", "1.0", padding_bytes=30 << 20)
_PATIENCE_SECONDS = 20.0


def address(name: str) -> str:
    """Return where a wheel of version 1.0 is."""
    return f"{BASE}/files/{name}/1.0/{name}-1.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server with a small, a medium and a large file; the tests of this module share it and only read."""
    with ServerUnderTest(tmp_path_factory.mktemp("site")) as server:
        for built in (SMALL, MEDIUM, LARGE):
            assert server.publish(built).status == 201
        yield server


def eventually(is_so: Callable[[], bool]) -> bool:
    """Wait, within a bound, until something is so."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_files_of_all_sizes_share_a_connection(site: ServerUnderTest) -> None:
    """After each file, sent in one step or in many by the kernel, the connection takes the next request."""
    with RawConnection(site) as connection:
        for built in (SMALL, LARGE, MEDIUM, SMALL, LARGE):
            name = built.filename.split("-")[0]
            connection.ask("GET", address(name))
            reply = connection.reply()
            assert reply.status == 200
            assert hashlib.sha256(reply.body).hexdigest() == built.sha256
        connection.ask("GET", address("large"), range="bytes=1000-20000000")
        assert connection.reply().body == LARGE.content[1000:20_000_001]
        connection.ask("GET", "/simple/large/")
        assert b"large-1.0" in connection.reply().body


def test_requests_may_be_sent_ahead(site: ServerUnderTest) -> None:
    """Requests that were sent before the answers are answered in order, bytes never mixed."""
    with RawConnection(site) as connection:
        for name in ("medium", "large", "small"):
            connection.ask("GET", address(name))
        for built in (MEDIUM, LARGE, SMALL):
            assert hashlib.sha256(connection.reply().body).hexdigest() == built.sha256


def test_a_slow_reader_gets_every_byte(site: ServerUnderTest) -> None:
    """A client with a small window that pauses gets the whole file, and others are served meanwhile."""
    with RawConnection(site, receive_buffer_bytes=8192) as slow:
        slow.ask("GET", address("large"))
        slow.head()
        read = hashlib.sha256(slow.read(100_000))
        for _ in range(5):
            assert site.get(address("medium")).body == MEDIUM.content
            read.update(slow.read(1 << 20))
        read.update(slow.read(len(LARGE.content) - 100_000 - (5 << 20)))
        assert read.hexdigest() == LARGE.sha256
        slow.ask("GET", "/-/health")
        assert slow.reply().body == b"ok\n"


def test_many_downloads_at_once(site: ServerUnderTest) -> None:
    """Downloads side by side do not mix."""

    def digest(_: int) -> str:
        return hashlib.sha256(site.get(address("large")).body).hexdigest()

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(digest, range(8))) == {LARGE.sha256}


def test_clients_that_go_away_leave_no_word_in_the_log(
    site: ServerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that closes in the middle, in whatever manner, is no error of the server."""
    for way in ("close", "half-close"):
        with RawConnection(site, receive_buffer_bytes=8192) as connection:
            connection.ask("GET", address("large"))
            connection.head()
            if way == "half-close":
                connection.socket.shutdown(socket.SHUT_WR)
    assert site.get(address("large")).body == LARGE.content
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServerProcess]:
    """Return a server in a process of its own, with the large file."""
    with ForkedServer(tmp_path) as serving:
        assert serving.publish(LARGE).status == 201
        yield serving


def _held(process: ServerProcess) -> list[str]:
    """Return the connections and stored files that a server has open."""
    stored = [target for target in process.open_files() if "/files/" in target]
    return stored + [target for target in process.open_files() if target.startswith("socket:")]


def test_clients_that_go_away_leave_nothing_open(process: ServerProcess) -> None:
    """Clients that close, half-close or reset while the server waits for them give their descriptors back at once."""
    assert eventually(lambda: not [target for target in _held(process) if "/files/" in target])
    before = len(_held(process))
    clients = [RawConnection(process, receive_buffer_bytes=4096) for _ in range(12)]
    for client in clients:
        client.ask("GET", address("large"))
        client.head()
    assert eventually(lambda: sum("/files/" in target for target in _held(process)) == len(clients))
    for number, client in enumerate(clients):
        if number % 3 == 0:
            client.socket.shutdown(socket.SHUT_WR)
        elif number % 3 == 1:
            client.socket.close()
        else:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.socket.close()
    assert eventually(lambda: len(_held(process)) <= before)
    for client in clients:
        client.socket.close()
    with RawConnection(process) as connection:
        connection.ask("GET", address("large"))
        assert hashlib.sha256(connection.reply().body).hexdigest() == LARGE.sha256
    assert "ERROR" not in process.log
    assert "Traceback" not in process.log


def test_a_client_that_goes_away_does_not_disturb_its_successor(process: ServerProcess) -> None:
    """The number of a closed connection is reused at once; the new client's slow download must not be mixed up."""
    for _ in range(15):
        gone = RawConnection(process, receive_buffer_bytes=4096)
        gone.ask("GET", address("large"))
        gone.head()
        time.sleep(0.02)
        with RawConnection(process, receive_buffer_bytes=4096) as successor:
            gone.socket.shutdown(socket.SHUT_WR)
            gone.socket.close()
            successor.ask("GET", address("large"), range="bytes=0-2999999")
            assert successor.reply().body == LARGE.content[:3_000_000]
    assert "ERROR" not in process.log


def test_a_stop_ends_downloads_within_the_bound(tmp_path: Path) -> None:
    """A client that stopped reading does not keep the server from stopping."""
    with ForkedServer(tmp_path, PYPISERVE_SHUTDOWN_SECONDS="1") as serving:
        assert serving.publish(LARGE).status == 201
        with RawConnection(serving, receive_buffer_bytes=4096) as connection:
            connection.ask("GET", address("large"))
            connection.head()
            assert serving.end(signal.SIGTERM) == 0
        assert "Traceback" not in serving.log
