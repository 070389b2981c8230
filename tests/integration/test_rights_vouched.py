"""Roles for which an authenticator vouches, scopes of credentials, and refusals in Gitea's way, over the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pypiserve.catalog import journal
from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

SETTINGS = """
plugins = ["plugin_parts"]
[[authenticators]]
kind = "vouching"
[[authenticators]]
kind = "token"
"""
ACME, OTHER = a_wheel("acme-core", "1.0"), a_wheel("other", "1.0")
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server with a private owner, one of Gitea's manners and a public one, with two projects each."""
    with ServerUnderTest(tmp_path_factory.mktemp("site"), SETTINGS) as server:
        with server.catalog() as catalog:
            for owner, public in (("Closed", False), ("gitea", False), ("open", True)):
                catalog.accounts.create_owner(owner, public=public)
            catalog.indexes.change_rules("gitea/pypi", {"hide_as": "401"})
        for owner in ("closed", "gitea", "open"):
            for wheel in (ACME, OTHER):
                assert server.publish(wheel, path=f"/api/packages/{owner}/pypi/").status == 201
        yield server


TABLE = {
    # token: the page of acme-core, that of other, publishing acme-core, and other, all in the private owner's index
    "member": (200, 200, 200, 200),
    "for-reading": (200, 200, 403, 403),
    "for-publishing": (403, 403, 200, 200),
    "for-acme": (200, 404, 200, 403),
    "for-another-owner": (404, 404, 404, 404),
    "for-nothing": (404, 404, 404, 404),
    "usurper": (500, 500, 500, 500),
}


@pytest.mark.parametrize("token", TABLE)
def test_a_forge_s_members_may_what_it_vouches_for(server: ServerUnderTest, token: str) -> None:
    """Within the scopes of their credentials, and never as administrators."""
    base = "/api/packages/closed/pypi"
    pages = [server.get(f"{base}/simple/{name}/", token=token, accept=JSON) for name in ("acme-core", "other")]
    uploads = [server.publish(wheel, token=token, path=f"{base}/") for wheel in (ACME, OTHER)]
    assert tuple(reply.status for reply in (*pages, *uploads)) == TABLE[token]


@pytest.mark.parametrize("token", [token for token in TABLE if token != "usurper"])
def test_scopes_take_away_nothing_that_is_everybodys(server: ServerUnderTest, token: str) -> None:
    """A public index is read with any good credentials, and published to with none of these."""
    base = "/api/packages/open/pypi"
    assert server.get(f"{base}/simple/other/", token=token).status == 200
    assert server.publish(OTHER, token=token, path=f"{base}/").status == 403


def test_a_list_has_what_is_in_scope(server: ServerUnderTest) -> None:
    """As with a grant on some projects."""
    for token, expected in (("member", ["acme-core", "other"]), ("for-acme", ["acme-core"])):
        reply = server.get("/api/packages/closed/pypi/simple/", token=token, accept=JSON)
        assert [project["name"] for project in json.loads(reply.body)["projects"]] == expected


def test_a_large_upload_out_of_reach_is_refused_before_its_file_has_come(server: ServerUnderTest) -> None:
    """By the form, and at the end all the same; the same bytes under another name are let in."""
    base = "/api/packages/closed/pypi/"
    large = a_wheel("large", "1.0", padding_bytes=3 << 20)
    assert server.publish(large, token="for-acme", path=base).status == 403
    assert server.publish(large, token="member", path=base).status == 201


def test_an_index_can_answer_as_gitea_does(server: ServerUnderTest) -> None:
    """Whoever may not is asked for other credentials, also when signed in."""
    base = "/api/packages/gitea/pypi"
    for path in ("simple/", "simple/acme-core/", "simple/absent/"):
        reply = server.get(f"{base}/{path}", token="member")
        assert (reply.status, "www-authenticate" in reply.headers) == (401, True)
    assert server.publish(ACME, token="member", path=f"{base}/").status == 401
    assert server.get(f"{base}/simple/absent/", token=server.token).status == 404


def test_the_journal_says_who_from_where_with_what(server: ServerUnderTest) -> None:
    """The credential is named by its id, and the secret stands nowhere."""
    headers = {"Authorization": "Bearer member"}
    path = "/api/v1/packages/closed/pypi/acme-core/1.0/yank"
    assert server.request("PUT", path, headers=headers).status == 204
    assert server.request("DELETE", path, headers=headers).status == 204
    with server.catalog() as catalog:
        events = catalog._database.read_now(lambda connection: journal.since(connection, 0))[-2:]
    assert [(event.subject, event.address, event.credential) for event in events] == [
        ("vouching:42", "127.0.0.1", "key-7")
    ] * 2
