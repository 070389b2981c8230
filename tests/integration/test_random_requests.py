"""No request head that a stranger can send makes the server fail."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from raw_http import RawConnection, request_head

from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

TLS_HANDSHAKE = b"\x16"
WHEEL = a_wheel("demo", "1!1.0+x")
BASE = "/api/packages/main/pypi"

# What attackers and broken clients put into addresses; the segments that lead somewhere are often among them.
_SEGMENTS = st.sampled_from(
    [
        *("api", "packages", "main", "pypi", "simple", "+simple", "%2Bsimple", "legacy", "files", "demo", "Demo"),
        *("1%211.0%2Bx", WHEEL.filename, WHEEL.filename + ".metadata"),
        *("-", "..", ".", "", "%00", "%2F", "%ff", "%", "%zz", "//"),
    ]
) | st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="?#"), max_size=8)
_QUERIES = st.sampled_from(
    ["", "?", "?format=", "?format=text/html", "?format=%ff", "?format=a&format=b", "?%00", "?\xff", "?a;b=<"]
) | st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=8).map("?".__add__)
_KNOWN_PATHS = st.sampled_from(
    ["/", "/simple/", "/simple/demo/", "/simple/Demo", f"{BASE}/", f"{BASE}/files/demo/1%211.0%2Bx/{WHEEL.filename}"]
)
_PATHS = _KNOWN_PATHS | st.lists(_SEGMENTS, max_size=9).map(lambda segments: "/" + "/".join(segments))
_METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO", "get"])
_TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
_NAMES = st.sampled_from(
    [
        *("Accept", "Accept-Encoding", "Authorization", "Range", "If-Range", "If-None-Match", "If-Modified-Since"),
        *("Content-Type", "Content-Encoding", "Cookie", "Referer", "X-Forwarded-For", "Forwarded", "Origin"),
    ]
)
_VALUES = _TEXTS | st.sampled_from(
    [
        *("*/*", "gzip;q=2", ";q=", "text/html;q=1e9", ",,,", "a" * 5000, "\xff"),
        *("bytes=0-0", "bytes=--1", "bytes=" + "9" * 30 + "-", '"', "*", "W/", "Mon, 99 Jan 0000 99:99:99 GMT"),
        *("Basic Og==", "Basic " + "A" * 64, "Bearer "),
    ]
)
_HEADERS = st.dictionaries(_NAMES, _VALUES, max_size=5)
_LENGTHS = st.sampled_from(["", "0", "5", "1" * 5000])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server with one file; the tests of this module share it."""
    with ServerUnderTest(tmp_path_factory.mktemp("site")) as server:
        assert server.publish(WHEEL).status == 201
        yield server


def answer(site: ServerUnderTest, head: bytes) -> tuple[int, bytes]:
    """Send a head on a connection of its own and return status and head of the answer; 400 if none came."""
    with RawConnection(site) as connection:
        connection.send(head)
        try:
            received = connection.head()
        except ConnectionError:
            return 400, b""
        return int(received.split(b" ")[1]), received


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=_METHODS, path=_PATHS, query=_QUERIES, headers=_HEADERS, length=_LENGTHS)
@example(method="GET", path="/simple/Demo/", query="?\x80\xff", headers={}, length="")
@example(method="POST", path="/", query="", headers={}, length="9" * 4500)
@example(method="GET", path=f"{BASE}/simple/demo", query="", headers={"Accept": "text/html"}, length="5")
def test_no_head_makes_the_server_fail(
    site: ServerUnderTest,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    length: str,
) -> None:
    """Whatever it is, it is answered below 500, without an error in the log and without a redirect elsewhere."""
    caplog.clear()
    fields = {"Host": "test", **headers, **({"Content-Length": length} if length else {})}
    body = b"12345" if length == "5" else b""
    status, received = answer(site, request_head(method, path + query, fields) + body)
    assert status < 500
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    location = next(
        (line for line in received.split(b"\r\n") if line.lower().startswith(b"location:")), b"Location: /"
    )
    assert location[10:11] == b"/"
    assert location[10:12] not in {b"//", b"/\\"}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.binary(max_size=200).filter(lambda head: head[:1] != TLS_HANDSHAKE))
@example(head=b"GET / HTTP/1.1\r\nHost: a\r\nHost: b")
@example(head=b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3")
@example(head=b"GET http://evil.example/simple/Demo HTTP/1.1\r\nHost: a")
@example(head=b"GET / HTTP/9.9\r\nHost: a")
@example(head=b"GET / HTTP/1.1\nHost: a\n x: folded")
def test_no_bytes_make_the_server_fail(site: ServerUnderTest, caplog: pytest.LogCaptureFixture, head: bytes) -> None:
    """Bytes that are no HTTP at all are refused or dropped."""
    caplog.clear()
    status, _ = answer(site, head + b"\r\n\r\n")
    assert status < 500
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_tls_on_the_plain_port_is_closed_at_once(site: ServerUnderTest) -> None:
    """Who mistypes https, and uv when it looks for trusted publishing, does not wait for an answer."""
    # A connection that is left open would end in TimeoutError.
    with (
        socket.create_connection((site.host, site.port), timeout=30) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    assert site.get("/-/health").status == 200


def test_a_head_without_end_is_dropped(site: ServerUnderTest) -> None:
    """More than 64 KiB of headers are not collected."""
    with RawConnection(site) as connection:
        connection.send(b"GET / HTTP/1.1\r\nX: " + b"a" * 80_000)
        assert connection.is_at_end() or connection.head().startswith(b"HTTP/1.1 4")
    assert site.get("/-/health").status == 200
