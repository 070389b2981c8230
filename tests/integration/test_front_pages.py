"""The pages for people: the front page of an index and of a host, and the health check."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator

import pytest
from raw_http import RawConnection

from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest

BASE = "/api/packages/main/pypi"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server with default settings; the tests of this module share it."""
    with ServerUnderTest(tmp_path_factory.mktemp("site")) as server:
        yield server


@pytest.mark.parametrize("path", ["/", BASE, f"{BASE}/"])
def test_an_index_says_how_to_use_it(site: ServerUnderTest, path: str) -> None:
    """HTML by default, JSON for who asks for it, both with the addresses to paste; nothing foreign is loaded."""
    page = site.get(path)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script" not in page.text
    assert f"{site.url}{BASE}/simple/" in html.unescape(page.text)
    described = site.get(path, accept="application/json")
    assert described.headers["content-type"] == "application/json"
    assert json.loads(described.body) == {
        "owner": "main",
        "index": "pypi",
        "public": True,
        "upload_url": f"{site.url}{BASE}/",
        "index_url": f"{site.url}{BASE}/simple/",
    }
    for reply in (page, described):
        assert (reply.headers["vary"], reply.headers["cache-control"]) == ("Accept", "no-cache")


@pytest.mark.parametrize(
    "host", ["<script>alert(1)</script>", '"><b>', "{{ 7 * 7 }}", "a'b", "x/../y", "evil.example:1/", "ü", ""]
)
def test_a_strange_host_header_is_harmless(site: ServerUnderTest, host: str) -> None:
    """The page shows the host by which it was asked; markup in it is refused or escaped."""
    for path in ("/", BASE, "/nothing"):
        with RawConnection(site) as connection:
            connection.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = connection.rest()
        assert answer.split(b" ")[1] in {b"200", b"400", b"404"}
        assert b"<script>alert" not in answer
        assert b"<b>" not in answer
        assert b"49" not in answer.partition(b"\r\n\r\n")[2] or b"7 * 7" in answer


def test_the_public_address_outranks_the_host(make_server: MakeServer) -> None:
    """Behind a proxy the settings know better than the request."""
    server = make_server('public_url = "https://pypi.example.com/team/"')
    described = json.loads(server.get("/", accept="application/json", host="inner:1").body)
    assert described["index_url"] == f"https://pypi.example.com/team{BASE}/simple/"
    assert "inner" not in server.get("/", host="inner:1").text


def test_the_home_page_lists_no_owners(make_server: MakeServer) -> None:
    """Without a root index the page says where indexes are, and not whose there are."""
    server = make_server('root_index = ""')
    page = server.get("/")
    assert page.status == 200
    assert "main" not in page.text.replace("<main>", "").replace("</main>", "")


def test_health_is_for_everybody(site: ServerUnderTest) -> None:
    """It answers without credentials and in spite of wrong ones, and is not kept."""
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        reply = site.request("GET", "/-/health", headers=headers)
        assert (reply.status, reply.body, reply.headers["cache-control"]) == (200, b"ok\n", "no-store")
    assert site.request("HEAD", "/-/health").status == 200


@pytest.mark.parametrize("path", ["/", "/simple/", "/-/health", "/nothing", BASE])
def test_no_answer_says_what_runs_underneath(site: ServerUnderTest, path: str) -> None:
    """The Server header names no version and no library, and browsers do not guess types."""
    reply = site.get(path)
    assert reply.headers["server"] == "pypiserve"
    assert reply.headers["x-content-type-options"] == "nosniff"
