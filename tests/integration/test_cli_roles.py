"""Teams, roles, names of owners and explanations on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import call, is_refusal

from pypiserve.core.identity import Role, Scope
from pypiserve.services.token_terms import TokenTerms
from pypiserve.testing.fixtures import MakeServer


@pytest.fixture
def folder(make_server: MakeServer) -> Path:
    """Return the folder of a server that was started once."""
    server = make_server()
    server.stop()
    return server.folder


def test_a_team_has_members_and_roles(folder: Path) -> None:
    """It is made, filled, listed, given roles, and takes them with it."""
    assert call("team", "create", "Main/devs", folder=folder).stdout == "Made the team Main/devs.\n"
    assert is_refusal(call("team", "create", "main/devs", folder=folder), "exists already")
    assert is_refusal(call("team", "create", "main/Devs", folder=folder), "no name for a team")
    assert is_refusal(call("team", "create", "nobody/devs", folder=folder), "The owner nobody")
    assert call("team", "add", "main/devs", "htpasswd:alice", folder=folder).returncode == 0
    assert "already" in call("team", "add", "main/devs", "htpasswd:alice", folder=folder).stdout
    assert is_refusal(call("team", "add", "main/devs", "team:main/devs", folder=folder), "no subject")
    assert is_refusal(call("team", "add", "main/devs", "token:nope", folder=folder), "API token nope")
    assert call("team", "list", "main", folder=folder).stdout == "main/devs\n  htpasswd:alice\n"
    granted = call("role", "grant", "publisher", "team:MAIN/devs", "--owner", "main", folder=folder)
    assert granted.stdout == "team:MAIN/devs is publisher of main.\n"
    assert is_refusal(call("grant", "reader", "team:main/nope", "--server", folder=folder), "team main/nope")
    assert call("role", "list", "--owner", "main", folder=folder).stdout == "publisher\tteam:main/devs\tmain\n"
    assert call("team", "remove", "main/devs", "htpasswd:alice", folder=folder).returncode == 0
    assert is_refusal(call("team", "remove", "main/devs", "htpasswd:alice", folder=folder), "was not found")
    assert call("team", "delete", "main/devs", folder=folder).returncode == 0
    assert call("role", "list", "--owner", "main", folder=folder).stdout == ""


def test_a_role_has_a_place(folder: Path) -> None:
    """The same subject may have one role at each place; each is withdrawn where it was given."""
    owner = ("--owner", "main")
    places = {owner: "main", (*owner, "--index", "pypi"): "main/pypi"}
    places |= {(*owner, "--project", "Acme_*"): "main/*/acme-*"}
    places |= {(*owner, "--index", "pypi", "--project", "x"): "main/pypi/x"}
    for place in places:
        assert call("role", "grant", "reader", "htpasswd:bob", *place, folder=folder).returncode == 0
        assert call("role", "grant", "publisher", "htpasswd:bob", *place, folder=folder).returncode == 0
    listed = call("role", "list", "--owner", "main", folder=folder).stdout.splitlines()
    assert sorted(listed) == sorted(f"publisher\thtpasswd:bob\t{text}" for text in places.values())
    for place in places:
        assert call("role", "withdraw", "htpasswd:bob", *place, folder=folder).returncode == 0
        assert is_refusal(call("withdraw", "htpasswd:bob", *place, folder=folder), "was not found")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("grant", "administrator", "htpasswd:a", "--owner", "main"), "one of the whole server"),
        (("token", "create", "x", "--role", "administrator"), "one of the whole server"),
        (("grant", "owner", "anyone", "--server"), "without credentials"),
        (("grant", "reader", "htpasswd:a", "--owner", "main", "--index", "nope"), "The index main/nope"),
        (("grant", "reader", "htpasswd:a", "--owner", "main", "--project", "a?"), "no pattern"),
        (("grant", "reader", "robot:nope", "--owner", "main"), "The robot nope"),
        (("owner", "rename", "nobody", "other"), "The owner nobody"),
        (("owner", "rename", "main", "simple"), "reserved"),
        (("explain", "alice", "read", "main"), "no subject"),
        (("explain", "htpasswd:a", "read", "nobody"), "The owner nobody"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_in_a_sentence(folder: Path, arguments: tuple[str, ...], word: str) -> None:
    """Each with the words that say how to mend it."""
    assert is_refusal(call(*arguments, folder=folder), word)


def test_an_owner_keeps_the_names_that_it_had(folder: Path) -> None:
    """Nobody else gets an old name; the owner itself may have it back; its teams keep their roles."""
    call("team", "create", "main/devs", folder=folder)
    call("role", "grant", "publisher", "team:main/devs", "--owner", "main", folder=folder)
    assert call("owner", "rename", "main", "Corp", folder=folder).returncode == 0
    assert is_refusal(call("owner", "create", "MAIN", folder=folder), "addresses of that name lead to it")
    assert is_refusal(call("owner", "visibility", "main", "private", folder=folder), "is called Corp now")
    assert call("role", "list", "--owner", "corp", folder=folder).stdout == "publisher\tteam:corp/devs\tCorp\n"
    assert call("owner", "create", "other", folder=folder).returncode == 0
    assert is_refusal(call("owner", "rename", "other", "main", folder=folder), "choose another name")
    assert is_refusal(call("owner", "rename", "other", "corp", folder=folder), "exists already")
    assert call("owner", "rename", "Corp", "main", folder=folder).returncode == 0
    assert is_refusal(call("owner", "create", "corp", folder=folder), "addresses of that name lead to it")


def test_decisions_are_explained(folder: Path) -> None:
    """With the answer, the teams, and the grants and words that made it."""
    call("owner", "visibility", "main", "internal", folder=folder)
    call("team", "create", "main/devs", folder=folder)
    call("team", "add", "main/devs", "htpasswd:alice", folder=folder)
    call("role", "grant", "publisher", "team:main/devs", "--owner", "main", "--project", "acme-*", folder=folder)
    told = call("explain", "htpasswd:alice", "publish", "main/pypi/acme-core", folder=folder).stdout
    assert told == (
        "yes: htpasswd:alice may publish in main/pypi/acme-core.\n"
        "  member\tof team:main/devs\n"
        "  reader\tmain is internal, and htpasswd:alice is signed in\n"
        "  publisher\tgranted to team:main/devs on the projects acme-* of main\n"
    )
    told = call("explain", "htpasswd:alice", "publish", "main/pypi/other", folder=folder).stdout
    assert told.startswith("no (permission-denied): htpasswd:alice is reader of the project other in main/pypi")
    assert call("explain", "anyone", "read", "main/pypi", folder=folder).stdout.startswith(
        "no (authentication-failed)"
    )
    told = call("explain", "token:administrator", "administer", "main", folder=folder).stdout
    assert "yes: " in told
    assert "granted to token:administrator on the whole server" in told


def test_what_a_request_brings_along_is_explained(folder: Path) -> None:
    """Roles for which an authenticator vouches, and the scopes of a credential, as if they were there."""
    call("owner", "visibility", "main", "private", folder=folder)
    ask = ("explain", "forge:42", "publish", "main/pypi/acme-core")
    assert call(*ask, folder=folder).stdout.startswith("no (not-found)")
    told = call(*ask, "--role", "MAIN=publisher", folder=folder).stdout
    assert told == "yes: forge:42 may publish in main/pypi/acme-core.\n  publisher\tforge vouches for it\n"
    scopes = ("--scope", "owner=main,project=Acme_*,action=read,action=yank", "--scope", "index=beta")
    told = call(*ask, "--role", "main=publisher", *scopes, folder=folder).stdout
    assert told.startswith("no (permission-denied): This credential of forge:42 may not publish")
    assert told.endswith(
        "  scope\tread, yank in main/*/acme-*\n  scope\tanything in */beta/*\n  publisher\tforge vouches for it\n"
    )


def test_an_api_token_is_explained_with_its_scopes(make_server: MakeServer) -> None:
    """By its id, for whoever signs in with it, and with what its time is."""
    server = make_server()
    with server.catalog() as catalog:
        catalog.accounts.grant("htpasswd:alice", Role.OWNER, owner="main")
        terms = TokenTerms(scopes=[Scope(projects="acme-*")], expires_at=datetime(2100, 1, 1, tzinfo=UTC))
        made = catalog.accounts.tokens.create("ci", "htpasswd:alice", terms)
    ask = ("explain", "htpasswd:alice", "publish")
    limits = ("--token", made.record.token_id)
    told = call(*ask, "main/pypi/acme-x", *limits, folder=server.folder).stdout
    assert told.startswith("yes: ")
    assert "  token\tci, expires 2100-01-01 00:00 UTC\n  scope\tanything in */*/acme-*\n" in told
    assert made.secret not in told
    assert call(*ask, "main/pypi/other", *limits, folder=server.folder).stdout.startswith("no (permission-denied)")
    other = call("explain", "htpasswd:bob", "read", "main", *limits, folder=server.folder)
    assert is_refusal(other, "as htpasswd:alice, and not as htpasswd:bob")
    assert is_refusal(call(*ask, "main", "--token", "0" * 16, folder=server.folder), "was not found")


@pytest.mark.parametrize(
    "options",
    [
        ("--role", "main"),
        ("--role", "=reader"),
        ("--role", "main=administrator"),
        ("--scope", "main"),
        ("--scope", "owner="),
        ("--scope", "owner=a,owner=b"),
        ("--scope", "action=fly"),
        ("--scope", "project=a?"),
        ("--scope", "owner=a", "--token", "0"),
    ],
    ids=" ".join,
)
def test_a_misspelt_option_is_refused(folder: Path, options: tuple[str, ...]) -> None:
    """With the usage and a sentence."""
    done = call("explain", "forge:42", "read", "main", *options, folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr
