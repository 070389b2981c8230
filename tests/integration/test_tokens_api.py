"""Tokens and robots under ``/api/v1``: whose they are, who looks after them, and that secrets are told once."""

from __future__ import annotations

from typing import Any

import pytest
from admin_parts import Office

from pypiserve.core.identity import Role
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest

VOUCHING = """
plugins = ["plugin_parts"]
[[authenticators]]
kind = "vouching"
[[authenticators]]
kind = "token"
"""


@pytest.fixture
def office(server: ServerUnderTest) -> Office:
    """Return a server with owners and tokens."""
    return Office.of(server)


@pytest.fixture
def person(make_server: MakeServer) -> Office:
    """Return a server on which the token ``member`` is that of a person, ``vouching:42``."""
    server = make_server(VOUCHING)
    with server.catalog() as catalog:
        catalog.accounts.create_owner("closed", public=False)
        # What the authenticator vouches for comes with its own credentials only.
        catalog.accounts.grant("vouching:42", Role.READER, owner="closed")
    return Office(server, {"administrator": server.token, "member": "member", "nobody": "", "limited": "for-reading"})


def test_somebody_makes_a_token_of_their_own(person: Office) -> None:
    """It signs in as them, within its scopes, is told once, listed without its secret, and revoked at once."""
    scope = {"owner": "closed", "actions": ["read"]}
    new = {"name": "laptop", "scopes": [scope], "description": "mine"}
    made = person.does("POST", "/tokens", new, who="member")
    assert (made["subject"], made["created_by"]) == ("vouching:42", "vouching:42")
    person.tokens["laptop"] = secret = made["token"]
    path = "/api/packages/closed/pypi/simple/"
    assert person.server.get(path, token=secret).status == 200
    (listed,) = person.read("/tokens", who="member")
    assert secret not in str(listed)
    assert listed["scopes"] == [{"owner": "closed", "index": None, "projects": None, "actions": ["read"]}]
    assert person.code("POST", "/tokens", new, who="member") == (409, "name-taken")
    assert person.code("POST", "/tokens", {"name": "x"}, who="laptop") == (403, "permission-denied")
    assert person.code("POST", "/tokens", {"name": "x", "subject": "vouching:1"}, who="member")[0] == 403
    person.does("DELETE", f"/tokens/{listed['id']}", who="member")
    assert person.server.get(path, token=secret).status == 401
    assert person.code("DELETE", f"/tokens/{listed['id']}", who="member") == (404, "not-found")
    (failed,) = person.read("/audit?kind=sign-in")
    assert (failed["credential"], failed["detail"]) == (listed["id"], "revoked-credentials")


def test_a_new_token_is_kept_by_no_cache(person: Office) -> None:
    """The one answer that has a secret says so."""
    reply = person.ask("POST", "/tokens", {"name": "laptop"}, who="member")
    assert (reply.status, reply.headers["cache-control"]) == (201, "no-store")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a b"},
        {"name": "x", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "expires_at": "2090-01-01"},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": [{"actions": []}]},
        {"name": "x", "scopes": [{"projects": "a?"}]},
        {"name": "x", "scopes": [{"place": "closed"}]},
        {"name": "x", "subject": "token:administrator"},
    ],
)
def test_what_no_token_can_be(person: Office, wrong: Any) -> None:
    """It is refused with a code for what is wrong."""
    status, code = person.code("POST", "/tokens", wrong)
    assert status == 400
    assert code in {"invalid-name", "invalid-token", "invalid-request"}


def test_robots_are_looked_after_by_their_owners(office: Office) -> None:
    """Owners make them and their tokens, close and open them; nobody else sees them."""
    robot = {"name": "deploy", "owner": "acme", "description": "CI"}
    assert office.code("POST", "/robots", robot, who="maintainer")[0] == 403
    assert office.code("POST", "/robots", robot, who="stranger")[0] == 404
    assert office.code("POST", "/robots", robot, who="nobody")[0] == 401
    made = office.does("POST", "/robots", robot, who="owner")
    assert (made["subject"], made["owner"], made["disabled_at"]) == ("robot:deploy", "acme", None)
    office.does("PUT", "/owners/acme/grants", {"subject": "robot:deploy", "role": "publisher"}, who="owner")
    token = office.does("POST", "/tokens", {"name": "ci", "subject": "robot:deploy"}, who="owner")["token"]
    path = "/api/packages/acme/pypi/simple/"
    assert office.server.get(path, token=token).status == 200
    for who in ("stranger", "maintainer"):
        assert office.code("GET", "/robots/deploy", who=who) == (404, "not-found")
        assert office.read("/tokens?subject=robot:deploy", who=who) == []
    assert [each["name"] for each in office.read("/tokens?subject=robot:deploy", who="owner")] == ["ci"]
    assert office.does("PATCH", "/robots/deploy", {"disabled": True}, who="owner")["changed"] is True
    assert office.server.get(path, token=token).status == 401
    assert office.does("PATCH", "/robots/deploy", {"disabled": False}, who="owner")["disabled_at"] is None
    assert office.server.get(path, token=token).status == 200
    assert [each["name"] for each in office.read("/robots?owner=acme", who="owner")] == ["deploy"]
    office.does("DELETE", "/robots/deploy", who="owner")
    assert office.server.get(path, token=token).status == 401
    assert office.read("/robots") == []


def test_everything_is_for_administrators(office: Office) -> None:
    """All tokens and all robots, and those of the server."""
    assert {each["name"] for each in office.read("/tokens?everybody=true")} >= {"administrator", "owner", "stranger"}
    for path in ("/tokens?everybody=true", "/robots"):
        assert office.code("GET", path, who="owner") == (403, "permission-denied")
        assert office.code("GET", path, who="nobody") == (401, "authentication-failed")
    assert office.code("POST", "/robots", {"name": "mirror"}, who="owner")[0] == 403
    assert office.does("POST", "/robots", {"name": "mirror"})["owner"] is None
    with office.server.catalog() as catalog:
        catalog.accounts.grant("robot:mirror", Role.READER, owner="acme")
    assert office.code("GET", "/robots/mirror", who="owner") == (404, "not-found")
