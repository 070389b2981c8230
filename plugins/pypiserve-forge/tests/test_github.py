"""GitHub: roles in organisations, and teams, become roles."""

from __future__ import annotations

from datetime import timedelta

import pytest

from forge_fixtures import MakeAuthenticator
from forge_process import Forges
from people import GITHUB, github_token
from pypiserve.testing import Clock
from pypiserve_forge.accounts import READ_ONLY
from signing_in import refusal, rights, sign_in

FINE_GRAINED = f"github_pat_{'1' * 22}_{'a' * 59}"


@pytest.mark.parametrize(
    ("login", "expected"), [("ada", {"acme": "owner"}), ("mel", {"acme": "reader"}), ("inv", {}), ("str", {})]
)
async def test_roles_in_an_organisation(make: MakeAuthenticator, login: str, expected: dict[str, str]) -> None:
    """Administrators are owners, members readers; who was only invited is nothing yet."""
    assert await rights(make("github"), github_token(login)) == expected


async def test_the_settings_say_who_publishes(make: MakeAuthenticator) -> None:
    """By the role in the organisation, or by a team of it."""
    assert await rights(make("github", roles={"member": "publisher"}), github_token("mel")) == {"acme": "publisher"}
    teams = {"acme/release": "publisher", "acme/other": "owner"}
    assert await rights(make("github", teams=teams), github_token("mel")) == {"acme": "publisher"}


async def test_the_number_is_the_identity(make: MakeAuthenticator) -> None:
    """Logins are given away again on GitHub too."""
    identity = await sign_in(make("github"), github_token("mel"))
    assert (identity.subject, identity.display_name) == ("github:61", "mel")


async def test_classic_tokens_by_their_scopes(make: MakeAuthenticator) -> None:
    """``write:packages`` writes, ``read:packages`` reads, and neither is refused with a word on what to choose."""
    assert (await sign_in(make("github"), github_token("mel"))).scopes is None
    assert (await sign_in(make("github"), github_token("mel reads"))).scopes == READ_ONLY
    assert "write:packages or read:packages" in await refusal(make("github"), github_token("mel repos"))


async def test_without_the_right_to_see_the_organisation(make: MakeAuthenticator) -> None:
    """A token that lacks ``read:org`` gives no role."""
    assert await rights(make("github"), github_token("mel no org")) == {}


async def test_fine_grained_tokens_read(make: MakeAuthenticator) -> None:
    """They show no scopes, so they change nothing here, unless the settings do not mind."""
    assert (await sign_in(make("github"), FINE_GRAINED)).scopes == READ_ONLY
    assert (await sign_in(make("github", check_scopes=False), FINE_GRAINED)).scopes is None


async def test_single_sign_on(make: MakeAuthenticator, forges: Forges) -> None:
    """A token that is not authorised for an organisation with single sign-on gives no role on it."""
    forges.github.know(orgs={"acme": {**GITHUB["orgs"]["acme"], "sso": True}})
    assert await rights(make("github"), github_token("ada")) == {}


async def test_an_answer_ends_with_the_token(make: MakeAuthenticator, clock: Clock) -> None:
    """The header with the end of the token is heeded."""
    authenticator = make("github", remember_seconds=300)
    await sign_in(authenticator, github_token("mel expires"))
    clock.advance(timedelta(seconds=61))
    assert "has expired" in await refusal(authenticator, github_token("mel expires"))
