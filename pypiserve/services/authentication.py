"""From credentials to an identity: the authenticators, in the order of the settings."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

from pypiserve.core.errors import (
    AuthenticationFailed,
    CredentialsUnknown,
    PluginContractBroken,
    PypiserveError,
    Unavailable,
)
from pypiserve.core.identity import ANONYMOUS, BasicCredentials, Credentials, Identity, Role
from pypiserve.plugin import Authenticator, QueueingAuthenticator, RecheckingAuthenticator
from pypiserve.services.recognised import RecognisedCredentials
from pypiserve.services.shared_numbers import SharedNumbers
from pypiserve.services.sign_in_throttle import SignInLimits, SignInThrottle
from pypiserve.services.sign_ins import SignIns
from pypiserve.services.token_uses import TokenUses

__all__ = ["Authentication"]

_log = logging.getLogger("pypiserve.authentication")

_Method = Callable[[Credentials], Awaitable[Identity | None]]


class Authentication:
    """
    Asks each authenticator in turn; the first that knows the credentials decides.

    The one that knew them a while ago is asked first: else a token of one would cost a check of a password at
    another each time. Failures are throttled, but never hold up credentials that were good a while ago.
    """

    def __init__(
        self,
        authenticators: Sequence[tuple[str, Authenticator]],
        limits: SignInLimits,
        memory: SharedNumbers,
        *,
        issuer: str | None = None,
        sign_ins: SignIns | None = None,
        token_uses: TokenUses | None = None,
    ) -> None:
        """
        Take the authenticators.

        Args:
            authenticators: Each with its name in the settings, by which grants call those that it recognises.
            limits: How much may fail.
            memory: What failed lately and what was good, in all processes of the server.
            issuer: Name of the one that recognises our own API tokens. Whose such a token is says the catalog, so
                that it alone may answer with identities of others, and of robots.
            sign_ins: Hears of those whom the others sign in.
            token_uses: Hears of our own API tokens that are used.
        """
        self._issuer = issuer
        self._sign_ins = sign_ins
        self._token_uses = token_uses
        self._authenticators = dict(authenticators)
        # Looked up once: nearly every request asks the one that knew its credentials before.
        self._express = {name: _express(authenticator) for name, authenticator in authenticators}
        self._throttle = SignInThrottle(limits, memory)
        self._recognised = RecognisedCredentials(memory)

    async def identify(
        self, credentials: Credentials | None, *, address: str, max_age_seconds: float | None = None
    ) -> Identity:
        """
        Say who is asking.

        Args:
            credentials: What the request carries.
            address: The client's IP address, for the throttle.
            max_age_seconds: How old an answer may be that an authenticator remembers of somebody else's; ``None``
                leaves that to the authenticator.

        Raises:
            AuthenticationFailed: The credentials are wrong, or nobody here knows their kind.
            TooManySignIns: Too many failed lately; these were not looked at.
            Unavailable: It cannot be told now.
        """
        if credentials is None:
            return ANONYMOUS
        digest = self._recognised.digest(credentials)
        name = self._recognised.recall(digest)
        if name is not None:
            # Nearly every request of an installer comes this way, so it is short.
            try:
                identity = await self._ask(name, credentials, max_age_seconds, were_good=True)
            except AuthenticationFailed:
                identity = None
            if identity is not None:
                self._remember(digest, name, identity)
                return identity
            self._recognised.forget(digest)
        elif self._recognised.are_good(digest):
            with suppress(AuthenticationFailed):
                return await self._judge(credentials, digest, max_age_seconds, were_good=True)
            self._recognised.forget(digest)
        return await self._counted(credentials, digest, address, max_age_seconds)

    async def _counted(
        self, credentials: Credentials, digest: bytes, address: str, max_age_seconds: float | None
    ) -> Identity:
        username = credentials.username if isinstance(credentials, BasicCredentials) else ""
        attempt = self._throttle.begin(digest, username=username, address=address)
        failed = False
        try:
            return await self._judge(credentials, digest, max_age_seconds)
        except AuthenticationFailed:
            failed = True
            raise
        finally:
            self._throttle.end(attempt, failed=failed)

    async def _judge(
        self, credentials: Credentials, digest: bytes, max_age_seconds: float | None, *, were_good: bool = False
    ) -> Identity:
        unknown: CredentialsUnknown | None = None
        for name in self._authenticators:
            try:
                identity = await self._ask(name, credentials, max_age_seconds, were_good=were_good)
            except CredentialsUnknown as refusal:
                unknown = unknown or refusal
                continue
            if identity is not None:
                self._remember(digest, name, identity)
                return identity
        raise unknown or CredentialsUnknown(
            "These credentials are not known here: neither the user name and password nor a token was recognised"
        )

    def _remember(self, digest: bytes, name: str, identity: Identity) -> None:
        # The rest comes once a minute for each credential, and is not on the way of all the requests between.
        if not self._recognised.remember(digest, name):
            return
        if name == self._issuer:
            if self._token_uses is not None:
                self._token_uses.note(identity.credential)
        elif self._sign_ins is not None:
            self._sign_ins.note(identity)

    async def _ask(
        self, name: str, credentials: Credentials, max_age_seconds: float | None, *, were_good: bool
    ) -> Identity | None:
        """Ask one authenticator, and believe it no more than it may say."""
        ask = self._express[name] if were_good else self._authenticators[name].authenticate
        if max_age_seconds is not None:
            authenticator = self._authenticators[name]
            if isinstance(authenticator, RecheckingAuthenticator):
                ask = partial(authenticator.authenticate_within, max_age_seconds=max_age_seconds)
        try:
            identity = await ask(credentials)
        except PypiserveError:
            raise
        except Exception as error:
            # A plugin's fault must neither let anybody in nor tell the client that its password is wrong.
            _log.exception("The authenticator %s failed", name)
            raise Unavailable("The sign-in cannot be checked now") from error
        _check(name, identity, may_speak_for_others=name == self._issuer)
        return identity


def _express(authenticator: Authenticator) -> _Method:
    """Return how to ask about credentials that were good a while ago."""
    if isinstance(authenticator, QueueingAuthenticator):
        return authenticator.authenticate_known
    return authenticator.authenticate


def _check(name: str, identity: Identity | None, *, may_speak_for_others: bool) -> None:
    if identity is None:
        return
    if identity.authenticator != name and not (may_speak_for_others and identity.authenticator):
        # Else one authenticator could speak for those of another, and have their roles.
        raise PluginContractBroken(name, "authenticate() returned an identity of another authenticator")
    if any(vouched.role.rank > Role.OWNER.rank for vouched in identity.roles):
        raise PluginContractBroken(name, "authenticate() vouched for a role above owner")
