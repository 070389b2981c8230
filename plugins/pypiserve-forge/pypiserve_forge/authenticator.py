"""The authenticator: whose token is this, by the word of the forge that made it?"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Callable
from datetime import datetime

from pypiserve.core.errors import AuthenticationFailed, CredentialsExpired, Unavailable
from pypiserve.core.identity import Credentials, Identity
from pypiserve_forge.accounts import Account, Forge
from pypiserve_forge.answers import Answers, Found
from pypiserve_forge.shapes import TokenShape, token_in

__all__ = ["ForgeAuthenticator"]

_CHECK_SECONDS = 20.0


class ForgeAuthenticator:
    """A ``RecheckingAuthenticator`` over one forge."""

    def __init__(
        self,
        name: str,
        forge: Forge,
        *,
        shape: TokenShape,
        username_suffix: str,
        members_only: bool,
        answers: Answers,
        now: Callable[[], datetime],
    ) -> None:
        """
        Ask nothing yet.

        Args:
            name: In the settings.
            forge: Whom to ask; closed with this.
            shape: Which tokens are the forge's.
            username_suffix: Beside which user names; any for the empty text.
            members_only: Whether those without any role are refused.
            answers: Remembers what the forge says.
            now: The clock: aware, UTC.
        """
        self._name = name
        self._forge = forge
        self._shape = shape
        self._username_suffix = username_suffix.casefold()
        self._members_only = members_only
        self._answers = answers
        self._now = now

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        """Say whose token it is; ``None`` for what has not the shape of this forge's tokens."""
        return await self._authenticate(credentials, None)

    async def authenticate_within(self, credentials: Credentials, *, max_age_seconds: float) -> Identity | None:
        """Say the same by a recent answer of the forge."""
        return await self._authenticate(credentials, max_age_seconds)

    async def close(self) -> None:
        """End the checks that are under way, and all connections."""
        await self._answers.close()
        await self._forge.close()

    async def _authenticate(self, credentials: Credentials, max_age_seconds: float | None) -> Identity | None:
        username, text = token_in(credentials)
        if not username.casefold().endswith(self._username_suffix):
            return None
        for prefix, reason in self._shape.refused.items():
            if text.startswith(prefix):
                raise AuthenticationFailed(f"This token of {self._name} {reason}")
        if self._shape.accepted.match(text) is None:
            return None
        return await self._answers.identify(text, lambda: self._check(text), max_age_seconds=max_age_seconds)

    async def _check(self, token: str) -> Found:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                account = await self._forge.look_up(token)
        except TimeoutError:
            raise Unavailable(f"{self._name} does not answer") from None
        if self._members_only and not account.roles:
            raise AuthenticationFailed(
                f"This account of {self._name} has no role in an organisation that counts here; "
                "ask to be let into one, or an administrator to list yours"
            )
        left = self._seconds_left(account)
        if left <= 0:
            raise CredentialsExpired(f"This token of {self._name} has expired; make a new one there")
        credential = account.credential or f"sha256:{hashlib.sha256(token.encode()).hexdigest()[:16]}"
        identity = Identity(
            self._name,
            account.name,
            display_name=account.login,
            roles=account.roles,
            scopes=account.scopes,
            credential=credential,
        )
        return Found(identity, left)

    def _seconds_left(self, account: Account) -> float:
        if account.expires_at is None:
            return math.inf
        return (account.expires_at - self._now()).total_seconds()
