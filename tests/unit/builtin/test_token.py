"""The authenticator of our own API tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pypiserve.builtin import token
from pypiserve.core.api_tokens import hash_api_token, new_api_token
from pypiserve.core.errors import AuthenticationFailed
from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials, Identity, Scope
from pypiserve.plugin import ApiToken, Authenticator, BuildContext, NoSettings

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)
SECRET = new_api_token()


class _Tokens:
    """A catalog with at most one token."""

    def __init__(self, known: ApiToken | None) -> None:
        self.known = known

    async def find(self, secret_sha256: str) -> ApiToken | None:
        return self.known if self.known and self.known.secret_sha256 == secret_sha256 else None


def _authenticator(
    *,
    expires_at: datetime | None = None,
    not_before: datetime | None = None,
    revoked: bool = False,
    known: bool = True,
) -> Authenticator:
    digest = hash_api_token(SECRET)
    stored = ApiToken("ci", digest, expires_at=expires_at, revoked=revoked, not_before=not_before)
    (kind,) = token.pypiserve_authenticators()
    context = BuildContext("our-tokens", Path(), lambda: NOW, _Tokens(stored if known else None))
    return kind.build(NoSettings(), context)


@pytest.mark.parametrize(
    "credentials",
    [
        BasicCredentials("__token__", SECRET),
        BasicCredentials("alice", SECRET),
        BasicCredentials("", SECRET),
        BasicCredentials(SECRET, ""),
        BasicCredentials(SECRET, "x-oauth-basic"),
        BearerCredentials(SECRET),
    ],
)
async def test_a_token_is_taken_wherever_clients_put_it(credentials: Credentials) -> None:
    """The identity has the name of the authenticator's instance and of the token."""
    assert await _authenticator().authenticate(credentials) == Identity("our-tokens", "ci")


@pytest.mark.parametrize(
    "credentials",
    [
        BasicCredentials("alice", "secret"),
        BasicCredentials("__token__", "pypi-AgEIcHlwaS5vcmc"),
        BearerCredentials("eyJhbGciOiJSUzI1NiJ9.e30.x"),
    ],
)
async def test_what_has_another_shape_is_left_to_others(credentials: Credentials) -> None:
    """Passwords and foreign tokens are not judged here."""
    assert await _authenticator().authenticate(credentials) is None


@pytest.mark.parametrize(
    "credentials",
    [
        BasicCredentials(SECRET, "secret"),
        BasicCredentials("__token__", SECRET[:-1]),
        BasicCredentials("__token__", SECRET[:20] + SECRET[21:]),
        BearerCredentials(f"{SECRET}x"),
    ],
)
async def test_a_mistyped_token_is_called_so(credentials: Credentials) -> None:
    """Its owner hears that it is misspelt, and not that nobody knows it; it is not repeated."""
    with pytest.raises(AuthenticationFailed, match="misspelt or cut off") as caught:
        await _authenticator().authenticate(credentials)
    assert SECRET[:20] not in str(caught.value)


@pytest.mark.parametrize(
    ("authenticator", "sentence"),
    [
        (_authenticator(known=False), "not known here"),
        (_authenticator(revoked=True), "was revoked"),
        (_authenticator(expires_at=NOW), "expired on 2026-05-17"),
        (_authenticator(not_before=NOW + timedelta(seconds=1)), "valid from 2026-05-17"),
    ],
)
async def test_an_invalid_token_is_refused(authenticator: Authenticator, sentence: str) -> None:
    """An unknown, revoked or expired token is refused in one sentence that does not repeat it."""
    with pytest.raises(AuthenticationFailed, match=sentence) as caught:
        await authenticator.authenticate(BearerCredentials(SECRET))
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_token_lives_until_its_last_moment() -> None:
    """A token that expires later than now is good."""
    authenticator = _authenticator(expires_at=NOW + timedelta(seconds=1))
    assert await authenticator.authenticate(BearerCredentials(SECRET)) == Identity("our-tokens", "ci")


async def test_a_token_that_is_somebodys_signs_them_in() -> None:
    """Within its scopes, and with its id for the audit."""
    scopes = (Scope(owner="acme"),)
    stored = ApiToken("ci", hash_api_token(SECRET), token_id="ab12", owner_subject="forge:7:x", scopes=scopes)
    authenticator = token.TokenAuthenticator("our-tokens", _Tokens(stored), now=lambda: NOW)
    found = await authenticator.authenticate(BearerCredentials(SECRET))
    assert found == Identity("forge", "7:x", scopes=scopes, credential="ab12")
    assert found is not None
    assert found.subject == "forge:7:x"


async def test_a_catalog_that_answers_with_another_token_is_not_believed() -> None:
    """The hash is compared again, in constant time."""

    class Wrong:
        async def find(self, secret_sha256: str) -> ApiToken:
            return ApiToken("root", hash_api_token(secret_sha256))

    authenticator = token.TokenAuthenticator("our-tokens", Wrong(), now=lambda: NOW)
    with pytest.raises(AuthenticationFailed):
        await authenticator.authenticate(BearerCredentials(SECRET))
