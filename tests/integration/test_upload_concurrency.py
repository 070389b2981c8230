"""Many clients at once."""

from __future__ import annotations

import contextlib
import http.client
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from raw_http import RawConnection
from uploading import (
    content_part,
    data_of,
    encode,
    events_of,
    head_of,
    kept_by,
    published,
    usual_parts,
    wait_until_quiet,
)

from pypiserve.testing import BuiltFile, a_wheel, an_sdist
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import Reply, ServerUnderTest


def at_once(requests: Sequence[Callable[[], Reply]]) -> list[Reply]:
    """Send all requests at the same moment."""
    barrier = Barrier(len(requests))

    def send(request: Callable[[], Reply]) -> Reply:
        barrier.wait()
        return request()

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(send, requests))


def publishing(server: ServerUnderTest, files: Sequence[BuiltFile]) -> list[Callable[[], Reply]]:
    """Make the requests that publish some files."""
    return [partial(server.publish, file) for file in files]


def test_the_same_file_from_many_clients_is_published_once(server: ServerUnderTest) -> None:
    """All of them succeed; there is one row, one event, one stored file."""
    wheel = a_wheel(padding_bytes=100_000)
    replies = at_once(publishing(server, [wheel] * 8))
    statuses = Counter(reply.status for reply in replies)
    assert statuses == {http.client.CREATED: 1, http.client.OK: 7}
    assert len(events_of(server)) == 1
    kept = kept_by(data_of(server))
    assert (kept.rows["files"], kept.staged, len(kept.stored)) == (1, (), 2)


def test_of_different_files_under_one_name_one_wins(server: ServerUnderTest) -> None:
    """One is published, the others are told that the name is taken; what is served is the one."""
    wheels = [a_wheel(padding_bytes=100_000, files={"number.txt": str(number)}) for number in range(8)]
    replies = at_once(publishing(server, wheels))
    assert Counter(reply.status for reply in replies) == {http.client.CREATED: 1, http.client.CONFLICT: 7}
    winner = next(wheel for wheel, reply in zip(wheels, replies, strict=True) if reply.status == http.client.CREATED)
    assert server.get(f"/files/demo/1.0/{winner.filename}").body == winner.content
    assert len(events_of(server)) == 1
    assert kept_by(data_of(server)).staged == ()


def test_different_files_of_one_project_are_all_published(server: ServerUnderTest) -> None:
    """A release of many files from many machines: nothing is lost, and the serials have no gap."""
    first = events_of(server, "token.created")[-1]["serial"]
    wheels = [a_wheel("many", f"1.{number}") for number in range(10)]
    sdists = [an_sdist("many", f"1.{number}") for number in range(10)]
    replies = at_once(publishing(server, [*wheels, *sdists]))
    assert {reply.status for reply in replies} == {http.client.CREATED}
    assert published(server, "many") == sorted(file.filename for file in [*wheels, *sdists])
    serials = [event["serial"] for event in events_of(server)]
    assert serials == list(range(serials[0], serials[0] + 20))
    assert serials[0] > first
    assert kept_by(data_of(server)).rows["releases"] == 10


def test_two_servers_on_one_folder_agree(make_server: MakeServer) -> None:
    """One process publishes, the other shows it with its next answer; a name is taken in both at once."""
    one = make_server()
    other = make_server(folder=one.folder)
    for number in range(10):
        publisher, reader = (one, other) if number % 2 else (other, one)
        wheel = a_wheel("shared", f"1.{number}")
        assert publisher.publish(wheel, token=one.token).status == http.client.CREATED
        assert wheel.filename in reader.get("/simple/shared/").text
    wheels = [a_wheel("raced", files={"number.txt": str(number)}) for number in range(8)]
    servers = [one, other] * 4
    requests = [
        partial(server.publish, wheel, token=one.token) for server, wheel in zip(servers, wheels, strict=True)
    ]
    statuses = Counter(reply.status for reply in at_once(requests))
    assert statuses == {http.client.CREATED: 1, http.client.CONFLICT: 7}


def test_readers_see_whole_states_while_files_are_published(server: ServerUnderTest) -> None:
    """Whoever reads meanwhile sees the files of some moment, never fewer than were answered before."""
    server.publish(a_wheel("read", "0"))
    wheels = [a_wheel("read", f"1.{number}") for number in range(12)]

    def write() -> None:
        for wheel in wheels:
            assert server.publish(wheel).status == http.client.CREATED

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        seen = [len(published(server, "read"))]
        while not writing.done():
            seen.append(len(published(server, "read")))
        writing.result()
    assert seen == sorted(seen)
    assert len(published(server, "read")) == 13


STALLED = 40
"""Uploads that wait for their clients: more of them than the server has threads for anything."""
MEGABYTE = 1 << 20


@contextlib.contextmanager
def stalled(server: ServerUnderTest, sent_bytes: int) -> Iterator[None]:
    """Begin uploads, and send no more of them than so much."""
    wheel = a_wheel("stalled", padding_bytes=3 * MEGABYTE)
    body = encode([*usual_parts(wheel), content_part(wheel)])
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(RawConnection(server)) for _ in range(STALLED)]
        for connection in connections:
            connection.send(head_of(server, Content_Length=str(len(body))) + body[:sent_bytes])
        # They stay for the 300 seconds of a silence, or until their clients go.
        wait_for_stalled(server)
        yield


def wait_for_stalled(server: ServerUnderTest) -> None:
    """Wait until the server has all that stall under way, and nothing else."""
    deadline = time.monotonic() + 20
    while server.activity != (STALLED, STALLED):
        assert time.monotonic() < deadline, f"under way: {server.activity}"
        time.sleep(0.01)


def seconds_of(request: Callable[[], Reply]) -> float:
    """Publish, and tell how long that took."""
    begun = time.monotonic()
    assert request().status == http.client.CREATED
    return time.monotonic() - begun


@pytest.mark.parametrize("sent_bytes", [0, 1000, 2 * MEGABYTE], ids=["head", "form", "half"])
def test_uploads_that_stall_do_not_slow_others(server: ServerUnderTest, sent_bytes: int) -> None:
    """Small and large ones are published beside them as before, alone and together."""
    files = [a_wheel("brisk", f"1.{number}", padding_bytes=number % 2 * 2 * MEGABYTE) for number in range(40)]
    requests = publishing(server, files)
    before = statistics.median(seconds_of(request) for request in requests[:16])
    with stalled(server, sent_bytes):
        beside = statistics.median(seconds_of(request) for request in requests[16:32])
        assert {reply.status for reply in at_once(requests[32:])} == {http.client.CREATED}
        wait_for_stalled(server)
    wait_until_quiet(server)
    assert sorted(published(server, "brisk")) == sorted(file.filename for file in files)
    assert published(server, "stalled") == []
    # A wide margin, for the machine may have other work: who waits for one that stalls waits for 300 s.
    assert beside < 10 * before + 1
