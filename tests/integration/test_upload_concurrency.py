"""Many clients at once."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

from uploading import data_of, events_of, kept_by, published

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
