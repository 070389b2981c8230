"""Authenticators: from credentials to an identity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from pypiserve.core.identity import Credentials, Identity, Scope

__all__ = ["ApiToken", "ApiTokens", "Authenticator", "QueueingAuthenticator", "RecheckingAuthenticator"]


@runtime_checkable
class Authenticator(Protocol):
    """
    Recognises credentials.

    Authenticators are asked in the order of the settings, but for one that knew the same credentials a while ago,
    which is asked first. The first that knows the credentials decides. One object serves the whole process;
    ``authenticate`` is called by many tasks at the same time.
    """

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        """
        Say who the bearer of these credentials is.

        Args:
            credentials: Basic or bearer credentials, never empty.

        Returns:
            The identity, whose ``authenticator`` is the name this object was built with; ``None`` when the
            credentials are not of this authenticator's kind, so that the next one is asked.

        Raises:
            CredentialsUnknown: They are of this kind and nobody's: there is no such user, or the password is another.
                Both are this one error, after the same time. The next authenticator is asked; when nobody knows
                the credentials, the first such error is the answer.
            AuthenticationFailed: They are of this kind and wrong beyond doubt, such as revoked. Nobody else is asked.
            Unavailable: It cannot be told now. The request is answered 503, never 401, and never let in.
        """
        ...

    async def close(self) -> None:
        """Release what the authenticator holds; called once, at the end."""
        ...


@runtime_checkable
class RecheckingAuthenticator(Authenticator, Protocol):
    """
    An authenticator that remembers what somebody else said, and can be told how old that may be.

    Requests that change something ask for an answer of the last minute; all others ask ``authenticate``.
    """

    async def authenticate_within(self, credentials: Credentials, *, max_age_seconds: float) -> Identity | None:
        """
        Say who the bearer of these credentials is, by an answer that is not older.

        Args:
            credentials: As for ``authenticate``, which has the results and errors too.
            max_age_seconds: An answer that was had earlier is had anew, and not replaced by it when that fails.
        """
        ...


@runtime_checkable
class QueueingAuthenticator(Authenticator, Protocol):
    """
    An authenticator whose checks wait for each other, and that can let those go first whose credentials were good.

    Else a flood of wrong credentials would fill the queue, and keep out who has been in.
    """

    async def authenticate_known(self, credentials: Credentials) -> Identity | None:
        """
        Say who the bearer of these credentials is, behind nobody whose credentials were never good.

        Args:
            credentials: As for ``authenticate``, which has the results and errors too. Somebody of this server, in
                this process or another, has recognised them within the last hour; whether they are still good is to
                be checked all the same.
        """
        ...


@dataclass(frozen=True)
class ApiToken:
    """
    One API token of the catalog, without its secret.

    Attributes:
        name: What its owner calls it. That of a token that is its own subject is unique, and never used again.
        secret_sha256: SHA-256 of the whole token, 64 lowercase hex characters.
        expires_at: Aware, UTC; ``None`` for a token without end.
        revoked: Whether the token was withdrawn.
        not_before: Aware, UTC; ``None`` for a token that is valid since it was made.
        token_id: Id for people and the audit.
        owner_subject: The subject as which it signs in, ``AUTHENTICATOR:NAME``; ``None`` when it is its own.
        scopes: What it is limited to; ``None`` for no limit.
    """

    name: str
    secret_sha256: str
    expires_at: datetime | None = None
    revoked: bool = False
    not_before: datetime | None = None
    token_id: str = ""
    owner_subject: str | None = None
    scopes: tuple[Scope, ...] | None = None


class ApiTokens(Protocol):
    """The API tokens of the catalog, for the authenticator that recognises them."""

    async def find(self, secret_sha256: str) -> ApiToken | None:
        """Look a token up by the SHA-256 of the whole token; ``None`` when there is none."""
        ...
