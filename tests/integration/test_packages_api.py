"""``/api/v1/packages``: what programs read, change and are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pypiserve.catalog import journal
from pypiserve.core.identity import Role
from pypiserve.core.model import ProjectStatus
from pypiserve.testing import a_wheel, an_sdist
from pypiserve.testing.server import Reply, ServerUnderTest

API = "/api/v1/packages/main"
DEMO = f"{API}/pypi/demo"
JSON = "application/vnd.pypi.simple.v1+json"
ONE, TWO = a_wheel("demo", "1.0", requires_python=">=3.8"), a_wheel("demo", "2.0rc1")
SDIST = an_sdist("demo", "1.0")


def ask(
    server: ServerUnderTest, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
) -> Reply:
    """Send a request, as the administrator unless told otherwise, with a body that is JSON unless it is bytes."""
    secret = server.token if token is None else token
    sent = {"Authorization": f"Bearer {secret}"} if secret else {}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return server.request(method, path, headers=sent, body=content)


def read(server: ServerUnderTest, path: str) -> Any:
    """Return what an address tells."""
    reply = ask(server, "GET", path)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.headers["cache-control"] == "no-store"
    return json.loads(reply.body)


def files_of_page(server: ServerUnderTest) -> dict[str, Any]:
    """Return the files on the page of ``demo`` with their yanks."""
    reply = server.get("/simple/demo/", accept=JSON)
    return (
        {file["filename"]: file["yanked"] for file in json.loads(reply.body)["files"]} if reply.status == 200 else {}
    )


def last_event(server: ServerUnderTest) -> tuple[str, str, str | None, str | None, str]:
    """Return the kind, subject, version, file and detail of the journal's last event."""
    with server.catalog() as catalog:
        event = catalog._database.read_now(lambda connection: journal.since(connection, 0))[-1]
    return event.kind.value, event.subject, event.version, event.filename, event.detail


@pytest.fixture
def stocked(server: ServerUnderTest) -> ServerUnderTest:
    """A server that has two releases of ``demo`` and one of ``other``."""
    for built in (ONE, SDIST, TWO, a_wheel("other", "1.0")):
        assert server.publish(built).status == 201
    return server


def test_the_list_of_an_owner(stocked: ServerUnderTest) -> None:
    """One entry for each release, newest first, with the members that Gitea's has."""
    found = read(stocked, API)
    assert [(each["name"], each["version"], each["type"]) for each in found] == [
        ("other", "1.0", "pypi"),
        ("demo", "2.0rc1", "pypi"),
        ("demo", "1.0", "pypi"),
    ]
    assert set(found[0]) == {
        *("id", "owner", "repository", "creator", "type", "name", "version", "html_url", "created_at")
    }
    assert found[0]["owner"]["login"] == "main"
    assert found[0]["creator"]["login"] == "token:administrator"
    assert stocked.get(found[0]["html_url"]).status == 200


def test_pages_of_the_list(stocked: ServerUnderTest) -> None:
    """The whole length and the other pages stand in the headers; links hold no host."""
    first = ask(stocked, "GET", f"{API}?limit=2&q=o")
    assert first.headers["x-total-count"] == "3"
    assert first.headers["link"] == f'<{API}?limit=2&q=o&page=2>; rel="next", <{API}?limit=2&q=o&page=2>; rel="last"'
    second = ask(stocked, "GET", f"{API}?limit=2&q=o&page=2")
    assert [each["version"] for each in json.loads(second.body)] == ["1.0"]
    assert 'rel="prev"' in second.headers["link"]
    assert 'rel="next"' not in second.headers["link"]
    assert [each["name"] for each in read(stocked, f"{API}?q=OTH")] == ["other"]
    assert read(stocked, f"{API}?type=npm") == read(stocked, f"{API}?q=%25") == []
    assert len(read(stocked, f"{API}?type=pypi&limit=99999999999999999999")) == 3


@pytest.mark.parametrize("query", ["page=0", "page=-1", "limit=x", "limit=%C2%B2", "deleted=maybe"])
def test_a_query_that_is_none(stocked: ServerUnderTest, query: str) -> None:
    """It is refused with a sentence."""
    refused = ask(stocked, "GET", f"{API}?{query}", Accept="application/problem+json")
    assert (refused.status, json.loads(refused.body)["code"]) == (400, "invalid-request")


def test_versions_release_and_latest(stocked: ServerUnderTest) -> None:
    """Newest version first; the latest is no pre-release unless all are; versions in any spelling."""
    assert [each["version"] for each in read(stocked, DEMO)] == ["2.0rc1", "1.0"]
    assert read(stocked, f"{DEMO}/-/latest") == read(stocked, f"{DEMO}/1.0.0") == read(stocked, DEMO)[1]
    assert read(stocked, f"{API}/pypi/DEMO/1.0") == read(stocked, f"{DEMO}/1.0")
    assert ask(stocked, "HEAD", DEMO).status == 200
    ask(stocked, "DELETE", f"{DEMO}/1.0")
    assert read(stocked, f"{DEMO}/-/latest")["version"] == "2.0rc1"


def test_files_of_a_release(stocked: ServerUnderTest) -> None:
    """Digests that are not kept are null; what pip would see is there beside them."""
    sdist, wheel = sorted(read(stocked, f"{DEMO}/1.0/files"), key=lambda each: str(each["name"]).endswith(".whl"))
    assert sdist["name"] == SDIST.filename
    assert (wheel["name"], wheel["size"], wheel["sha256"]) == (ONE.filename, len(ONE.content), ONE.sha256)
    assert (wheel["sha1"], wheel["sha512"]) == (None, None)
    assert (len(wheel["md5"]), len(wheel["blake2b_256"])) == (32, 64)
    assert (wheel["requires_python"], wheel["yanked"], wheel["warnings"]) == (">=3.8", False, [])
    assert read(stocked, f"{DEMO}/1.0/files/{ONE.filename}") == wheel


@pytest.mark.parametrize(
    "path",
    ["pypi/none", "pypi/demo/9", "pypi/demo/one", "pypi/-bad-", "pypi/demo/9/files", "pypi/demo/1.0/files/x.whl"],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_not_there(stocked: ServerUnderTest, path: str, method: str) -> None:
    """404 for both; nothing is deleted by it."""
    if method == "DELETE" and path.endswith("9/files"):
        assert ask(stocked, method, f"{API}/{path}").status == 405
    else:
        assert ask(stocked, method, f"{API}/{path}").status == 404
    assert len(files_of_page(stocked)) == 3


def test_deleting_and_restoring(stocked: ServerUnderTest) -> None:
    """A file, a release, a project: 204, then 404, and back; each with its event in the name of who did it."""
    who = "token:administrator"
    for path, restore, what, told, count in (
        (f"{DEMO}/1.0/files/{ONE.filename}", "/restore", "file", ("1.0", ONE.filename), 1),
        (f"{DEMO}/1.0", "/restore", "release", ("1.0", None), 2),
        (DEMO, "/-/restore", "project", (None, None), 3),
    ):
        gone = ask(stocked, "DELETE", path)
        assert (gone.status, gone.body) == (204, b"")
        assert last_event(stocked) == (f"{what}.deleted", who, *told, "")
        assert len(files_of_page(stocked)) == 3 - count
        assert ask(stocked, "DELETE", path).status == ask(stocked, "GET", path).status == 404
        back = ask(stocked, "POST", f"{path}{restore}")
        assert (back.status, len(json.loads(back.body)["restored"])) == (200, count)
        assert last_event(stocked) == (f"{what}.restored", who, *told, "")
        assert len(files_of_page(stocked)) == 3
        assert ask(stocked, "POST", f"{path}{restore}").status == 404


def test_what_is_deleted_is_listed(stocked: ServerUnderTest) -> None:
    """With the moment until which it can be restored, for the owner and for one project."""
    assert read(stocked, f"{API}?deleted=true") == []
    ask(stocked, "DELETE", f"{DEMO}/1.0")
    ask(stocked, "DELETE", f"{API}/pypi/other")
    found = read(stocked, f"{API}?deleted=true")
    assert [each["filename"] for each in found] == [
        "other-1.0-py3-none-any.whl",
        *sorted((ONE.filename, SDIST.filename)),
    ]
    assert found[1:] == read(stocked, f"{DEMO}?deleted=true")
    assert found[0]["restorable_until"] > found[0]["deleted_at"]
    assert ask(stocked, "GET", f"{API}?deleted=true&limit=1").headers["x-total-count"] == "3"


def test_yanking(stocked: ServerUnderTest) -> None:
    """A release or a file, with a reason or without; again with another one; and back."""
    assert ask(stocked, "PUT", f"{DEMO}/1.0/yank", {"reason": "broken"}).status == 204
    assert files_of_page(stocked) == {ONE.filename: "broken", SDIST.filename: "broken", TWO.filename: False}
    file = f"{DEMO}/1.0/files/{ONE.filename}/yank"
    assert ask(stocked, "PUT", file, {"reason": "worse"}).status == 204
    assert last_event(stocked) == ("file.yanked", "token:administrator", "1.0", ONE.filename, "worse")
    assert files_of_page(stocked)[ONE.filename] == "worse"
    assert read(stocked, f"{DEMO}/1.0/files/{ONE.filename}")["yanked_reason"] == "worse"
    assert ask(stocked, "DELETE", file).status == 204
    assert files_of_page(stocked)[ONE.filename] is False
    assert ask(stocked, "DELETE", f"{DEMO}/1.0/yank").status == 204
    assert not any(files_of_page(stocked).values())
    assert ask(stocked, "PUT", f"{DEMO}/1.0/yank").status == 204
    assert files_of_page(stocked)[ONE.filename] is True


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"archived"', 400),
        (b"\xff", 400),
        (b"[" * 60_000, 400),
        ({}, 400),
        ({"status": "lost"}, 400),
        ({"status": 1}, 400),
        ({"status": "archived", "reason": 1}, 400),
        ({"status": "archived", "reason": "x" * 1001}, 400),
        ({"status": "archived", "colour": "red"}, 400),
        ({"status": "archived", "reason": "x" * 70_000}, 413),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bodies_that_are_refused(stocked: ServerUnderTest, body: Any, status: int) -> None:
    """The code says that it is the request, the sentence what is wrong with it; nothing is changed."""
    before = last_event(stocked)
    refused = ask(stocked, "PUT", f"{DEMO}/-/status", body, Accept="application/problem+json")
    code = "invalid-request" if status == 400 else "body-too-large"
    assert (refused.status, json.loads(refused.body)["code"]) == (status, code)
    assert last_event(stocked) == before


def test_a_compressed_body_is_refused(stocked: ServerUnderTest) -> None:
    """Nothing is unpacked."""
    assert ask(stocked, "PUT", f"{DEMO}/-/status", b"x", Content_Encoding="gzip").status == 415


def test_the_status(stocked: ServerUnderTest) -> None:
    """It is told and set, and holds for pages, uploads and downloads at once."""
    assert read(stocked, f"{DEMO}/-/status") == {"status": "active", "reason": None}
    given = {"status": "archived", "reason": "moved"}
    assert ask(stocked, "PUT", f"{DEMO}/-/status", given).status == 204
    assert read(stocked, f"{DEMO}/-/status") == given
    shown = json.loads(stocked.get("/simple/demo/", accept=JSON).body)
    assert shown["project-status"] == {"status": "archived", "reason": "moved"}
    assert stocked.publish(a_wheel("demo", "3.0")).status == 403


def test_the_status_of_a_deleted_project(stocked: ServerUnderTest) -> None:
    """Who may restore it is told; for others nothing is there, as for a project that never was."""
    assert ask(stocked, "DELETE", DEMO).status == 204
    assert read(stocked, f"{DEMO}/-/status") == {"status": "active", "reason": None}
    for project in ("demo", "never-was"):
        refused = stocked.get(f"{API}/pypi/{project}/-/status", accept="application/problem+json")
        assert (refused.status, json.loads(refused.body)["code"]) == (404, "not-found")
    assert ask(stocked, "POST", f"{DEMO}/-/restore").status == 200
    assert stocked.get(f"{DEMO}/-/status").status == 200


def test_a_quarantined_project(stocked: ServerUnderTest) -> None:
    """It leaves the lists, its files are withheld from page, download and description, and it takes none."""
    assert ask(stocked, "PUT", f"{DEMO}/-/status", {"status": "quarantined"}).status == 204
    assert {each["name"] for each in read(stocked, API)} == {"other"}
    assert read(stocked, f"{DEMO}/1.0/files") == []
    assert files_of_page(stocked) == {}
    assert stocked.get(f"/files/demo/1.0/{ONE.filename}").status == 403
    assert stocked.publish(a_wheel("demo", "3.0")).status == 403
    assert ask(stocked, "PUT", f"{DEMO}/-/status", {"status": "active"}).status == 204
    assert len(files_of_page(stocked)) == 3


def test_methods_that_an_address_does_not_take(stocked: ServerUnderTest) -> None:
    """405, with those that it takes."""
    for method, path, allowed in (
        ("POST", API, "GET, HEAD"),
        ("PUT", DEMO, "GET, HEAD, DELETE"),
        ("GET", f"{DEMO}/1.0/yank", "DELETE, PUT"),
        ("GET", f"{DEMO}/-/restore", "POST"),
    ):
        reply = ask(stocked, method, path)
        assert (reply.status, reply.headers["allow"]) == (405, allowed)


WHO = ("anonymous", "stranger", "reader", "publisher", "maintainer", "owner")
NEEDS: Mapping[tuple[str, str], Role] = {
    ("GET", ""): Role.READER,
    ("GET", "/pypi/demo"): Role.READER,
    ("GET", f"/pypi/demo/1.0/files/{ONE.filename}"): Role.READER,
    ("GET", "/pypi/demo/-/status"): Role.READER,
    ("GET", "?deleted=true"): Role.MAINTAINER,
    ("GET", "/pypi/demo?deleted=true"): Role.MAINTAINER,
    ("PUT", "/pypi/demo/1.0/yank"): Role.PUBLISHER,
    ("DELETE", f"/pypi/demo/1.0/files/{ONE.filename}/yank"): Role.PUBLISHER,
    ("PUT", "/pypi/demo/-/status"): Role.MAINTAINER,
    ("DELETE", "/pypi/demo/7"): Role.MAINTAINER,
    ("DELETE", "/pypi/never"): Role.MAINTAINER,
    ("POST", "/pypi/demo/1.0/restore"): Role.MAINTAINER,
}
REFUSALS = {
    True: {"anonymous": 401, "stranger": 403, "reader": 403, "publisher": 403},
    False: {"anonymous": 401, "stranger": 404, "reader": 403, "publisher": 403},
}


@pytest.mark.parametrize("public", [True, False], ids=["public", "private"])
def test_rights(server: ServerUnderTest, public: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """Reading, yanking and deleting take the roles that the reference says; refusals are those of all addresses."""
    owner = "team"
    tokens = {"anonymous": ""}
    with server.catalog() as catalog:
        catalog.accounts.create_owner(owner, public=public)
        catalog.accounts.create_owner("elsewhere", public=True)
        tokens["stranger"] = catalog.accounts.create_token("stranger", Role.PUBLISHER, owner="elsewhere").secret
        for role in set(Role) - {Role.ADMINISTRATOR}:
            tokens[role.value] = catalog.accounts.create_token(f"one-{role.value}", role, owner=owner).secret
    assert server.publish(ONE, path=f"/api/packages/{owner}/pypi/").status == 201
    for (method, path), needs in NEEDS.items():
        for who in WHO:
            reply = ask(server, method, f"/api/v1/packages/{owner}{path}", {"status": "active"}, token=tokens[who])
            held = Role(who).rank if who in set(Role) else Role.READER.rank if public else -1
            if held >= needs.rank:
                assert reply.status in {200, 204, 400, 404}, (method, path, who)
            else:
                assert reply.status == REFUSALS[public][who], (method, path, who)
    assert len(json.loads(ask(server, "GET", f"/api/v1/packages/{owner}").body)) == 1


def test_owners_that_are_not_there_and_private_ones_look_alike(server: ServerUnderTest) -> None:
    """To a stranger, with credentials or without."""
    with server.catalog() as catalog:
        catalog.accounts.create_owner("hidden", public=False)
        catalog.accounts.create_owner("elsewhere", public=True)
        stranger = catalog.accounts.create_token("stranger", Role.PUBLISHER, owner="elsewhere").secret
    for token in ("", stranger):
        seen = [ask(server, "GET", f"/api/v1/packages/{owner}", token=token) for owner in ("hidden", "nobody")]
        assert seen[0].status == seen[1].status == (404 if token else 401)
        assert seen[0].text.replace("hidden", "nobody") == seen[1].text


def test_names_in_addresses_are_data(stocked: ServerUnderTest) -> None:
    """What looks like a path, a pattern or another language finds nothing."""
    for name in ("..%2f..", "%25", "demo'--", "%00", "a" * 5000):
        for path in (f"{API}/pypi/{name}", f"{DEMO}/{name}", f"{DEMO}/1.0/files/{name}"):
            assert ask(stocked, "DELETE", path).status == 404
    assert len(files_of_page(stocked)) == 3


def test_two_servers_on_one_folder_see_it_at_once(stocked: ServerUnderTest) -> None:
    """What one deletes, yanks or restores is so in the other's next answer, though it had the page ready."""
    with ServerUnderTest(stocked.folder) as second:
        for _ in range(2):
            assert len(files_of_page(second)) == 3
            assert second.get(f"/files/demo/1.0/{ONE.filename}").status == 200
            ask(stocked, "DELETE", f"{DEMO}/1.0")
            assert list(files_of_page(second)) == [TWO.filename]
            assert second.get(f"/files/demo/1.0/{ONE.filename}").status == 404
            ask(stocked, "POST", f"{DEMO}/1.0/restore")
            ask(stocked, "PUT", f"{DEMO}/1.0/yank")
            assert files_of_page(second)[ONE.filename] is True
            ask(stocked, "DELETE", f"{DEMO}/1.0/yank")


def test_a_status_by_the_command_line_and_by_address_are_one(stocked: ServerUnderTest) -> None:
    """Both set the same marker."""
    with stocked.catalog() as catalog:
        catalog.curation.set_status("main/pypi", "demo", ProjectStatus.DEPRECATED, reason="old")
    assert read(stocked, f"{DEMO}/-/status") == {"status": "deprecated", "reason": "old"}
