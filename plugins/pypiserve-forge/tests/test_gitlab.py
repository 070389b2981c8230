"""GitLab: access levels in groups become roles."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from forge_fixtures import MakeAuthenticator
from forge_process import Forges
from people import GITLAB, gitlab_token
from pypiserve.core.errors import Unavailable
from pypiserve.testing import Clock
from pypiserve_forge.accounts import READ_ONLY
from signing_in import refusal, rights, sign_in

LEVELS = {
    "ora": {"acme": "owner"},
    "max": {"acme": "maintainer"},
    "dee": {"acme": "publisher"},
    "rob": {"acme": "reader"},
    "pia": {},
    "gus": {},
}


@pytest.mark.parametrize(("login", "expected"), LEVELS.items())
async def test_levels_become_roles(make: MakeAuthenticator, login: str, expected: dict[str, str]) -> None:
    """Who may read, publish, or delete packages of a private group there may here; guests may not."""
    assert await rights(make("gitlab"), gitlab_token(login)) == expected


async def test_the_number_is_the_identity(make: MakeAuthenticator) -> None:
    """The user's number is the subject, the token's number the credential, the login what people read."""
    identity = await sign_in(make("gitlab"), gitlab_token("dee"))
    assert (identity.subject, identity.display_name, identity.credential) == ("gitlab:33", "dee", "303")


async def test_subgroups(make: MakeAuthenticator) -> None:
    """A subgroup is an owner by another name; members of the groups above are members of it."""
    authenticator = make("gitlab", organisations=["acme", "acme/tools"], owners={"acme/tools": "tools"})
    assert await rights(authenticator, gitlab_token("sub")) == {"tools": "maintainer"}
    assert await rights(authenticator, gitlab_token("rob")) == {"acme": "reader", "tools": "publisher"}
    assert await rights(authenticator, gitlab_token("max")) == {"acme": "maintainer", "tools": "maintainer"}


async def test_subgroups_as_teams(make: MakeAuthenticator) -> None:
    """Only those who are members of the subgroup itself have the role of the team."""
    authenticator = make("gitlab", teams={"acme/tools": "owner"}, roles={"guest": "reader"})
    assert await rights(authenticator, gitlab_token("sub")) == {"acme": "owner"}
    assert await rights(authenticator, gitlab_token("gus")) == {"acme": "reader"}


async def test_a_token_that_only_reads(make: MakeAuthenticator) -> None:
    """``read_api`` limits a developer to reading."""
    identity = await sign_in(make("gitlab"), gitlab_token("dee reads"))
    assert identity.scopes == READ_ONLY


async def test_a_token_that_is_not_for_packages(make: MakeAuthenticator) -> None:
    """It is refused, by its scopes or by the forge, and the sentence names the right ones."""
    assert "scope api, or read_api" in await refusal(make("gitlab"), gitlab_token("dee git"))
    assert "scope api, or read_api" in await refusal(make("gitlab", check_scopes=False), gitlab_token("dee git"))


@pytest.mark.parametrize("token", ["dee revoked", "nobody"])
async def test_revoked_or_unknown(make: MakeAuthenticator, token: str) -> None:
    """Both are told apart by nobody."""
    assert "does not know this token" in await refusal(make("gitlab"), gitlab_token(token))


async def test_a_blocked_account(make: MakeAuthenticator) -> None:
    """Its tokens may still work there for a moment; they do not here."""
    assert "is blocked" in await refusal(make("gitlab"), gitlab_token("out"))


async def test_an_answer_ends_with_the_token(make: MakeAuthenticator, forges: Forges, clock: Clock) -> None:
    """A token that expires in a minute is not believed for two."""
    authenticator = make("gitlab", remember_seconds=300)
    clock.advance(timedelta(hours=23, minutes=59))
    await sign_in(authenticator, gitlab_token("dee expires"))
    clock.advance(timedelta(seconds=61))
    assert "has expired" in await refusal(authenticator, gitlab_token("dee expires"))


async def test_grace_ends_with_the_token(make: MakeAuthenticator, forges: Forges, clock: Clock) -> None:
    """While the forge is away nobody reads with a token that has expired meanwhile."""
    authenticator = make("gitlab", remember_seconds=60, grace_seconds=3600)
    clock.advance(timedelta(hours=23, minutes=59))
    await sign_in(authenticator, gitlab_token("dee expires"))
    forges.gitlab.fail(hang_up=True)
    clock.advance(timedelta(seconds=59))
    await sign_in(authenticator, gitlab_token("dee expires"))
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unavailable):
        await sign_in(authenticator, gitlab_token("dee expires"))


@pytest.mark.parametrize("told", [{"active": False}, {"revoked": True}], ids=str)
async def test_a_token_that_says_that_it_is_void(
    make: MakeAuthenticator, forges: Forges, told: dict[str, bool]
) -> None:
    """It is refused by its own word, also where the forge still lets it ask."""
    known = {"id": 1, "user_id": 33, "scopes": ["api"], "active": True, "revoked": False, **told}
    forges.gitlab.fail(path="/self", answer=[200, json.dumps(known), {}])
    assert "does not know this token" in await refusal(make("gitlab"), gitlab_token("dee"))


async def test_who_waits_for_approval(make: MakeAuthenticator, forges: Forges) -> None:
    """Is no member yet."""
    groups = {"acme": {**GITLAB["groups"]["acme"], "awaiting": ["dee"]}}
    forges.gitlab.know(groups=groups)
    assert await rights(make("gitlab"), gitlab_token("dee")) == {}


async def test_another_prefix(make: MakeAuthenticator, forges: Forges) -> None:
    """Whoever runs a GitLab may choose what its tokens begin with."""
    token = "acme-" + "x" * 20
    forges.gitlab.know(tokens={token: {"id": 1, "login": "dee", "scopes": ["api"]}})
    authenticator = make("gitlab", token_prefixes=("acme-",))
    assert await rights(authenticator, token) == {"acme": "publisher"}
