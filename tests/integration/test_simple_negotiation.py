"""Which form of a simple page a client gets, and at which address."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html; charset=utf-8"
BASE = "/api/packages/main/pypi"
PIP = f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
UV = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
PAGES = ("/simple/", "/simple/demo/", f"{BASE}/simple/", f"{BASE}/simple/demo/")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server that has one project, ``demo``; the tests of this module share it and only read."""
    with ServerUnderTest(tmp_path_factory.mktemp("site")) as server:
        assert server.publish(a_wheel("demo", "1.0")).status == 201
        yield server


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, HTML),
        ("*/*", HTML),
        ("", HTML),
        ("text/html", HTML),
        ("application/vnd.pypi.simple.v1+html", HTML),
        ("application/vnd.pypi.simple.latest+html", HTML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
        (JSON, JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        (PIP, JSON),
        (UV, JSON),
        (f"{JSON}, */*;q=0.1", JSON),
        (f"text/html;q=0.9, {JSON};q=0.2", HTML),
        (f"text/html;q=0, {JSON};q=0.001", JSON),
    ],
    ids=str,
)
def test_each_client_gets_the_form_it_likes_best(site: ServerUnderTest, accept: str | None, media_type: str) -> None:
    """The Content-Type is exact and lower case, and only ``*/*`` and worse get HTML."""
    headers = {} if accept is None else {"Accept": accept}
    for path in PAGES:
        reply = site.request("GET", path, headers=headers)
        assert (reply.status, reply.headers["content-type"]) == (200, media_type)
        assert "accept" in reply.headers["vary"].lower()


@pytest.mark.parametrize("accept", ["image/png", "application/json", "text/html;q=0", "text/plain"])
def test_what_is_not_there_is_refused_with_the_list_of_types(site: ServerUnderTest, accept: str) -> None:
    """A 406 names the types that there are, varies by Accept, and is not kept."""
    for path in PAGES:
        reply = site.get(path, accept=accept)
        assert reply.status == 406
        assert JSON in reply.text
        assert "text/html" in reply.text
        assert reply.headers["vary"] == "Accept"
        assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("wanted", "media_type"),
    [
        ("application/vnd.pypi.simple.v1%2Bjson", JSON),
        ("application/vnd.pypi.simple.v1+json", JSON),
        ("application/vnd.pypi.simple.latest%2bjson", JSON),
        ("application/vnd.pypi.simple.v1%2Bhtml", HTML),
        ("text/html", HTML),
    ],
)
def test_format_in_the_query_outranks_accept(site: ServerUnderTest, wanted: str, media_type: str) -> None:
    """``?format=`` decides, with its plus encoded or sent as it is."""
    other = HTML if media_type == JSON else JSON
    for path in PAGES:
        reply = site.get(f"{path}?format={wanted}", accept=other)
        assert (reply.status, reply.headers["content-type"]) == (200, media_type)
        assert "Accept" in reply.headers["vary"]


@pytest.mark.parametrize("wanted", ["", "json", "image/png", "text/*", "%00"])
def test_an_unknown_format_is_refused(site: ServerUnderTest, wanted: str) -> None:
    """What ``?format=`` names and is not there is 406, whatever Accept says."""
    assert site.get(f"/simple/demo/?format={wanted}", accept="*/*").status == 406


@pytest.mark.parametrize("prefix", ["", BASE])
@pytest.mark.parametrize("tree", ["simple", "+simple", "%2Bsimple", "%2bsimple"])
def test_html_is_redirected_to_the_slash_and_json_is_not(site: ServerUnderTest, prefix: str, tree: str) -> None:
    """The relative links of HTML need the slash; JSON has none and is answered directly."""
    for path in (f"{prefix}/{tree}", f"{prefix}/{tree}/demo"):
        direct = site.get(path, accept=JSON)
        assert (direct.status, direct.headers["content-type"]) == (200, JSON)
        redirect = site.get(path, accept="text/html")
        assert redirect.status == 301
        assert redirect.headers["location"] == path + "/"
        assert "Accept" in redirect.headers["vary"]
        assert "no-cache" in redirect.headers["cache-control"]
        assert site.get(path + "/", accept="text/html").status == 200


def test_other_trees_give_the_same_page(site: ServerUnderTest) -> None:
    """``+simple/`` is ``simple/`` under another name, for hatch, at the root and under the base."""
    pages = {
        site.get(f"{prefix}/{tree}/demo/", accept=JSON).body
        for prefix in ("", BASE)
        for tree in ("simple", "+simple", "%2Bsimple")
    }
    assert len(pages) == 1


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/simple/Demo/", "/simple/demo/"),
        ("/simple/Demo", "/simple/demo/"),
        ("/simple/de--mo_.x/?a=b&c=%2F", "/simple/de-mo-x/?a=b&c=%2F"),
        ("/%2Bsimple/DEMO/?format=text/html", "/%2Bsimple/demo/?format=text/html"),
        (f"{BASE}/simple/Demo/", f"{BASE}/simple/demo/"),
        ("/api/packages/MAIN/pypi/+simple/D.E/", "/api/packages/MAIN/pypi/+simple/d-e/"),
    ],
)
def test_an_unnormalised_name_is_redirected_in_place(site: ServerUnderTest, path: str, location: str) -> None:
    """The redirect stays in its tree of addresses, keeps the query, and serves JSON clients too."""
    for accept in ("text/html", f"{JSON}, text/html;q=0.1"):
        reply = site.get(path, accept=accept)
        assert (reply.status, reply.headers["location"]) == (301, location)
        assert "Accept" in reply.headers["vary"]


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/simple/Demo/",
        "//evil.example/simple",
        "/\\evil.example/simple/Demo",
        "/%2Fevil.example/simple/Demo",
        "/simple//evil.example",
        "/simple/%2F%2Fevil.example",
        "/simple/%5Cevil.example",
        "/api/packages//evil.example/simple/Demo/",
        "/api/packages/main//evil.example/simple",
        "http://evil.example/simple/Demo/",
        f"{BASE}//evil.example",
    ],
)
def test_no_address_redirects_to_another_host(site: ServerUnderTest, path: str) -> None:
    """Odd paths end in a plain refusal, or at most in a redirect within this host."""
    reply = site.get(path, accept="text/html")
    location = reply.headers.get("location", "/")
    assert reply.status in {301, 400, 401, 404}
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


def test_the_project_list_has_relative_links(site: ServerUnderTest) -> None:
    """Poetry takes a project's name from ``href="name/"``."""
    assert '<a href="demo/">demo</a>' in site.get("/simple/").text


def test_links_in_pages_carry_no_host(site: ServerUnderTest) -> None:
    """Pages are the same by whatever name the server is reached: file addresses are root-relative."""
    page = json.loads(site.get("/simple/demo/", accept=JSON, host="other.example").body)
    assert page["files"][0]["url"] == f"{BASE}/files/demo/1.0/demo-1.0-py3-none-any.whl"
    assert "other.example" not in site.get("/simple/demo/", host="other.example").text


def test_links_begin_with_the_prefix_of_the_public_address(make_server: MakeServer) -> None:
    """Behind a proxy that takes a path off, links and redirects put it back."""
    server = make_server('public_url = "https://pypi.example.com/team"')
    server.publish(a_wheel("demo", "1.0"))
    url = json.loads(server.get("/simple/demo/", accept=JSON).body)["files"][0]["url"]
    assert url.startswith(f"/team{BASE}/files/")
    assert server.get("/simple/Demo").headers["location"] == "/team/simple/demo/"


@pytest.mark.parametrize("path", ["/simple/missing/", f"{BASE}/simple/missing/", "/simple/-bad-/", "/simple/a%2Fb/"])
def test_an_unknown_project_is_404_and_not_kept(site: ServerUnderTest, path: str) -> None:
    """404 is what uv moves on from; and the project may be published within the second."""
    for accept in (PIP, "text/html"):
        reply = site.get(path, accept=accept)
        assert (reply.status, reply.headers["cache-control"]) == (404, "no-store")


def test_without_a_root_index_only_the_base_answers(make_server: MakeServer) -> None:
    """With ``root_index = ""`` nothing is served at the root but a page that says where the indexes are."""
    server = make_server('root_index = ""')
    assert server.publish(a_wheel("demo", "1.0")).status == 201
    assert server.get("/simple/").status == 404
    assert server.get("/simple/demo/").status == 404
    assert server.get(f"{BASE}/simple/demo/").status == 200
    assert "/api/packages/OWNER/pypi/" in server.get("/").text
