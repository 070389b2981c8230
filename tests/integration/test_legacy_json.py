"""The legacy JSON API and the change log tell what the simple pages tell."""

from __future__ import annotations

import json
import xmlrpc.client
from typing import Any

import pytest

from pypiserve.core.model import ProjectStatus
from pypiserve.testing import a_wheel, an_sdist
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest

BASE = "/api/packages/main/pypi"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


def document(server: ServerUnderTest, path: str = "/pypi/demo/json") -> Any:
    """Read a document."""
    reply = server.get(path)
    assert reply.status == 200
    return json.loads(reply.body)


def call(server: ServerUnderTest, body: bytes, path: str = f"{BASE}/pypi") -> Any:
    """Send a call; faults are raised."""
    reply = server.request("POST", path, headers={"Content-Type": "text/xml"}, body=body)
    assert reply.status == 200
    return xmlrpc.client.loads(reply.body)[0][0]


def asked(server: ServerUnderTest, method: str, *arguments: Any) -> Any:
    """Call a method."""
    return call(server, xmlrpc.client.dumps(arguments, method).encode())


def yank(server: ServerUnderTest, version: str) -> None:
    """Yank a release, as the command line does."""
    with server.catalog() as catalog:
        catalog.curation.set_yanked("main/pypi", "demo", version, yanked=True)


def test_the_document_of_a_project(server: ServerUnderTest) -> None:
    """It has the latest release, all releases, and for each file the absolute link of its simple page."""
    wheel, sdist, old = (
        a_wheel("demo", "1.1", requires_python=">=3.9"),
        an_sdist("demo", "1.1"),
        a_wheel("demo", "1.0"),
    )
    for built in (wheel, sdist, old):
        assert server.publish(built).status == 201
    found = document(server)
    assert (found["info"]["name"], found["info"]["version"]) == ("demo", "1.1")
    assert found["info"]["requires_python"] == ">=3.9"
    assert found["info"]["requires_dist"] is None
    assert found["info"]["project_urls"] is None
    assert list(found["releases"]) == ["1.0", "1.1"]
    assert found["urls"] == found["releases"]["1.1"]
    page = json.loads(server.get("/simple/demo/", accept=SIMPLE_JSON).body)
    links = {file["filename"]: (server.url + file["url"], file["hashes"]["sha256"]) for file in page["files"]}
    told = [file for files in found["releases"].values() for file in files]
    assert {file["filename"]: (file["url"], file["digests"]["sha256"]) for file in told} == links
    assert [(file["packagetype"], file["python_version"]) for file in found["urls"]] == [
        ("bdist_wheel", "py3"),
        ("sdist", "source"),
    ]


def test_the_document_of_a_release(server: ServerUnderTest) -> None:
    """It describes that release, and has no others."""
    for version in ("1.0", "2.0"):
        server.publish(a_wheel("demo", version))
    found = document(server, "/pypi/demo/1.0/json")
    assert found["info"]["version"] == "1.0"
    assert "releases" not in found
    assert server.get("/pypi/demo/3.0/json").status == 404


@pytest.mark.parametrize("base", ["", BASE, "/pypi", f"{BASE}/pypi"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_address(server: ServerUnderTest, base: str, slash: str) -> None:
    """All spellings of the address have the same document, and other spellings of the name lead to it."""
    server.publish(a_wheel("demo-app", "1.0"))
    assert document(server, f"{base}/demo-app/json{slash}") == document(server, "/pypi/demo-app/json")
    assert document(server, f"{base}/demo-app/1.0/json{slash}")["info"]["version"] == "1.0"
    moved = server.get(f"{base}/Demo_App/1.0.0/json{slash}")
    assert (moved.status, moved.headers["location"]) == (301, f"{base}/demo-app/1.0/json")
    moved = server.get(f"{base}/Demo_App/json{slash}")
    assert (moved.status, moved.headers["location"]) == (301, f"{base}/demo-app/json")


def test_the_latest_release(server: ServerUnderTest) -> None:
    """A final release comes before a pre-release, and both before what is yanked."""
    for version in ("1.0", "2.0", "3.0rc1"):
        server.publish(a_wheel("demo", version))
    told = [document(server)["info"]["version"]]
    for version in ("2.0", "1.0", "3.0rc1"):
        yank(server, version)
        told.append(document(server)["info"]["version"])
    assert told == ["2.0", "1.0", "3.0rc1", "2.0"]
    assert document(server)["info"]["yanked"] is True


def test_validators_and_headers(server: ServerUnderTest) -> None:
    """A client that has the document gets 304, until something changes."""
    server.publish(a_wheel("demo", "1.0"))
    first = server.get("/pypi/demo/json")
    assert first.headers["content-type"] == "application/json"
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["access-control-allow-origin"] == "*"
    assert int(first.headers["x-pypi-last-serial"]) == document(server)["last_serial"]
    assert server.get("/pypi/demo/json", if_none_match=first.headers["etag"]).status == 304
    server.publish(a_wheel("demo", "1.1"))
    assert server.get("/pypi/demo/json", if_none_match=first.headers["etag"]).status == 200


def test_a_quarantined_project_is_not_found(server: ServerUnderTest) -> None:
    """Nothing of it may be seen."""
    server.publish(a_wheel("demo", "1.0"))
    with server.catalog() as catalog:
        catalog.curation.set_status("main/pypi", "demo", ProjectStatus.QUARANTINED)
    assert server.get("/pypi/demo/json").status == 404


def test_private_indexes(make_server: MakeServer) -> None:
    """Both interfaces take the same right as the pages."""
    server = make_server("private = true\n")
    server.publish(a_wheel("demo", "1.0"))
    assert server.get("/pypi/demo/json").status == 401
    assert server.request("POST", "/pypi", body=b"x").status == 401
    mirrored = "/packages/main/pypi/demo/1.0/demo-1.0-py3-none-any.whl"
    assert [server.get(path).status for path in ("/mirror/pypi/demo/json", mirrored)] == [401, 401]
    assert server.get(mirrored, token=server.token).status == 200
    reply = server.get("/pypi/demo/json", token=server.token)
    assert (reply.status, reply.headers["cache-control"]) == (200, "private, no-cache")
    assert "access-control-allow-origin" not in reply.headers


def test_the_change_log(server: ServerUnderTest) -> None:
    """Changes are told in order, and asking from the last serial gives none."""
    server.publish(a_wheel("demo", "1.0"))
    start = asked(server, "changelog_last_serial")
    server.publish(an_sdist("other", "2.0"))
    yank(server, "1.0")
    rows = asked(server, "changelog_since_serial", start)
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("other", None, "create"),
        ("other", "2.0", "new release"),
        ("other", "2.0", "add source file other-2.0.tar.gz"),
        ("demo", "1.0", "yank release"),
    ]
    last = asked(server, "changelog_last_serial")
    assert rows[-1][4] == last
    assert asked(server, "changelog_since_serial", last) == []
    assert asked(server, "list_packages_with_serial") == {"demo": last, "other": rows[0][4]}
    assert document(server)["last_serial"] == last


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"<methodCall>", -32700),
        (b"\xff\xfe", -32700),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><methodCall><methodName>x</methodName></methodCall>', -32700),
        (b"<methodCall><methodName>x</methodName></methodCall>" + b" " * 70_000, -32700),
        (xmlrpc.client.dumps((), "system.multicall").encode(), -32500),
        (xmlrpc.client.dumps(("x",), "changelog_since_serial").encode(), -32602),
        (xmlrpc.client.dumps((-1,), "changelog_since_serial").encode(), -32602),
    ],
)
def test_calls_that_fault(server: ServerUnderTest, body: bytes, code: int) -> None:
    """What cannot be read or is not offered is a fault; there are no entities and no calls of many."""
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call(server, body)
    assert caught.value.faultCode == code


@pytest.mark.parametrize("path", [f"{BASE}/pypi", "/pypi", "/pypi/", "/mirror/pypi"])
@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""])
def test_uploads_to_the_change_log(server: ServerUnderTest, path: str, media_type: str) -> None:
    """An upload to the address that PyPI had for it once is refused, and the answer has the one to use."""
    headers = {"Content-Type": media_type} if media_type else {}
    reply = server.request("POST", path, headers=headers, body=b"--x--\r\n")
    assert reply.status == 415
    assert f"upload to {server.url}{BASE}/" in reply.body.decode()


@pytest.mark.parametrize("base", ["/mirror", f"{BASE}/mirror"])
def test_the_base_for_mirrors(server: ServerUnderTest, base: str) -> None:
    """Its documents are the same, but for the links: they begin with /packages, and lead to the same files."""
    wheel = a_wheel("demo-app", "1.0+local.1")
    server.publish(wheel)
    plain, mirrored = document(server, "/pypi/demo-app/json"), document(server, f"{base}/pypi/demo-app/json")
    url = mirrored["urls"][0]["url"]
    assert url == f"{server.url}/packages/main/pypi/demo-app/1.0%2Blocal.1/{wheel.filename.replace('+', '%2B')}"
    reply = server.get(url.removeprefix(server.url))
    assert (reply.status, reply.body) == (200, wheel.content)
    assert document(server, f"{base}/pypi/demo-app/1.0+local.1/json")["urls"] == mirrored["urls"]
    plain["urls"][0]["url"] = plain["releases"]["1.0+local.1"][0]["url"] = url
    assert mirrored == plain


def test_the_pages_for_mirrors(server: ServerUnderTest) -> None:
    """The pages are those of the index, at an address without a slash too; and the change log is the same."""
    server.publish(a_wheel("demo", "1.0"))
    for page in ("simple", "simple/demo"):
        mirrored = server.get(f"{BASE}/mirror/{page}", accept=SIMPLE_JSON)
        assert (mirrored.status, mirrored.body) == (200, server.get(f"/{page}", accept=SIMPLE_JSON).body)
    call_body = xmlrpc.client.dumps((), "list_packages_with_serial").encode()
    assert call(server, call_body, f"{BASE}/mirror/pypi") == call(server, call_body)
    moved = server.get(f"{BASE}/mirror/pypi/Demo/json")
    assert (moved.status, moved.headers["location"]) == (301, f"{BASE}/mirror/pypi/demo/json")


def test_documents_are_kept(server: ServerUnderTest) -> None:
    """A document is not written again before its project changes, and each host and each base has its own."""
    server.publish(a_wheel("demo", "1.0"))
    first = {path: document(server, path) for path in ("/pypi/demo/json", "/mirror/pypi/demo/json")}
    server.publish(a_wheel("other", "1.0"))
    files = server.settings.data / "files"
    files.rename(files.with_name("away"))
    assert {path: document(server, path) for path in first} == first
    assert server.get("/pypi/demo/1.0/json").status == 503
    assert server.request("GET", "/pypi/demo/json", headers={"Host": "elsewhere"}).status == 503
    files.with_name("away").rename(files)
    elsewhere = server.request("GET", "/pypi/demo/json", headers={"Host": "elsewhere"})
    assert json.loads(elsewhere.body)["urls"][0]["url"].startswith("http://elsewhere/")
    server.publish(a_wheel("demo", "1.1"))
    assert {path: document(server, path)["info"]["version"] for path in first} == dict.fromkeys(first, "1.1")


def test_links_with_a_public_address(make_server: MakeServer) -> None:
    """The links in documents and feeds begin with ``public_url``, whatever host was asked."""
    server = make_server('public_url = "https://pkgs.example.com/team"\n')
    server.publish(a_wheel("demo", "1.0"))
    start, file = "https://pkgs.example.com/team", "demo/1.0/demo-1.0-py3-none-any.whl"
    assert document(server)["urls"][0]["url"] == f"{start}{BASE}/files/{file}"
    assert document(server, "/mirror/pypi/demo/json")["urls"][0]["url"] == f"{start}/packages/main/pypi/{file}"
    assert f"<link>{start}{BASE}/simple/demo/</link>" in server.get("/rss/updates.xml").text
