"""People who sign in become known, and can be refused at once."""

from __future__ import annotations

import json

import pytest
from command_line import call, is_refusal

from pypiserve.core.identity import Role
from pypiserve.services.token_terms import TokenTerms
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest

PATH = "/api/packages/closed/pypi/simple/"
SETTINGS = """
plugins = ["plugin_parts"]
[[authenticators]]
kind = "vouching"
[[authenticators]]
kind = "token"
"""


@pytest.fixture
def server(make_server: MakeServer) -> ServerUnderTest:
    """Return a server with a private owner in which the token ``member`` of ``vouching:42`` may publish."""
    server = make_server(SETTINGS)
    with server.catalog() as catalog:
        catalog.accounts.create_owner("closed", public=False)
    return server


def test_who_signs_in_becomes_known(server: ServerUnderTest) -> None:
    """With name and time, and our own tokens are not among them; refused sign-ins are nobody."""
    for token in ("member", "member", "for-reading", server.token, "unknown"):
        server.get(PATH, token=token)
    server.stop()
    rows = json.loads(call("user", "list", "--json", folder=server.folder).stdout)
    assert [(row["subject"], row["display_name"], row["disabled_at"]) for row in rows] == [
        ("vouching:42", "mia", None)
    ]
    assert rows[0]["last_seen_at"] == rows[0]["created_at"]
    listed = call("user", "list", folder=server.folder).stdout
    assert listed == f"vouching:42\tmia\t{rows[0]['last_seen_at']}\tenabled\n"


def test_a_disabled_user_is_refused_at_once(server: ServerUnderTest) -> None:
    """In the very next request, also where everybody may read, with every credential; and let in again likewise."""
    public = "/api/packages/main/pypi/simple/"
    assert server.get(PATH, token="member").status == 200
    told = call("user", "disable", "vouching:42", folder=server.folder).stdout
    assert told == "vouching:42 is disabled.\n"
    for token in ("member", "for-reading"):
        for path in (PATH, public):
            assert server.get(path, token=token).status == 401
    assert server.get(public).status == 200
    assert server.get(PATH, token=server.token).status == 200
    assert "disabled" in call("user", "list", folder=server.folder).stdout
    assert call("user", "disable", "vouching:42", folder=server.folder).stdout.endswith("already.\n")
    assert call("user", "enable", "vouching:42", folder=server.folder).stdout == "vouching:42 is enabled.\n"
    assert call("user", "enable", "vouching:42", folder=server.folder).stdout.endswith("already.\n")
    assert server.get(PATH, token="member").status == 200


def test_the_tokens_of_a_disabled_user_are_refused(server: ServerUnderTest) -> None:
    """They are as good as their user is at the moment."""
    with server.catalog() as catalog:
        catalog.accounts.grant("vouching:42", Role.READER, owner="closed")
        token = catalog.accounts.tokens.create("laptop", "vouching:42", TokenTerms()).secret
        assert server.get(PATH, token=token).status == 200
        catalog.users.disable("vouching:42")
        reply = server.get(PATH, token=token)
        assert (reply.status, "account vouching:42 is disabled" in reply.text) == (401, True)
        catalog.users.enable("vouching:42")
    assert server.get(PATH, token=token).status == 200


def test_who_has_never_been_here_can_be_refused(server: ServerUnderTest) -> None:
    """Before the first sign-in too; the list says that they never were."""
    assert call("user", "disable", "vouching:42", folder=server.folder).returncode == 0
    assert server.get(PATH, token="member").status == 401
    assert call("user", "list", folder=server.folder).stdout.startswith("vouching:42\t\tnever\tdisabled\n")


@pytest.mark.parametrize(
    ("subject", "word"),
    [
        ("alice", "no subject"),
        ("token:administrator", "revoke it"),
        ("robot:ci", "is a robot"),
        ("team:main/devs", "no subject"),
    ],
)
def test_only_users_can_be_disabled(server: ServerUnderTest, subject: str, word: str) -> None:
    """What is none is named as what it is."""
    assert is_refusal(call("user", "disable", subject, folder=server.folder), word)
    assert is_refusal(call("user", "enable", subject, folder=server.folder), "was not found")
