"""What stands on simple pages, and how they are revalidated, compressed and changed."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import pytest
from pypi_simple import ProjectPage, PyPISimple
from raw_http import RawConnection

from pypiserve.core.model import ProjectStatus
from pypiserve.testing import a_wheel, an_sdist
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest

JSON = "application/vnd.pypi.simple.v1+json"
BASE = "/api/packages/main/pypi"
SENT_BY_HEAD = {"content-type", "content-length", "etag", "cache-control", "vary", "x-pypi-last-serial"}


def detail(server: ServerUnderTest, project: str = "demo") -> Any:
    """Read a project's page as JSON."""
    return json.loads(server.get(f"/simple/{project}/", accept=JSON).body)


def etags(server: ServerUnderTest, path: str = "/simple/demo/") -> list[str]:
    """Return the entity tags of the four representations of a page."""
    return [
        server.get(path, accept=accept, accept_encoding=encoding).headers["etag"]
        for accept in (JSON, "text/html")
        for encoding in ("gzip", "identity")
    ]


def test_a_page_tells_what_installers_need(server: ServerUnderTest) -> None:
    """Versions, sizes, times, Python versions and digests are those of the files, in the order of PEP 440."""
    built = [
        a_wheel("Demo", version, requires_python=">=3.9") for version in ("1.10", "1.9", "2.0rc1", "2.0", "1!0.1")
    ]
    for wheel in built:
        assert server.publish(wheel).status == 201
    page = detail(server)
    assert page["name"] == "demo"
    assert page["meta"]["api-version"] == "1.4"
    assert page["versions"] == ["1.9", "1.10", "2.0rc1", "2.0", "1!0.1"]
    assert [file["filename"].split("-")[1] for file in page["files"]] == page["versions"]
    by_name = {wheel.filename: wheel for wheel in built}
    for file in page["files"]:
        wheel = by_name[file["filename"]]
        assert file["hashes"] == {"sha256": wheel.sha256}
        assert file["size"] == len(wheel.content)
        assert file["requires-python"] == ">=3.9"
        assert file["core-metadata"] == {"sha256": hashlib.sha256(wheel.metadata).hexdigest()}
        assert file["yanked"] is False
        assert file["upload-time"].endswith("Z")


def test_files_of_one_version_are_sorted_by_name(server: ServerUnderTest) -> None:
    """The order of the uploads leaves no trace on the page."""
    for built in (a_wheel("demo", "1.0", tag="py3-none-win32"), an_sdist("demo", "1.0"), a_wheel("demo", "1.0")):
        server.publish(built)
    names = [file["filename"] for file in detail(server)["files"]]
    assert names == ["demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-win32.whl", "demo-1.0.tar.gz"]


def test_core_metadata_is_advertised_for_wheels_only(server: ServerUnderTest) -> None:
    """What an sdist says may be dynamic, so its page does not offer it and its address has nothing."""
    wheel, sdist = a_wheel("demo", "1.0"), an_sdist("demo", "1.0")
    server.publish(wheel)
    server.publish(sdist)
    files = {file["filename"]: file for file in detail(server)["files"]}
    assert "core-metadata" in files[wheel.filename]
    assert not {key for key in files[sdist.filename] if "metadata" in key}
    page = server.get("/simple/demo/").text
    anchors = [line for line in page.splitlines() if line.startswith("<a")]
    assert ["data-core-metadata" in anchor for anchor in anchors] == [True, False]
    assert server.get(f"{BASE}/files/demo/1.0/{wheel.filename}.metadata").body == wheel.metadata
    assert server.get(f"{BASE}/files/demo/1.0/{sdist.filename}.metadata").status == 404


def test_head_is_get_without_the_body(server: ServerUnderTest) -> None:
    """HEAD has every header of GET, the length included."""
    server.publish(a_wheel("demo", "1.0"))
    for path in ("/simple/", "/simple/demo/", "/simple", "/simple/Demo/", "/simple/none/", "/"):
        for accept in (JSON, "text/html", "image/png"):
            get = server.get(path, accept=accept)
            head = server.request("HEAD", path, headers={"Accept": accept})
            assert (head.status, head.body) == (get.status, b"")
            assert {**head.headers, "date": "", "x-request-id": ""} == {**get.headers, "date": "", "x-request-id": ""}


def test_head_leaves_the_connection_usable(server: ServerUnderTest) -> None:
    """The next request on the same connection is answered: no body follows a HEAD or a 304."""
    server.publish(a_wheel("demo", "1.0"))
    with RawConnection(server) as connection:
        connection.ask("HEAD", "/simple/demo/")
        etag = connection.reply(to_head=True).headers["etag"]
        connection.ask("GET", "/simple/demo/", if_none_match=etag)
        assert connection.reply().status == 304
        connection.ask("GET", "/simple/demo/")
        assert b"demo-1.0" in connection.reply().body


def test_every_representation_has_an_entity_tag_of_its_own(server: ServerUnderTest) -> None:
    """HTML and JSON, plain and compressed, are four things to a cache."""
    for version in ("1.0", "1.1", "1.2"):
        server.publish(a_wheel("demo", version))
    assert len(set(etags(server))) == 4
    assert etags(server) == etags(server)


@pytest.mark.parametrize("accept", [JSON, "text/html"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_known_page_is_304(server: ServerUnderTest, accept: str, encoding: str) -> None:
    """A 304 has the validators and cache rules of the page, and neither body nor length nor type."""
    for version in ("1.0", "1.1", "1.2"):
        server.publish(a_wheel("demo", version))
    page = server.get("/simple/demo/", accept=accept, accept_encoding=encoding)
    for condition in (page.headers["etag"], f'"x", W/{page.headers["etag"]}', "*"):
        reply = server.get("/simple/demo/", accept=accept, accept_encoding=encoding, if_none_match=condition)
        assert (reply.status, reply.body) == (304, b"")
        for name in ("etag", "cache-control", "vary", "x-pypi-last-serial"):
            assert reply.headers[name] == page.headers[name]
        assert not {"content-length", "content-type", "content-encoding"} & set(reply.headers)
    assert server.get("/simple/demo/", accept=accept, if_none_match='"other"').status == 200


def test_pages_are_asked_for_again_each_time(server: ServerUnderTest) -> None:
    """Public pages say ``no-cache``, those of a private owner ``private`` as well."""
    with server.catalog() as catalog:
        catalog.accounts.create_owner("hidden", public=False)
    for path in ("/simple/", "/"):
        assert server.get(path).headers["cache-control"] == "no-cache"
    for path in ("/simple/", "/", "/simple"):
        reply = server.get(f"/api/packages/hidden/pypi{path}", token=server.token)
        assert reply.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("x-gzip", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0.0, *", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("deflate, br", None),
    ],
)
def test_pages_are_compressed_only_on_request(
    server: ServerUnderTest, accept_encoding: str | None, coding: str | None
) -> None:
    """gzip is sent to who asks for it, and unpacks to the plain page; ``Vary`` says so in either case."""
    for version in ("1.0", "1.1", "1.2"):
        server.publish(a_wheel("demo", version))
    headers = {"Accept": JSON} | ({} if accept_encoding is None else {"Accept-Encoding": accept_encoding})
    with RawConnection(server) as connection:
        connection.ask("GET", "/simple/demo/", more=headers)
        reply = connection.reply()
    assert reply.headers.get("content-encoding") == coding
    plain = gzip.decompress(reply.body) if coding else reply.body
    assert plain == server.get("/simple/demo/", accept=JSON).body
    assert {part.strip() for part in reply.headers["vary"].split(",")} == {"Accept", "Accept-Encoding"}


def test_the_list_is_sorted_by_name(server: ServerUnderTest) -> None:
    """Whichever project was published first, the list is the same."""
    for project in ("zulu", "alpha", "Mike"):
        server.publish(a_wheel(project, "1.0"))
    listed = json.loads(server.get("/simple/", accept=JSON).body)["projects"]
    assert [project["name"] for project in listed] == ["alpha", "mike", "zulu"]


def test_the_serial_follows_the_journal(server: ServerUnderTest) -> None:
    """``X-PyPI-Last-Serial`` is the project's on its page and the greatest on the list."""
    server.publish(a_wheel("first", "1.0"))
    server.publish(a_wheel("second", "1.0"))
    first, second, listed = (
        int(server.get(path).headers["x-pypi-last-serial"])
        for path in ("/simple/first/", "/simple/second/", "/simple/")
    )
    assert first < second == listed
    projects = json.loads(server.get("/simple/", accept=JSON).body)["projects"]
    assert [(project["name"], project["_last-serial"]) for project in projects] == [
        ("first", first),
        ("second", second),
    ]


def test_yanking_changes_page_and_entity_tag_at_once(server: ServerUnderTest) -> None:
    """A yank beside the running server shows in the next request, and taking it back gives the old page body."""
    server.publish(a_wheel("demo", "1.0"))
    server.publish(a_wheel("demo", "2.0"))
    before, page_before = etags(server), server.get("/simple/demo/").body
    with server.catalog() as catalog:
        catalog.curation.set_yanked("main/pypi", "Demo", "2.0.0", yanked=True, reason='broken "on" <3.9')
    assert not set(before) & set(etags(server))
    assert [file["yanked"] for file in detail(server)["files"]] == [False, 'broken "on" <3.9']
    assert 'data-yanked="broken &quot;on&quot; &lt;3.9"' in server.get("/simple/demo/").text
    assert server.get(f"{BASE}/files/demo/2.0/demo-2.0-py3-none-any.whl").status == 200
    with server.catalog() as catalog:
        catalog.curation.set_yanked("main/pypi", "demo", "2.0", yanked=False)
    assert server.get("/simple/demo/").body == page_before
    assert [file["yanked"] for file in detail(server)["files"]] == [False, False]


def test_a_yank_without_a_reason_is_still_a_yank(server: ServerUnderTest) -> None:
    """JSON says ``true``, since pip takes an empty text for not yanked, and later files of the release share it."""
    server.publish(a_wheel("demo", "1.0"))
    with server.catalog() as catalog:
        catalog.curation.set_yanked("main/pypi", "demo", "1.0", yanked=True)
    server.publish(an_sdist("demo", "1.0"))
    assert [file["yanked"] for file in detail(server)["files"]] == [True, True]


def set_status(server: ServerUnderTest, status: ProjectStatus, reason: str | None = None) -> None:
    """Mark the project ``demo``."""
    with server.catalog() as catalog:
        catalog.curation.set_status("main/pypi", "demo", status, reason=reason)


@pytest.mark.parametrize("status", [ProjectStatus.ARCHIVED, ProjectStatus.QUARANTINED])
def test_a_closed_project_takes_no_files(server: ServerUnderTest, status: ProjectStatus) -> None:
    """Archived and quarantined projects refuse uploads with 403, until they are active again."""
    server.publish(a_wheel("demo", "1.0"))
    set_status(server, status, "moved away")
    assert detail(server)["project-status"] == {"status": status.value, "reason": "moved away"}
    assert server.publish(a_wheel("demo", "2.0")).status == 403
    set_status(server, ProjectStatus.ACTIVE)
    assert server.publish(a_wheel("demo", "2.0")).status == 201


def test_a_quarantined_project_offers_nothing(server: ServerUnderTest) -> None:
    """Its page has no files, the list leaves it out, and neither file nor metadata can be fetched."""
    wheel = a_wheel("demo", "1.0")
    server.publish(wheel)
    address = f"{BASE}/files/demo/1.0/{wheel.filename}"
    assert server.get(address).status == 200
    set_status(server, ProjectStatus.QUARANTINED)
    assert detail(server)["files"] == []
    assert wheel.filename not in server.get("/simple/demo/").text
    assert json.loads(server.get("/simple/", accept=JSON).body)["projects"] == []
    assert [server.get(address + suffix).status for suffix in ("", ".metadata")] == [403, 403]
    set_status(server, ProjectStatus.ACTIVE)
    assert server.get(address).body == wheel.content


def test_a_deprecated_project_works_on(server: ServerUnderTest) -> None:
    """Deprecation is told on the page, and nothing else changes."""
    server.publish(a_wheel("demo", "1.0"))
    set_status(server, ProjectStatus.DEPRECATED, "use <other>")
    page = server.get("/simple/demo/").text
    assert '<meta name="pypi:project-status" content="deprecated">' in page
    assert "use &lt;other&gt;" in page
    assert server.publish(a_wheel("demo", "2.0")).status == 201


def test_a_strict_reader_takes_every_page(server: ServerUnderTest) -> None:
    """pypi-simple, which checks what installers do not, reads both forms and finds the same in both."""
    wheel, sdist = a_wheel("demo", "1.0", requires_python=">=3.9,<4"), an_sdist("demo", "1.0")
    server.publish(wheel)
    server.publish(sdist)
    server.publish(a_wheel("other", "1!2.0+local.1"))
    with server.catalog() as catalog:
        catalog.curation.set_yanked("main/pypi", "demo", "1.0", yanked=True, reason="why <not>")
    pages: list[ProjectPage] = []
    for accept in (JSON, "text/html"):
        with PyPISimple(f"{server.url}/simple/", accept=accept) as client:
            assert client.get_index_page().projects == ["demo", "other"]
            assert [package.version for package in client.get_project_page("other").packages] == ["1!2.0+local.1"]
            page = client.get_project_page("demo")
            found = page.packages[0]
            assert client.get_package_metadata_bytes(found) == wheel.metadata
        assert page.repository_version == "1.4"
        pages.append(page)
    for packages in zip(pages[0].packages, pages[1].packages, strict=True):
        assert len({(one.filename, one.url, one.requires_python, one.yanked_reason) for one in packages}) == 1
        assert packages[0].digests == packages[1].digests
    assert [package.filename for package in pages[0].packages] == [wheel.filename, sdist.filename]


def test_equal_indexes_give_equal_html(make_server: MakeServer) -> None:
    """Whatever the order of uploads, another server with the same files lists them in the same bytes."""
    built = [a_wheel("demo", "1.0"), a_wheel("demo", "0.9"), a_wheel("demo", "1.0", tag="py3-none-win32")]
    lists = []
    for order in (built, built[::-1]):
        server = make_server()
        for wheel in order:
            server.publish(wheel)
        lists.append([{**file, "upload-time": ""} for file in detail(server)["files"]])
    assert lists[0] == lists[1]


def test_a_restart_gives_the_same_bytes(make_server: MakeServer) -> None:
    """Entity tags hold across restarts, so that clients' caches do."""
    first = make_server()
    first.publish(a_wheel("demo", "1.0"))
    before = etags(first)
    first.stop()
    assert etags(make_server(folder=first.folder)) == before
