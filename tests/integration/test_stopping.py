"""The stop: running requests finish, within a bound, and nothing new begins."""

from __future__ import annotations

import http.client
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from forked_server import ForkedServer
from raw_http import RawConnection
from server_process import ServerProcess
from uploading import content_part, data_of, encode, head_of, kept_by, usual_parts

from pypiserve.testing import a_wheel

pytestmark = pytest.mark.machine

WHEEL = a_wheel(padding_bytes=2_000_000)
BODY = encode([*usual_parts(WHEEL), content_part(WHEEL)])
SIGNALS = [signal.SIGTERM, signal.SIGINT]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in another process."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def begin_upload(server: ServerProcess, connection: RawConnection) -> None:
    """Send most of an upload, and wait until the server has begun to write it."""
    connection.send(head_of(server, Content_Length=str(len(BODY))) + BODY[:-1000])
    wait_until(lambda: bool(kept_by(data_of(server)).staged))


def says_that_it_stops(server: ServerProcess) -> bool:
    """Say whether the signal has arrived."""
    return "Stopping" in server.output


def refuses_connections(server: ServerProcess) -> bool:
    """Say whether nobody listens any more."""
    try:
        with socket.create_connection((server.host, server.port), timeout=5):
            return False
    except ConnectionRefusedError:
        return True


@pytest.mark.parametrize("number", SIGNALS)
def test_a_running_upload_finishes(tmp_path: Path, number: signal.Signals) -> None:
    """A slow client gets its 201 after the signal; new ones are refused meanwhile; the exit status is 0."""
    with ServerProcess(tmp_path) as server, RawConnection(server) as connection:
        begin_upload(server, connection)
        server.process.send_signal(number)
        wait_until(lambda: refuses_connections(server))
        connection.send(BODY[-1000:])
        assert connection.reply().status == http.client.CREATED
        assert server.process.wait(20) == 0
        kept = kept_by(data_of(server))
        assert (kept.rows["files"], kept.staged) == (1, ())
    assert "Traceback" not in server.log


def test_an_upload_that_does_not_finish_is_given_up(tmp_path: Path) -> None:
    """After the bound the server stops anyway, leaves nothing of it, and says so without a traceback."""
    (tmp_path / "pypiserve.toml").write_text("shutdown_seconds = 1\n")
    with ForkedServer(tmp_path) as server, RawConnection(server) as connection:
        before = kept_by(data_of(server))
        begin_upload(server, connection)
        assert server.end(signal.SIGTERM) == 0
        assert kept_by(data_of(server)) == before
    assert "Stopped with 1 requests unfinished" in server.log
    assert "Traceback" not in server.log


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_ends_at_once(tmp_path: Path, number: signal.Signals) -> None:
    """Who asks twice does not want to wait for the bound."""
    with ForkedServer(tmp_path, PYPISERVE_SHUTDOWN_SECONDS="600") as server, RawConnection(server) as connection:
        begin_upload(server, connection)
        server.process.send_signal(number)
        wait_until(lambda: says_that_it_stops(server))
        wait_until(lambda: refuses_connections(server))
        assert server.end(number) == 130
    assert "Stopped at once; requests were unfinished." in server.log
    assert "Traceback" not in server.log


def test_idle_connections_do_not_delay_the_stop(tmp_path: Path) -> None:
    """Clients keep connections open that they may use again; nobody waits for them."""
    with ForkedServer(tmp_path, PYPISERVE_SHUTDOWN_SECONDS="600") as server:
        with RawConnection(server) as used, RawConnection(server) as unused, RawConnection(server) as begun:
            used.send(b"GET /-/health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert used.reply().status == http.client.OK
            begun.send(b"GET /-/health HTTP/1.1\r\n")
            assert server.end(signal.SIGTERM) == 0
            assert unused.is_at_end()
        assert "unfinished" not in server.log


def test_the_last_words_of_a_refused_upload_are_waited_for(tmp_path: Path) -> None:
    """A client without rights, in the middle of sending, still sees its 401."""
    with ForkedServer(tmp_path) as server, RawConnection(server) as connection:
        connection.send(head_of(server, token="wrong", Content_Length=str(len(BODY))) + BODY[:-1000])
        wait_until(lambda: " 401 " in server.log)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(server))
        connection.send(BODY[-1000:])
        assert connection.reply().status == http.client.UNAUTHORIZED
        assert server.process.wait(20) == 0


def test_a_client_that_left_before_the_answer_does_not_delay_or_break_the_stop(tmp_path: Path) -> None:
    """Its upload was complete: it is published, or it is not, and the log has no traceback."""
    with ForkedServer(tmp_path) as server:
        with RawConnection(server) as connection:
            connection.send(head_of(server, Content_Length=str(len(BODY))) + BODY)
        assert server.end(signal.SIGTERM) == 0
        assert kept_by(data_of(server)).staged == ()
    assert "Traceback" not in server.log
    assert "unfinished" not in server.log
