"""Every client publishes what it built, repeats that, and is told plainly what it may not do."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from clients.listing import listed_digests
from clients.publishers import PUBLISHERS, Publisher
from clients.server import Server
from clients.versions import Client, clients

EVERY_CLIENT = [client for name in PUBLISHERS for client in clients(name)]
# hatch asks for the list of files first and never sends one whose name is there: see test_hatch.py.
SENDS_UNASKED = [client for client in EVERY_CLIENT if client.name != "hatch"]
# PDM prints the status and keeps the server's sentence to itself.
SAYS_OF_CHANGED_FILES = {"pdm": "409 Conflict"}

StartPublisher = Callable[[Client], Publisher]


@pytest.mark.parametrize("client", EVERY_CLIENT, ids=str)
def test_published(client: Client, publisher: StartPublisher, server: Server) -> None:
    """A wheel and an sdist are published and listed with the digests of the local files."""
    author = publisher(client)
    published = author.publish(server.upload())
    assert published.succeeded, published.report
    assert listed_digests(server, author.project.name) == author.project.digests


@pytest.mark.parametrize("client", EVERY_CLIENT, ids=str)
def test_large_files_published(client: Client, publisher: StartPublisher, server: Server) -> None:
    """What is judged as soon as its file begins is found in order, whatever the client says of it before."""
    author = publisher(client)
    author.project.module.with_name("data.bin").write_bytes(random.Random(1).randbytes(3 << 20))
    author.rebuild()
    assert min(path.stat().st_size for path in author.project.files) > 2 << 20
    published = author.publish(server.upload())
    assert published.succeeded, published.report
    assert listed_digests(server, author.project.name) == author.project.digests


@pytest.mark.parametrize("client", EVERY_CLIENT, ids=str)
def test_published_again(client: Client, publisher: StartPublisher, server: Server) -> None:
    """Publishing the same files once more succeeds and changes nothing, so that a broken run can be repeated."""
    author = publisher(client)
    author.publish(server.upload())
    again = author.publish(server.upload())
    assert again.succeeded, again.report
    assert listed_digests(server, author.project.name) == author.project.digests


@pytest.mark.parametrize("client", SENDS_UNASKED, ids=str)
def test_changed(client: Client, publisher: StartPublisher, server: Server) -> None:
    """Other content under a known file name is refused, the client says why, and the published files stay."""
    author = publisher(client)
    author.publish(server.upload())
    before = author.project.digests
    author.rebuild()
    refused = author.publish(server.upload())
    assert not refused.succeeded, refused.report
    assert SAYS_OF_CHANGED_FILES.get(client.name, "File already exists") in refused.output, refused.report
    assert listed_digests(server, author.project.name) == before != author.project.digests


@pytest.mark.parametrize("client", EVERY_CLIENT, ids=str)
def test_wrong_token(client: Client, publisher: StartPublisher, server: Server) -> None:
    """A wrong token ends in a 401 that the client shows, and nothing is published."""
    author = publisher(client)
    refused = author.publish(server.upload(password="no-such-token"))
    assert not refused.succeeded, refused.report
    assert refused.shows(401), refused.report
    assert listed_digests(server, author.project.name) == {}


@pytest.mark.parametrize("client", EVERY_CLIENT, ids=str)
def test_reader(client: Client, publisher: StartPublisher, server: Server) -> None:
    """A token that may only read ends in a 403 that the client shows, and nothing is published."""
    author = publisher(client)
    refused = author.publish(server.upload(password=server.reader))
    assert not refused.succeeded, refused.report
    assert refused.shows(403), refused.report
    assert listed_digests(server, author.project.name) == {}
