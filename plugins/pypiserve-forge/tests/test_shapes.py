"""Tokens are told by their shape, so that none is sent to a forge that it does not belong to."""

from __future__ import annotations

from itertools import permutations

import pytest

from forge_fixtures import BuildBeside, MakeAuthenticator, Table
from forge_process import Forges
from people import gitea_token, github_token, gitlab_token
from pypiserve.core.errors import AuthenticationFailed, InvalidSetting
from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials
from pypiserve.testing import MemoryApiTokens

TOKENS = {"gitea": gitea_token("wim"), "gitlab": gitlab_token("dee"), "github": github_token("mel")}


@pytest.mark.parametrize(("kind", "other"), list(permutations(TOKENS, 2)))
async def test_tokens_of_others_stay_here(make: MakeAuthenticator, forges: Forges, kind: str, other: str) -> None:
    """In no place where a token may stand, another forge's is sent out."""
    authenticator, token = make(kind), TOKENS[other]
    for credentials in (
        BearerCredentials(token),
        BasicCredentials("__token__", token),
        BasicCredentials(token, ""),
        BasicCredentials(token, "x-oauth-basic"),
    ):
        assert await authenticator.authenticate(credentials) is None
    assert getattr(forges, kind).asked() == []


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize(
    "credentials",
    [
        BasicCredentials("alice", "correct horse"),
        BasicCredentials("alice", ""),
        BasicCredentials("__token__", MemoryApiTokens().add("ci")),
        BearerCredentials("eyJhbGciOiJSUzI1NiJ9.e30.x"),
        BasicCredentials("alice", "A" * 40),
        BasicCredentials("alice", f"{gitea_token('wim')}\n"),
        BasicCredentials("alice", "glpat-short"),
        BasicCredentials("alice", f"ghp_{'ü' * 36}"),
    ],
    ids=lambda credentials: getattr(credentials, "username", "bearer"),
)
async def test_other_secrets_stay_here(
    make: MakeAuthenticator, forges: Forges, kind: str, credentials: Credentials
) -> None:
    """Passwords, tokens of this server and what only resembles a forge's are left to others."""
    assert await make(kind).authenticate(credentials) is None
    assert getattr(forges, kind).asked() == []


@pytest.mark.parametrize(
    ("kind", "token"),
    [
        *(("github", f"{prefix}{'a' * 36}") for prefix in ("gho_", "ghu_", "ghs_", "ghr_")),
        *(("gitlab", f"{prefix}{'a' * 20}") for prefix in ("gldt-", "glcbt-64_", "gloas-", "glrt-", "glft-")),
    ],
)
async def test_tokens_of_no_person(make: MakeAuthenticator, forges: Forges, kind: str, token: str) -> None:
    """Tokens of applications, jobs and runners are refused without asking, and told what to use instead."""
    with pytest.raises(AuthenticationFailed, match=r"make a|make it|for it"):
        await make(kind).authenticate(BasicCredentials("__token__", token))
    assert getattr(forges, kind).asked() == []


@pytest.mark.parametrize("kind", TOKENS)
async def test_every_place_for_a_token(make: MakeAuthenticator, forges: Forges, kind: str) -> None:
    """As a password of any user name, as the user name, and as a bearer token it is one and the same."""
    authenticator, token = make(kind), TOKENS[kind]
    found = {
        await authenticator.authenticate(credentials)
        for credentials in (
            BasicCredentials("__token__", token),
            BasicCredentials("somebody else", token),
            BasicCredentials(token, ""),
            BasicCredentials(token, "x-oauth-basic"),
            BearerCredentials(token),
        )
    }
    assert len(found) == 1
    asked = getattr(forges, kind).asked()
    assert len(asked) == len(set(asked))


async def test_user_names_tell_two_forges_apart(make: MakeAuthenticator, forges: Forges) -> None:
    """With a suffix a token is the forge's only beside such a user name, and never without one."""
    authenticator, token = make("gitea", username_suffix="@Work"), TOKENS["gitea"]
    assert await authenticator.authenticate(BasicCredentials("wim@home", token)) is None
    assert await authenticator.authenticate(BearerCredentials(token)) is None
    assert await authenticator.authenticate(BasicCredentials(token, "")) is None
    assert forges.gitea.asked() == []
    assert await authenticator.authenticate(BasicCredentials("wim@work", token)) is not None


OVERLAPS: list[tuple[Table, Table]] = [
    (("gitea", {}), ("forgejo", {})),
    (("gitea", {"username_suffix": "@a"}), ("gitea", {})),
    (("gitea", {"username_suffix": "@a.b"}), ("forgejo", {"username_suffix": "@A.B"})),
    (("gitlab", {}), ("gitlab", {"token_prefixes": ("acme-", "glpat-")})),
    (("gitlab", {"token_prefixes": ("ghp_x",)}), ("github", {})),
]


@pytest.mark.parametrize(("one", "other"), OVERLAPS, ids=str)
def test_two_forges_that_look_alike(build_beside: BuildBeside, one: Table, other: Table) -> None:
    """The start is refused when a token could be sent to the wrong one."""
    with pytest.raises(InvalidSetting, match="username_suffix: its tokens look like those of the authenticator 'b'"):
        build_beside(one, other)


APART: list[tuple[Table, Table]] = [
    (("gitea", {}), ("github", {})),
    (("gitea", {}), ("gitlab", {})),
    (("gitlab", {}), ("github", {})),
    (("gitea", {"username_suffix": "@a"}), ("forgejo", {"username_suffix": "@b"})),
    (("gitlab", {"token_prefixes": ("one-",)}), ("gitlab", {"token_prefixes": ("two-",)})),
]


@pytest.mark.parametrize(("one", "other"), APART, ids=str)
def test_two_forges_side_by_side(build_beside: BuildBeside, one: Table, other: Table) -> None:
    """Told apart by the tokens or by the user names they start together."""
    build_beside(one, other)
