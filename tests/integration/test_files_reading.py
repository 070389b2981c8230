"""Serving files: exact bytes, ranges, validators, and the addresses under which they are found."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Iterator
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime

import plugin_parts
import pytest

from pypiserve.testing import BuiltFile, a_wheel, an_sdist
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest
from pypiserve.web.sendfile import FIRST_BYTES

BASE = "/api/packages/main/pypi"
WHEEL = a_wheel("demo", "1.0", padding_bytes=4096)
LOCAL = a_wheel("demo", "1!2.0+local.1")
SDIST = an_sdist("demo", "1.0")
FILE = f"{BASE}/files/demo/1.0/{WHEEL.filename}"
SIZE = len(WHEEL.content)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server with a few files; the tests of this module share it and only read."""
    with ServerUnderTest(tmp_path_factory.mktemp("site")) as server:
        for built in (WHEEL, LOCAL, SDIST, a_wheel("other", "1.0")):
            assert server.publish(built).status == 201
        yield server


def test_a_file_is_served_as_it_is(site: ServerUnderTest) -> None:
    """Exact bytes, never encoded even on request, kept for ever by whoever may."""
    for path, built in ((FILE, WHEEL), (f"{BASE}/files/demo/1.0/{SDIST.filename}", SDIST)):
        reply = site.get(path, accept_encoding="gzip, deflate, br")
        assert (reply.status, reply.body) == (200, built.content)
        assert reply.headers["content-type"] == "application/octet-stream"
        assert reply.headers["etag"] == f'"{built.sha256}"'
        assert reply.headers["accept-ranges"] == "bytes"
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable, no-transform"
        assert not {"content-encoding", "content-disposition"} & set(reply.headers)


def test_core_metadata_is_that_of_the_archive(site: ServerUnderTest) -> None:
    """``.metadata`` equals METADATA byte for byte, and its entity tag is its own digest."""
    reply = site.get(FILE + ".metadata")
    assert (reply.status, reply.body) == (200, WHEEL.metadata)
    assert reply.headers["etag"] == f'"{hashlib.sha256(WHEEL.metadata).hexdigest()}"'
    assert site.get(FILE + ".metadata", range="bytes=0-3").body == WHEEL.metadata[:4]


@pytest.mark.parametrize(
    ("header", "first", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=-{SIZE + 10}", 0, SIZE),
        (f"bytes=0-{SIZE - 1}", 0, SIZE),
        (f"bytes={SIZE - 1}-{SIZE + 50}", SIZE - 1, SIZE),
        ("Bytes= 5-9", 5, 10),
    ],
)
def test_a_range_is_206(site: ServerUnderTest, header: str, first: int, stop: int) -> None:
    """A single range is 206 with exactly those bytes, also when it spans the whole file."""
    reply = site.get(FILE, range=header)
    assert (reply.status, reply.body) == (206, WHEEL.content[first:stop])
    assert reply.headers["content-range"] == f"bytes {first}-{stop - 1}/{SIZE}"
    assert reply.headers["content-length"] == str(stop - first)


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_a_range_outside_is_416(site: ServerUnderTest, header: str) -> None:
    """416 tells the length, and is not kept as if it were the file."""
    for method in ("GET", "HEAD"):
        reply = site.request(method, FILE, headers={"Range": header})
        assert (reply.status, reply.headers["content-range"]) == (416, f"bytes */{SIZE}")
        assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("header", ["bytes=0-1,5-9", "items=0-1", "bytes=9-5", "bytes=-", "bytes", "bytes=a-b"])
def test_a_range_that_means_nothing_is_ignored(site: ServerUnderTest, header: str) -> None:
    """Several ranges and malformed ones get the whole file."""
    reply = site.get(FILE, range=header)
    assert (reply.status, reply.body) == (200, WHEEL.content)


def test_if_range_guards_against_another_file(site: ServerUnderTest) -> None:
    """The tag or the exact date lets the range pass, anything else gets the whole file."""
    date = site.get(FILE).headers["last-modified"]
    later = format_datetime(parsedate_to_datetime(date).astimezone(UTC).replace(year=2001), usegmt=True)
    for condition, status in (
        (f'"{WHEEL.sha256}"', 206),
        (date, 206),
        (f'W/"{WHEEL.sha256}"', 200),
        ('"other"', 200),
        (later, 200),
        ("nonsense", 200),
    ):
        assert site.get(FILE, range="bytes=0-9", if_range=condition).status == status


def test_a_known_file_is_304(site: ServerUnderTest) -> None:
    """If-None-Match comes before Range, and its answer has no body."""
    for more in ({}, {"range": "bytes=0-9"}):
        reply = site.get(FILE, if_none_match=f'"{WHEEL.sha256}"', **more)
        assert (reply.status, reply.body) == (304, b"")
        assert reply.headers["etag"] == f'"{WHEEL.sha256}"'
        assert "immutable" in reply.headers["cache-control"]
    assert site.get(FILE, if_none_match='"other"').status == 200


def test_head_has_the_headers_of_get(site: ServerUnderTest) -> None:
    """Length and ranges are told without the bytes, for a part as for the whole."""
    for path in (FILE, FILE + ".metadata"):
        for headers in ({}, {"Range": "bytes=3-9"}):
            get = site.request("GET", path, headers=headers)
            head = site.request("HEAD", path, headers=headers)
            assert (head.status, head.body) == (get.status, b"")
            assert {**head.headers, "date": "", "x-request-id": ""} == {**get.headers, "date": "", "x-request-id": ""}
            assert head.headers["accept-ranges"] == "bytes"


def test_no_bytes_follow_the_head_of_a_large_file(make_server: MakeServer) -> None:
    """The next answer on the connection begins where the head ended, also for a file that the kernel would send."""
    server = make_server()
    large = a_wheel("large", "1.0", padding_bytes=2 * FIRST_BYTES)
    assert server.publish(large).status == http.client.CREATED
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        connection.request("HEAD", f"{BASE}/files/large/1.0/{large.filename}")
        head = connection.getresponse()
        assert (head.read(), head.headers["Content-Length"]) == (b"", str(len(large.content)))
        connection.request("GET", "/-/health")
        assert connection.getresponse().read() == b"ok\n"
    finally:
        connection.close()


@pytest.mark.parametrize("version", ["1!2.0+local.1", "1%212.0%2Blocal.1", "1%212.0%2blocal.1", "1!2+local.1"])
@pytest.mark.parametrize("filename", [LOCAL.filename, LOCAL.filename.replace("!", "%21").replace("+", "%2B")])
def test_epochs_and_local_versions_are_found_in_both_spellings(
    site: ServerUnderTest, version: str, filename: str
) -> None:
    """``!`` and ``+`` may be percent-encoded or not: proxies and clients change one into the other."""
    assert site.get(f"{BASE}/files/demo/{version}/{filename}").body == LOCAL.content


@pytest.mark.parametrize(
    "path",
    [
        f"/files/demo/1.1/{WHEEL.filename}",
        f"/files/demo/x/{WHEEL.filename}",
        f"/files/other/1.0/{WHEEL.filename}",
        f"/files/nobody/1.0/{WHEEL.filename}",
        f"/files/-/1.0/{WHEEL.filename}",
        f"/files/demo/1.0/{WHEEL.filename.upper()}",
        f"/files/demo/1.0/{WHEEL.filename}.asc",
        f"/files/demo/1.0/{WHEEL.filename}.metadata.metadata",
        "/files/demo/1.0/.metadata",
        "/files/demo/1.0/",
        "/files/demo/1.0",
        f"/files/demo/1.0/x/{WHEEL.filename}",
        f"/files/demo/1.0/..%2F{WHEEL.filename}",
        f"/files/demo/..%2Fdemo/{WHEEL.filename}",
        f"/files/..%2fdemo/1.0/{WHEEL.filename}",
        "/files/../../../etc/passwd",
        "/files/demo/1.0/%2Fetc%2Fpasswd",
        f"/files/demo/1.0/{WHEEL.filename}%00",
        "/files/demo/%00/%00",
        "/files/demo/1.0/%0d%0aX-Evil: 1",
        f"/files/demo/1.0/{'a' * 30000}",
        f"/files/demo/{'1.' * 10000}1/{WHEEL.filename}",
    ],
    ids=lambda path: str(path)[:40],
)
def test_any_other_address_is_404(site: ServerUnderTest, path: str) -> None:
    """A wrong version, another project and odd segments are 404 in one line, never an error of the server."""
    for method in ("GET", "HEAD"):
        reply = site.request(method, (BASE + path).replace(" ", "%20"))
        assert reply.status == 404
        assert reply.headers["cache-control"] == "no-store"
        assert "x-evil" not in reply.headers
    assert site.get((BASE + path).replace(" ", "%20")).body.count(b"\n") == 1


def test_what_is_not_utf_8_is_refused(site: ServerUnderTest) -> None:
    """A segment or a query that no text can be made of is 400, in a sentence."""
    for path in (f"{BASE}/files/demo/1.0/%ff", "/simple/%ff/", "/api/packages/%ff/pypi/simple/"):
        reply = site.get(path)
        assert (reply.status, reply.text.count("\n")) == (400, 1)


@pytest.mark.parametrize("suffix", ["", ".metadata"])
def test_missing_bytes_are_503(server: ServerUnderTest, suffix: str) -> None:
    """Bytes that the catalog names and the store lacks are the operator's problem: retry, do not give up."""
    server.publish(WHEEL)
    for path in (server.folder / "pypiserve-data" / "files").rglob("*"):
        if path.is_file():
            path.unlink()
    reply = server.get(FILE + suffix)
    assert (reply.status, reply.text.count("\n")) == (503, 1)
    assert reply.headers["cache-control"] == "no-store"
    assert "retry-after" in reply.headers
    assert not {"etag", "last-modified"} & set(reply.headers)
    assert str(server.folder) not in reply.text


def test_a_file_that_was_cut_is_503(server: ServerUnderTest) -> None:
    """A file shorter than the catalog says is not sent in part."""
    server.publish(WHEEL)
    for path in (server.folder / "pypiserve-data" / "files").rglob(f"*{WHEEL.sha256[4:]}*"):
        path.write_bytes(WHEEL.content[:100])
    assert server.get(FILE).status == 503


MEMORY = 'plugins = ["plugin_parts"]\n[store]\nkind = "memory"'


def stored(server: ServerUnderTest, built: BuiltFile) -> str:
    """Publish and return the address."""
    assert server.publish(built).status == 201
    return f"{BASE}/files/demo/1.0/{built.filename}"


def test_a_store_may_stream(make_server: MakeServer) -> None:
    """With a store that has no local files, bytes, ranges and metadata are the same."""
    built = a_wheel("demo", "1.0", padding_bytes=3 << 20)
    server = make_server(MEMORY)
    path = stored(server, built)
    assert server.get(path).body == built.content
    assert server.get(path, range="bytes=1048570-2097159").body == built.content[1048570:2097160]
    assert server.get(path + ".metadata").body == built.metadata
    assert server.request("HEAD", path).headers["content-length"] == str(len(built.content))


def test_missing_bytes_of_a_streaming_store_are_503(make_server: MakeServer) -> None:
    """The store's "not found" is not the client's: the file exists, and may come back."""
    server = make_server(MEMORY)
    path = stored(server, WHEEL)
    plugin_parts.STORES[-1].contents.clear()
    assert server.get(path).status == 503
    plugin_parts.STORES[-1].unavailable = True
    assert server.get(path).status == 503


def test_a_store_may_redirect(make_server: MakeServer) -> None:
    """The redirect is temporary, kept for less than its address works, and not taken for the file."""
    server = make_server(MEMORY.replace('"memory"', '"redirecting"'))
    path = stored(server, WHEEL)
    for method in ("GET", "HEAD"):
        reply = server.request(method, path)
        assert reply.status == 302
        assert reply.headers["location"] == f"https://bytes.example/{WHEEL.sha256}/{WHEEL.filename}?signed"
        assert reply.headers["cache-control"] == "private, max-age=60"
        assert not {"etag", "last-modified"} & set(reply.headers)
