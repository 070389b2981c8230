"""Who is in none of the organisations does not sign in, unless the settings let strangers in."""

from __future__ import annotations

import pytest

from forge_fixtures import MakeAuthenticator
from forge_process import Forges
from people import gitea_token, github_token, gitlab_token
from signing_in import refusal, rights, sign_in

STRANGERS = [
    ("gitea", gitea_token("sam")),
    ("forgejo", gitea_token("sam")),
    ("gitlab", gitlab_token("gus")),
    ("gitlab", gitlab_token("sub")),
    ("github", github_token("str")),
    ("github", github_token("inv")),
]


@pytest.mark.parametrize(("kind", "token"), STRANGERS)
async def test_strangers(make: MakeAuthenticator, kind: str, token: str) -> None:
    """They are refused, so that a grant to everybody who is signed in is not one to the whole forge."""
    assert "has no role in an organisation" in await refusal(make(kind, members_only=True), token)
    assert (await sign_in(make(kind), token)).roles == ()


async def test_members(make: MakeAuthenticator) -> None:
    """They sign in as without the rule."""
    assert await rights(make("gitea", members_only=True), gitea_token("rita")) == {"acme": "reader"}


async def test_who_becomes_a_stranger(make: MakeAuthenticator, forges: Forges) -> None:
    """The last role gone, the next answer of the forge is a refusal."""
    authenticator = make("gitea", members_only=True, remember_seconds=0)
    await sign_in(authenticator, gitea_token("rita"))
    forges.gitea.know(orgs={})
    assert "has no role" in await refusal(authenticator, gitea_token("rita"))
