"""API tokens of robots and people over HTTP: within their scopes and their time, and no further."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from pypiserve.core.identity import Action, Role, Scope
from pypiserve.services.grants import PlaceNames
from pypiserve.services.token_terms import TokenTerms
from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

BASE = "/api/packages/main/pypi"
PROBLEM = "application/problem+json"
READ, PUBLISH = frozenset({Action.READ}), frozenset({Action.PUBLISH})


class Statuses(NamedTuple):
    """What is answered to the project list, a page, the list of another index, two uploads, and a yank."""

    list: int
    page: int
    elsewhere: int
    upload_demo: int
    upload_other: int
    yank: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a private server with the projects demo and other, and a robot that maintains all."""
    with ServerUnderTest(tmp_path_factory.mktemp("site"), "private = true\n") as server:
        server.publish(a_wheel("demo", "1.0"))
        server.publish(a_wheel("other", "1.0"))
        with server.catalog() as catalog:
            catalog.indexes.create("main/dev", {})
            catalog.accounts.create_owner("another", public=False)
            catalog.accounts.robots.create("ci", owner="main")
            catalog.accounts.grants.grant("robot:ci", Role.MAINTAINER, PlaceNames("main"))
        yield server


def token(server: ServerUnderTest, name: str, terms: TokenTerms, subject: str = "robot:ci") -> str:
    """Make a token."""
    with server.catalog() as catalog:
        return catalog.accounts.tokens.create(name, subject, terms).secret


def statuses(server: ServerUnderTest, secret: str, *, version: str) -> Statuses:
    """Do all of it."""
    bearer = {"Authorization": f"Bearer {secret}"}
    yank = server.request("PUT", "/api/v1/packages/main/pypi/demo/1.0/yank", headers=bearer)
    return Statuses(
        server.get(f"{BASE}/simple/", token=secret).status,
        server.get(f"{BASE}/simple/demo/", token=secret).status,
        server.get("/api/packages/main/dev/simple/", token=secret).status,
        server.publish(a_wheel("demo", version), token=secret).status,
        server.publish(a_wheel("other", version), token=secret).status,
        yank.status,
    )


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (None, Statuses(200, 200, 200, 201, 201, 204)),
        ([Scope()], Statuses(200, 200, 200, 201, 201, 204)),
        ([Scope(actions=READ)], Statuses(200, 200, 200, 403, 403, 403)),
        ([Scope(actions=PUBLISH)], Statuses(403, 403, 403, 201, 201, 403)),
        ([Scope(owner="MAIN")], Statuses(200, 200, 200, 201, 201, 204)),
        ([Scope(owner="another")], Statuses(404, 404, 404, 404, 404, 404)),
        ([Scope(index="dev")], Statuses(404, 404, 200, 404, 404, 404)),
        ([Scope(owner="main", index="pypi")], Statuses(200, 200, 404, 201, 201, 204)),
        ([Scope(projects="demo")], Statuses(200, 200, 200, 201, 403, 204)),
        ([Scope(projects="other")], Statuses(200, 404, 200, 403, 201, 404)),
        ([Scope(actions=READ), Scope(projects="demo", actions=PUBLISH)], Statuses(200, 200, 200, 201, 403, 403)),
    ],
)
def test_each_scope_holds_wherever_one_asks(
    site: ServerUnderTest, request: pytest.FixtureRequest, scopes: list[Scope] | None, expected: Statuses
) -> None:
    """What is beyond the scopes is forbidden, or hidden where the token is good for nothing."""
    number = request.node.callspec.indices["scopes"]
    secret = token(site, f"scopes-{number}", TokenTerms(scopes))
    assert statuses(site, secret, version=f"2.{number}") == expected


def refusal(server: ServerUnderTest, secret: str) -> tuple[int, str]:
    """Ask for the project list; return the status and the code of the refusal, if it is one."""
    reply = server.get(f"{BASE}/simple/", token=secret, accept=f"{PROBLEM}, */*;q=0.1")
    code = json.loads(reply.body)["code"] if reply.headers["content-type"] == PROBLEM else ""
    return reply.status, code


def test_each_reason_why_a_token_does_not_work_has_a_code(site: ServerUnderTest) -> None:
    """Not yet, revoked, disabled, deleted: told apart, and each at once."""
    early = token(site, "early", TokenTerms(not_before=datetime.now(UTC) + timedelta(days=1)))
    good, person = token(site, "good", TokenTerms()), token(site, "laptop", TokenTerms(), "htpasswd:alice")
    assert refusal(site, early) == (401, "credentials-not-yet-valid")
    assert refusal(site, good) == (200, "")
    assert refusal(site, person) == (404, "not-found")
    with site.catalog() as catalog:
        accounts, users = catalog.accounts, catalog.users
        accounts.grants.grant("htpasswd:alice", Role.READER, PlaceNames("main"))
        assert refusal(site, person) == (200, "")
        users.disable("htpasswd:alice")
        accounts.robots.set_disabled("ci", disabled=True)
        assert {refusal(site, secret) for secret in (good, person)} == {(401, "account-disabled")}
        users.enable("htpasswd:alice")
        accounts.robots.set_disabled("ci", disabled=False)
        assert {refusal(site, secret) for secret in (good, person)} == {(200, "")}
        accounts.tokens.revoke("laptop")
        assert refusal(site, person) == (401, "revoked-credentials")
        accounts.robots.create("brief", owner=None)
        brief = accounts.tokens.create("brief", "robot:brief", TokenTerms()).secret
        assert refusal(site, brief) == (404, "not-found")
        accounts.robots.delete("brief")
        assert refusal(site, brief) == (401, "revoked-credentials")


def test_a_token_that_expires_does_so_while_it_is_in_use(site: ServerUnderTest) -> None:
    """That it was good a moment ago helps nobody."""
    secret = token(site, "brief", TokenTerms(expires_at=datetime.now(UTC) + timedelta(seconds=1)))
    codes = [refusal(site, secret)]
    while codes[-1] == (200, ""):
        codes.append(refusal(site, secret))
    assert len(codes) > 1
    assert codes[-1] == (401, "expired-credentials")


def test_a_token_works_with_the_name_that_its_owner_got(site: ServerUnderTest) -> None:
    """One that is limited to an owner is limited to it under its new name, at once."""
    secret = token(site, "renamed", TokenTerms([Scope(owner="another")]))
    with site.catalog() as catalog:
        catalog.accounts.grants.grant("robot:ci", Role.READER, PlaceNames("another"))
        assert site.get("/api/packages/another/pypi/simple/", token=secret).status == 200
        catalog.accounts.owners.rename("another", "Renamed")
    assert site.get("/api/packages/renamed/pypi/simple/", token=secret).status == 200
    assert site.get(f"{BASE}/simple/", token=secret).status == 404


def test_what_somebody_does_with_a_token_is_theirs(site: ServerUnderTest) -> None:
    """The audit has whose the token is, and its id."""
    with site.catalog() as catalog:
        made = catalog.accounts.tokens.create("signed", "robot:ci", TokenTerms())
    assert site.publish(a_wheel("signed", "1.0"), token=made.secret).status == 201
    bearer = {"Authorization": f"Bearer {made.secret}"}
    assert site.request("PUT", "/api/v1/packages/main/pypi/signed/1.0/yank", headers=bearer).status == 204
    events = json.loads(site.get("/api/v1/audit?kind=release.yanked", token=site.token).body)
    (yanked,) = [event for event in events if event["project"] == "signed"]
    assert (yanked["subject"], yanked["credential"]) == ("robot:ci", made.record.token_id)
