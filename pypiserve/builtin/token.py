"""
The ``token`` plugin: recognises our own API tokens.

A token works as the password of any user name (``__token__`` is the custom), as the user name with an empty password
or with ``x-oauth-basic``, and as ``Authorization: Bearer``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from datetime import datetime

from pypiserve.core.api_tokens import API_TOKEN_PREFIX, hash_api_token, looks_like_api_token
from pypiserve.core.errors import (
    CredentialsExpired,
    CredentialsMalformed,
    CredentialsNotYetValid,
    CredentialsRevoked,
    CredentialsUnknown,
)
from pypiserve.core.identity import BearerCredentials, Credentials, Identity
from pypiserve.plugin import ApiToken, ApiTokens, AuthenticatorKind, BuildContext, NoSettings, hookimpl

__all__ = ["API_REVISION", "TokenAuthenticator", "pypiserve_authenticators"]

API_REVISION = 1

_PASSWORDS_BESIDE_A_TOKEN = frozenset({"", "x-oauth-basic"})


class TokenAuthenticator:
    """An ``Authenticator`` that looks API tokens up in the catalog by their hash."""

    def __init__(self, name: str, tokens: ApiTokens, *, now: Callable[[], datetime]) -> None:
        self._name = name
        self._tokens = tokens
        self._now = now

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        """Say whose token it is; ``None`` when there is nothing that begins like one."""
        text = _token_in(credentials)
        if text is None:
            _check_spelling(credentials)
            return None
        digest = hash_api_token(text)
        token = await self._tokens.find(digest)
        if token is None or not hmac.compare_digest(token.secret_sha256, digest):
            raise CredentialsUnknown("This API token is not known here; check that it belongs to this server")
        self._check(token)
        return self._identity(token)

    def _check(self, token: ApiToken) -> None:
        which = token.token_id
        if token.revoked:
            raise CredentialsRevoked("This API token was revoked; ask for a new one", credential=which)
        if token.not_before is not None and token.not_before > self._now():
            begins = f"{token.not_before:%Y-%m-%d %H:%M} UTC"
            raise CredentialsNotYetValid(f"This API token is valid from {begins} on", credential=which)
        if token.expires_at is not None and token.expires_at <= self._now():
            ended = f"{token.expires_at:%Y-%m-%d}"
            raise CredentialsExpired(f"This API token expired on {ended}; ask for a new one", credential=which)

    async def close(self) -> None:
        """Hold nothing, release nothing."""

    def _identity(self, token: ApiToken) -> Identity:
        authenticator, name = self._name, token.name
        if token.owner_subject is not None:
            authenticator, _, name = token.owner_subject.partition(":")
        return Identity(authenticator, name, scopes=token.scopes, credential=token.token_id)


def _token_in(credentials: Credentials) -> str | None:
    if isinstance(credentials, BearerCredentials):
        return credentials.token if looks_like_api_token(credentials.token) else None
    if looks_like_api_token(credentials.password):
        return credentials.password
    if credentials.password in _PASSWORDS_BESIDE_A_TOKEN and looks_like_api_token(credentials.username):
        return credentials.username
    return None


def _check_spelling(credentials: Credentials) -> None:
    """Say that a token was mistyped, rather than that nobody knows it."""
    if isinstance(credentials, BearerCredentials):
        texts = [credentials.token]
    else:
        texts = [credentials.username, credentials.password]
    if any(text.startswith(API_TOKEN_PREFIX) for text in texts):
        raise CredentialsMalformed("This API token is misspelt or cut off; copy it again as a whole")


def _build(settings: NoSettings, context: BuildContext) -> TokenAuthenticator:  # noqa: ARG001 - nothing to set
    return TokenAuthenticator(context.name, context.api_tokens, now=context.now)


@hookimpl
def pypiserve_authenticators() -> Iterable[AuthenticatorKind[NoSettings]]:
    """Offer the kind ``token``."""
    yield AuthenticatorKind("token", NoSettings, _build, "API tokens made by this server")
