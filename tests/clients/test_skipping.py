"""What clients do by themselves about files that are already there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clients.listing import listed_digests
from clients.publishers import Publisher
from clients.server import Server
from clients.versions import Client, clients, newest

StartPublisher = Callable[[Client], Publisher]

# From 6.2 on twine refuses the flag for every index but PyPI.
TAKE_THE_FLAG = [client for client in clients("twine") if client.version < "6.2"] + clients("poetry") + clients("pdm")


@pytest.mark.parametrize("client", TAKE_THE_FLAG, ids=str)
def test_skip_existing(client: Client, publisher: StartPublisher, server: Server) -> None:
    """With ``--skip-existing`` the client takes the refusal of changed files for "already there" and goes on."""
    author = publisher(client)
    author.publish(server.upload())
    before = author.project.digests
    author.rebuild()
    skipped = author.publish(server.upload(), "--skip-existing")
    assert skipped.succeeded, skipped.report
    assert listed_digests(server, author.project.name) == before


def test_uv_check_url_same(publisher: StartPublisher, server: Server) -> None:
    """Given a check URL, uv finds the files that are there by their hashes and does not send them again."""
    author = publisher(newest("uv"))
    first = author.publish(server.upload(), "--check-url", server.simple)
    again = author.publish(server.upload(), "--check-url", server.simple)
    assert first.succeeded, first.report
    assert again.succeeded, again.report
    assert again.output.count("already exists, skipping") == 2, again.report


def test_uv_check_url_changed(publisher: StartPublisher, server: Server) -> None:
    """Given a check URL, uv sees that a file differs from the published one and sends nothing."""
    author = publisher(newest("uv"))
    author.publish(server.upload())
    author.rebuild()
    refused = author.publish(server.upload(), "--check-url", server.simple)
    assert not refused.succeeded, refused.report
    assert "Local file and index file do not match" in refused.output, refused.report


def test_uv_check_url_of_private_index(publisher: StartPublisher, private_server: Server) -> None:
    """uv's check works on a private index with the credentials of the upload's user in the URL."""
    author = publisher(newest("uv"))
    author.publish(private_server.upload())
    again = author.publish(private_server.upload(), "--check-url", private_server.simple_with_token)
    assert again.succeeded, again.report
    assert again.output.count("already exists, skipping") == 2, again.report


def test_uv_no_trusted_publishing(publisher: StartPublisher, server: Server) -> None:
    """Without trusted publishing uv publishes with the token alone."""
    author = publisher(newest("uv"))
    published = author.publish(server.upload(), "--trusted-publishing", "never")
    assert published.succeeded, published.report
    assert listed_digests(server, author.project.name) == author.project.digests


@pytest.mark.parametrize("path", ["/api/packages/main/pypi", "/api/packages/main/pypi/", ""])
def test_hatch_asks_first(path: str, publisher: StartPublisher, server: Server) -> None:
    """hatch finds the published names under the upload address, at ``+simple/``, and sends nothing again."""
    author = publisher(newest("hatch"))
    author.publish(server.upload(path))
    before = author.project.digests
    author.rebuild()
    again = author.publish(server.upload(path))
    assert again.succeeded, again.report
    assert again.output.count("already exists") == 2, again.report
    assert listed_digests(server, author.project.name) == before


def test_hatch_asks_private_index(publisher: StartPublisher, private_server: Server) -> None:
    """hatch finds the published names of a private index with the credentials of the upload."""
    author = publisher(newest("hatch"))
    author.publish(private_server.upload())
    again = author.publish(private_server.upload())
    assert again.succeeded, again.report
    assert again.output.count("already exists") == 2, again.report
