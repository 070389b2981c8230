"""Clients show why a large file is refused, and report no broken connection."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clients.listing import listed_digests
from clients.publishers import Publisher
from clients.server import Server, running_server
from clients.versions import Client, clients, newest

StartPublisher = Callable[[Client], Publisher]

_LIMIT_BYTES = 40_000_000
_MEGABYTE = bytes(1 << 20)

# flit sends what it builds in the same run, and nothing larger.
SENDS_LARGE = [*clients("twine"), *clients("uv"), *clients("poetry"), *clients("pdm"), *clients("hatch")]
# PDM prints the status and keeps the server's sentence to itself.
SAYS_NOTHING = {"pdm"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small limit on files."""
    folder = tmp_path_factory.mktemp("server-with-limit")
    (folder / "pypiserve.toml").write_text(f"max_file_size_bytes = {_LIMIT_BYTES}\n", encoding="utf-8")
    with running_server(folder) as running:
        yield running


def enlarge(author: Publisher, megabytes: int) -> Path:
    """Make the wheel large, and leave nothing else to publish."""
    (wheel,) = (path for path in author.project.files if path.suffix == ".whl")
    for path in author.project.files:
        if path != wheel:
            path.unlink()
    # Stored, not compressed, and never in memory as a whole.
    with zipfile.ZipFile(wheel, "a") as archive, archive.open("padding", "w", force_zip64=True) as padding:
        for _ in range(megabytes):
            padding.write(_MEGABYTE)
    return wheel


@pytest.mark.parametrize("megabytes", [30, 300])
@pytest.mark.parametrize("client", SENDS_LARGE, ids=str)
def test_wrong_token(client: Client, publisher: StartPublisher, server: Server, megabytes: int) -> None:
    """The 401 is seen, whether the server reads the whole file or tells that it will close the connection."""
    author = publisher(client)
    enlarge(author, megabytes)
    refused = author.publish(server.upload(password="no-such-token"))
    assert not refused.succeeded, refused.report
    assert refused.shows(401), refused.report


@pytest.mark.parametrize("client", SENDS_LARGE, ids=str)
def test_reader(client: Client, publisher: StartPublisher, server: Server) -> None:
    """The 403 is seen, and the role that it takes."""
    author = publisher(client)
    enlarge(author, 30)
    refused = author.publish(server.upload(password=server.reader))
    assert not refused.succeeded, refused.report
    assert refused.shows(403), refused.report
    assert client.name in SAYS_NOTHING or "ask an administrator for the role" in refused.output, refused.report


@pytest.mark.parametrize("megabytes", [50, 300])
@pytest.mark.parametrize("client", SENDS_LARGE, ids=str)
def test_too_large(client: Client, publisher: StartPublisher, server: Server, megabytes: int) -> None:
    """The 413 is seen, and the limit."""
    author = publisher(client)
    enlarge(author, megabytes)
    refused = author.publish(server.upload())
    assert not refused.succeeded, refused.report
    assert refused.shows(413), refused.report
    assert client.name in SAYS_NOTHING or f"({_LIMIT_BYTES} bytes)" in refused.output, refused.report


# hatch asks for the list of files first and never sends one whose name is there.
@pytest.mark.parametrize("client", [client for client in SENDS_LARGE if client.name != "hatch"], ids=str)
def test_name_taken(client: Client, publisher: StartPublisher, server: Server) -> None:
    """The 409 is seen, although it comes when the file begins; the published file stays."""
    author = publisher(client)
    assert author.publish(server.upload()).succeeded
    before = listed_digests(server, author.project.name)
    enlarge(author, 30)
    refused = author.publish(server.upload())
    assert not refused.succeeded, refused.report
    assert refused.shows(409), refused.report
    assert client.name in SAYS_NOTHING or "File already exists" in refused.output, refused.report
    assert listed_digests(server, author.project.name) == before


def test_bad_file_name(publisher: StartPublisher, server: Server) -> None:
    """What a browser makes of the name of a second download is told, before the file has come."""
    author = publisher(newest("twine"))
    wheel = enlarge(author, 30)
    wheel.rename(wheel.with_name(wheel.name.replace("none-any", "none-any (1)")))
    refused = author.publish(server.upload())
    assert not refused.succeeded, refused.report
    assert refused.shows(400), refused.report
    assert "it may have ASCII letters, digits" in refused.output, refused.report
