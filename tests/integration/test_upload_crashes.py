"""Power failures and kills: nothing half-published, nothing lost that was answered."""

from __future__ import annotations

import fcntl
import http.client
import signal
import time
from pathlib import Path

import pytest
from forked_server import ForkedServer
from raw_http import RawConnection
from uploading import content_part, data_of, encode, head_of, kept_by, published, usual_parts

from pypiserve.services.staging import StagingArea
from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer

pytestmark = pytest.mark.machine

PADDING_BYTES = 3_000_000


def test_a_kill_in_the_middle_of_an_upload_publishes_nothing(tmp_path: Path) -> None:
    """After the next start nothing of it is left, and the client's retry succeeds."""
    wheel = a_wheel(padding_bytes=PADDING_BYTES)
    body = encode([*usual_parts(wheel), content_part(wheel)])
    with ForkedServer(tmp_path) as first, RawConnection(first) as connection:
        before = kept_by(data_of(first))
        connection.send(head_of(first, Content_Length=str(len(body))) + body[:-1000])
        deadline = time.monotonic() + 20
        while not kept_by(data_of(first)).staged:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        first.end(signal.SIGKILL)
        left = kept_by(data_of(first))
        assert (left.serial, left.rows, left.stored) == (before.serial, before.rows, before.stored)
    with ForkedServer(tmp_path, token=first.token) as second:
        assert kept_by(data_of(second)) == before
        assert published(second) == []
        assert second.publish(wheel).status == http.client.CREATED


def test_a_kill_right_after_the_answer_loses_nothing(tmp_path: Path) -> None:
    """What was answered with 201 is there after the next start, in full."""
    wheel = a_wheel(padding_bytes=PADDING_BYTES)
    with ForkedServer(tmp_path) as first:
        assert first.publish(wheel).status == http.client.CREATED
        first.end(signal.SIGKILL)
    with ForkedServer(tmp_path, token=first.token) as second:
        assert published(second) == [wheel.filename]
        assert second.get(f"/files/demo/1.0/{wheel.filename}").body == wheel.content
        assert second.publish(wheel).status == http.client.OK


@pytest.mark.parametrize("delay_seconds", [0.0, 0.004, 0.015])
def test_a_kill_at_any_moment_leaves_all_or_nothing(tmp_path: Path, delay_seconds: float) -> None:
    """The file is on the page with all its bytes, or not at all; either way a retry ends well."""
    wheel = a_wheel(padding_bytes=PADDING_BYTES)
    body = encode([*usual_parts(wheel), content_part(wheel)])
    with ForkedServer(tmp_path) as first, RawConnection(first) as connection:
        connection.send(head_of(first, Content_Length=str(len(body))) + body)
        time.sleep(delay_seconds)
        first.end(signal.SIGKILL)
    with ForkedServer(tmp_path, token=first.token) as second:
        if published(second):
            assert second.get(f"/files/demo/1.0/{wheel.filename}").body == wheel.content
        assert second.publish(wheel).status in {http.client.OK, http.client.CREATED}
        assert second.get(f"/files/demo/1.0/{wheel.filename}").body == wheel.content
        kept = kept_by(data_of(second))
        assert (kept.staged, kept.rows["files"], len(kept.stored)) == ((), 1, 2)


def test_a_start_sweeps_what_a_crash_left_and_nothing_else(make_server: MakeServer) -> None:
    """A file that another process still writes is locked, and stays; so does what is none of ours."""
    server = make_server()
    server.stop()
    staging = data_of(server) / "staging"
    (staging / "upload-crashed").write_bytes(b"half a wheel")
    (staging / "notes.txt").write_bytes(b"not ours")
    with (staging / "upload-alive").open("wb") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        make_server(folder=server.folder)
        assert sorted(path.name for path in staging.iterdir()) == ["notes.txt", "upload-alive"]


def test_a_second_server_on_the_folder_leaves_uploads_alone(make_server: MakeServer) -> None:
    """Its start does not sweep away what the first one is receiving."""
    server = make_server()
    staged = StagingArea(data_of(server) / "staging").new_file()
    try:
        staged.write(b"a part of a wheel")
        path = staged.on_disk()
        make_server(folder=server.folder)
        assert path.read_bytes() == b"a part of a wheel"
    finally:
        staged.discard()
