"""Administration under ``/api/v1``: what it does, for whom, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from admin_parts import Office

from pypiserve.testing.server import ServerUnderTest

ACME = "/owners/acme"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Return a server for the tests that change nothing that others of them look at."""
    with ServerUnderTest(Path(tmp_path_factory.mktemp("office"))) as server:
        yield Office.of(server)


@pytest.fixture
def office(server: ServerUnderTest) -> Office:
    """Return a server of the test's own."""
    return Office.of(server)


OF_AN_OWNER: list[tuple[str, str, Any]] = [
    ("GET", ACME, None),
    ("PATCH", ACME, {"visibility": "private"}),
    ("GET", f"{ACME}/indexes", None),
    ("POST", f"{ACME}/indexes", {"name": "pypi"}),
    ("GET", f"{ACME}/indexes/pypi", None),
    ("PATCH", f"{ACME}/indexes/pypi", {"rules": {}}),
    ("GET", f"{ACME}/teams", None),
    ("POST", f"{ACME}/teams", {"name": "!"}),
    ("DELETE", f"{ACME}/teams/nope", None),
    ("GET", f"{ACME}/teams/nope/members", None),
    ("PUT", f"{ACME}/teams/nope/members?subject=x:y", None),
    ("DELETE", f"{ACME}/teams/nope/members?subject=x:y", None),
    ("GET", f"{ACME}/grants", None),
    ("PUT", f"{ACME}/grants", {"subject": "x:y", "role": "reader"}),
    ("DELETE", f"{ACME}/grants?subject=x:nope", None),
    ("GET", "/explain?subject=x:y&action=read&target=acme", None),
    ("GET", "/audit?owner=acme", None),
]
OF_THE_SERVER: list[tuple[str, str, Any]] = [
    ("POST", "/owners", {"name": "acme"}),
    ("PUT", "/owners/nope/name", {"name": "other"}),
    ("GET", "/grants", None),
    ("PUT", "/grants", {"subject": "team:a/b", "role": "reader"}),
    ("DELETE", "/grants?subject=x:nope", None),
    ("GET", "/users", None),
    ("PATCH", "/users", {"subject": "x:nope", "disabled": False}),
    ("GET", "/audit", None),
]


@pytest.mark.parametrize(("method", "path", "body"), OF_AN_OWNER)
def test_owners_are_administered_by_their_owners(shared: Office, method: str, path: str, body: Any) -> None:
    """Its owners may, and administrators of the server; others are refused as everywhere."""
    refusals = {
        "maintainer": (403, "permission-denied"),
        "stranger": (404, "not-found"),
        "nobody": (401, "authentication-failed"),
    }
    for who, refusal in refusals.items():
        assert shared.code(method, path, body, who=who) == refusal, who
    answers = {who: shared.ask(method, path, body, who=who).status for who in ("owner", "administrator")}
    assert set(answers.values()) <= {200, 400, 404, 409}, answers
    assert len(set(answers.values())) == 1


@pytest.mark.parametrize(("method", "path", "body"), OF_THE_SERVER)
def test_the_server_is_administered_by_its_administrators(shared: Office, method: str, path: str, body: Any) -> None:
    """Nobody else may, whatever they are elsewhere."""
    for who in ("owner", "maintainer", "stranger"):
        assert shared.code(method, path, body, who=who) == (403, "permission-denied"), who
    assert shared.code(method, path, body, who="nobody") == (401, "authentication-failed")
    assert shared.ask(method, path, body).status in {200, 400, 404, 409}


@pytest.mark.parametrize(("method", "path", "body"), OF_AN_OWNER)
def test_a_hidden_owner_looks_like_none(shared: Office, method: str, path: str, body: Any) -> None:
    """To strangers and to nobody the answer is the same, to the letter, for an owner that is not there."""
    other = path.replace("acme", "acmf")
    for who in ("stranger", "nobody"):
        hidden, missing = (shared.ask(method, each, body, who=who) for each in (path, other))
        assert hidden.status == missing.status
        assert hidden.text.replace("acme", "acmf") == missing.text


def test_owners_are_made_and_listed(office: Office) -> None:
    """Private unless asked otherwise; everybody sees those that they administer."""
    assert office.does("POST", "/owners", {"name": "New", "visibility": "internal"}) == {
        "name": "New",
        "kind": "organisation",
        "visibility": "internal",
    }
    assert office.code("POST", "/owners", {"name": "new"}) == (409, "name-taken")
    assert office.code("POST", "/owners", {"name": "simple"}) == (400, "invalid-name")
    assert [each["name"] for each in office.read("/owners")] == ["acme", "main", "New"]
    assert [each["name"] for each in office.read("/owners", who="owner")] == ["acme"]
    assert office.read("/owners", who="stranger") == []
    assert office.code("GET", "/owners", who="nobody") == (401, "authentication-failed")


def test_visibility_holds_at_once(office: Office) -> None:
    """The next request of anybody is decided by it."""
    assert office.server.get("/api/packages/acme/pypi/simple/").status == 401
    assert office.does("PATCH", ACME, {"visibility": "public"}, who="owner")["visibility"] == "public"
    assert office.server.get("/api/packages/acme/pypi/simple/").status == 200
    assert office.read(ACME)["visibility"] == "public"


def test_an_owner_gets_another_name(office: Office) -> None:
    """The old address leads to the new one for reading, and refuses changes."""
    assert office.ask("PUT", f"{ACME}/name", {"name": "corp"}).status == 204
    moved = office.ask("GET", f"{ACME}/teams?limit=5", who="owner")
    assert (moved.status, moved.headers["location"]) == (301, "/api/v1/owners/corp/teams?limit=5")
    assert office.code("PATCH", ACME, {"visibility": "public"}, who="owner") == (410, "owner-moved")
    assert office.code("GET", "/audit?owner=acme", who="owner") == (410, "owner-moved")
    assert office.read("/owners/corp", who="owner")["name"] == "corp"


def test_indexes_and_rules(office: Office) -> None:
    """An index is made with rules; changes name some, or give them their default, all or none."""
    path = f"{ACME}/indexes"
    assert office.does("POST", path, {"name": "dev", "rules": {"existing_files": "overwrite"}}, who="owner") == {
        "owner": "acme",
        "name": "dev",
        "rules": {"existing_files": "overwrite"},
    }
    change = {"rules": {"retention_days": 3, "max_file_size_bytes": 10}, "reset": ["existing_files"]}
    assert office.does("PATCH", f"{path}/dev", change)["rules"] == {"retention_days": 3, "max_file_size_bytes": 10}
    assert office.does("PATCH", f"{path}/dev", {"rules": {"max_file_size_bytes": None}})["rules"] == {
        "retention_days": 3
    }
    assert office.code("PATCH", f"{path}/dev", {"rules": {"retention_days": 9, "nope": 1}}) == (
        400,
        "invalid-request",
    )
    assert office.code("PATCH", f"{path}/dev", {"rules": {"retention_days": -1}}) == (400, "invalid-request")
    assert office.code("PATCH", f"{path}/dev", {"reset": ["nope"]}) == (400, "invalid-rule")
    assert office.read(f"{path}/dev")["rules"] == {"retention_days": 3}
    assert [each["name"] for each in office.read(path)] == ["dev", "pypi"]
    assert office.code("GET", f"{path}/nope") == (404, "not-found")
    assert office.code("POST", path, {"name": "dev"}) == (409, "name-taken")


def test_teams_and_members(office: Office) -> None:
    """A team is made, filled, given a role, and its members may then."""
    team = office.does("POST", f"{ACME}/teams", {"name": "devs"}, who="owner")
    assert team == {"owner": "acme", "name": "devs", "subject": "team:acme/devs"}
    members = f"{ACME}/teams/devs/members"
    assert office.does("PUT", f"{members}?subject=token:stranger") == {"subject": "token:stranger", "added": True}
    assert office.does("PUT", f"{members}?subject=token:stranger")["added"] is False
    assert office.does("PUT", f"{members}?subject=x:a/b%26c")["added"] is True
    assert [each["subject"] for each in office.read(members)] == ["token:stranger", "x:a/b&c"]
    office.does("PUT", f"{ACME}/grants", {"subject": team["subject"], "role": "owner"})
    assert office.read(ACME, who="stranger")["name"] == "acme"
    office.does("DELETE", f"{members}?subject=token:stranger")
    assert office.code("GET", ACME, who="stranger") == (404, "not-found")
    assert office.code("DELETE", f"{members}?subject=token:stranger") == (404, "not-found")
    office.does("DELETE", f"{ACME}/teams/devs")
    assert office.read(f"{ACME}/teams") == []


def test_grants_have_places(office: Office) -> None:
    """A role is given and taken at one place: an owner, an index, some projects, the server."""
    wide = {"subject": "htpasswd:bob", "role": "reader"}
    narrow = {**wide, "role": "publisher", "index": "pypi", "projects": "Acme_*"}
    assert office.does("PUT", f"{ACME}/grants", wide, who="owner")["owner"] == "acme"
    assert office.does("PUT", f"{ACME}/grants", narrow)["projects"] == "acme-*"
    found = [each for each in office.read(f"{ACME}/grants") if each["subject"] == "htpasswd:bob"]
    assert [(each["role"], each["index"], each["projects"]) for each in found] == [
        ("reader", None, None),
        ("publisher", "pypi", "acme-*"),
    ]
    office.does("DELETE", f"{ACME}/grants?subject=htpasswd:bob&index=pypi&projects=acme-*")
    assert office.code("DELETE", f"{ACME}/grants?subject=htpasswd:bob&index=pypi") == (404, "not-found")
    assert office.code("PUT", f"{ACME}/grants", {**wide, "role": "administrator"}) == (400, "role-misplaced")
    assert office.code("PUT", f"{ACME}/grants", {**wide, "subject": "bob"}) == (400, "invalid-name")
    assert office.does("PUT", "/grants", wide)["owner"] is None
    assert {"htpasswd:bob"} <= {each["subject"] for each in office.read("/grants") if each["owner"] is None}
    office.does("DELETE", "/grants?subject=htpasswd:bob")


def test_users_are_disabled_and_enabled(office: Office, tmp_path: Path) -> None:
    """Somebody who is disabled is refused with a right password at once, and back when enabled."""
    assert office.does("PATCH", "/users", {"subject": "htpasswd:bob", "disabled": True})["changed"] is True
    assert office.does("PATCH", "/users", {"subject": "htpasswd:bob", "disabled": True})["changed"] is False
    (bob,) = office.read("/users")
    assert (bob["subject"], bob["disabled_at"] is None) == ("htpasswd:bob", False)
    explained = office.read("/explain?subject=htpasswd:bob&action=read&target=main")
    assert explained["allowed"] is False
    office.does("PATCH", "/users", {"subject": "htpasswd:bob", "disabled": False})
    assert office.read("/explain?subject=htpasswd:bob&action=read&target=main")["allowed"] is True
    assert office.code("PATCH", "/users", {"subject": "token:owner", "disabled": True}) == (400, "invalid-name")
    assert [each["kind"] for each in office.read("/audit?kind=user")] == ["user.enabled", "user.disabled"]


def test_decisions_are_explained(office: Office) -> None:
    """The answer has the decision, the teams and each reason."""
    found = office.read("/explain?subject=token:maintainer&action=administer&target=acme", who="owner")
    assert found["allowed"] is False
    assert found["refusal"]["code"] == "permission-denied"
    assert found["claims"] == [{"role": "maintainer", "because": "granted to token:maintainer on acme"}]
    assert office.code("GET", "/explain?subject=bob&action=read&target=acme") == (400, "invalid-name")
    assert office.code("GET", "/explain?subject=x:y&action=eat&target=acme") == (400, "invalid-request")


def test_an_explanation_keeps_the_teams_of_other_owners(office: Office) -> None:
    """Who administers one owner does not learn which others there are; administrators of the server do."""
    for owner in ("acme", "main"):
        office.does("POST", f"/owners/{owner}/teams", {"name": "devs"})
        office.does("PUT", f"/owners/{owner}/teams/devs/members?subject=htpasswd:bob")
    path = "/explain?subject=htpasswd:bob&action=read&target=ACME"
    assert office.read(path, who="owner")["teams"] == ["team:acme/devs"]
    assert office.read(path)["teams"] == ["team:acme/devs", "team:main/devs"]


def test_the_audit_tells_each_of_its_own(office: Office) -> None:
    """Owners see what happened to their owner only; each change has its actor, address, and request."""
    reply = office.ask("POST", f"{ACME}/teams", {"name": "devs"}, who="owner")
    line = office.read("/audit?owner=ACME", who="owner")[0]
    assert (line["kind"], line["subject"], line["address"]) == ("team.created", "token:owner", "127.0.0.1")
    assert line["request_id"] == reply.headers["x-request-id"]
    assert {each["owner"] for each in office.read("/audit?owner=acme", who="owner")} == {"acme"}
    office.server.get("/simple/", authorization="Negotiate x")
    (failed,) = office.read("/audit?kind=sign-in")
    assert (failed["detail"], failed["serial"], failed["count"]) == ("unknown-scheme", None, 1)


def test_the_audit_comes_in_pages(office: Office) -> None:
    """Each answer says where the next one goes on; nothing is lost, nothing comes twice."""
    for number in range(7):
        office.does("POST", f"{ACME}/teams", {"name": f"t{number}"})
    path, lines = "/audit?limit=3", []
    while path:
        reply = office.ask("GET", path)
        lines += json.loads(reply.body)
        path = reply.headers.get("link", "").partition(">")[0].removeprefix("</api/v1")
    serials = [each["serial"] for each in lines]
    assert serials == list(range(len(serials), 0, -1))
    assert office.code("GET", "/audit?before=1") == (400, "invalid-request")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/owners", {"name": "x", "more": 1}),
        ("POST", "/owners", {"name": 1}),
        ("POST", "/owners", {"name": "x" * 65}),
        ("POST", "/owners", b"["),
        ("POST", "/owners", None),
        ("PATCH", ACME, {"visibility": "secret"}),
        ("PUT", f"{ACME}/grants", {"subject": "x:y", "role": "king"}),
        ("PUT", f"{ACME}/teams/x/members", None),
        ("PUT", f"{ACME}/teams/x/members?subject=x:y&more=1", None),
        ("GET", "/owners?page=0", None),
        ("GET", "/audit?since=yesterday", None),
        ("GET", "/audit?since=0.5", None),
        ("GET", "/audit?since=null", None),
        ("GET", "/audit?since=2026-01-01T00:00:00", None),
        ("GET", "/audit?nope=1", None),
    ],
)
def test_what_is_not_understood_is_refused(shared: Office, method: str, path: str, body: Any) -> None:
    """Unknown members, wrong types, missing ones and long ones: 400, with a sentence."""
    assert shared.code(method, path, body) == (400, "invalid-request")


def test_bodies_are_bounded(shared: Office) -> None:
    """More than 64 KiB is refused before it is read."""
    assert shared.code("POST", "/owners", b" " * 70_000) == (413, "body-too-large")


def test_lists_come_in_pages(shared: Office) -> None:
    """With the whole length, links to the other pages, and a bound on the length of one."""
    reply = shared.ask("GET", "/grants?limit=2&page=2")
    assert int(reply.headers["x-total-count"]) >= 4
    assert 'rel="prev"' in reply.headers["link"]
    assert len(json.loads(reply.body)) == 2
    assert shared.ask("GET", "/grants?limit=100000").status == 200
