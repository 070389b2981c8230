"""From credentials to an identity: the authenticators, in the order of the settings."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from pypiserve.core.errors import AuthenticationFailed, PluginContractBroken, PypiserveError, Unavailable
from pypiserve.core.identity import ANONYMOUS, Credentials, Identity, Role
from pypiserve.plugin import Authenticator, RecheckingAuthenticator

__all__ = ["Authentication"]

_log = logging.getLogger("pypiserve.authentication")

_Method = Callable[[Credentials], Awaitable[Identity | None]]


class Authentication:
    """Asks each authenticator in turn; the first that knows the credentials decides."""

    def __init__(self, authenticators: Sequence[tuple[str, Authenticator]]) -> None:
        """
        Take the authenticators.

        Args:
            authenticators: Each with its name in the settings, by which grants call those that it recognises.
        """
        self._authenticators = tuple(authenticators)

    async def identify(self, credentials: Credentials | None, *, max_age_seconds: float | None = None) -> Identity:
        """
        Say who is asking.

        Args:
            credentials: What the request carries.
            max_age_seconds: How old an answer may be that an authenticator remembers of somebody else's; ``None``
                leaves that to the authenticator.

        Raises:
            AuthenticationFailed: The credentials are wrong, or nobody here knows their kind.
            Unavailable: It cannot be told now.
        """
        if credentials is None:
            return ANONYMOUS
        for name, authenticator in self._authenticators:
            identity = await _ask(name, _method(authenticator, max_age_seconds), credentials)
            if identity is not None:
                return identity
        raise AuthenticationFailed(
            "These credentials are not known here: neither the user name and password nor a token was recognised"
        )


def _method(authenticator: Authenticator, max_age_seconds: float | None) -> _Method:
    if max_age_seconds is None or not isinstance(authenticator, RecheckingAuthenticator):
        return authenticator.authenticate
    return partial(authenticator.authenticate_within, max_age_seconds=max_age_seconds)


async def _ask(name: str, method: _Method, credentials: Credentials) -> Identity | None:
    try:
        identity = await method(credentials)
    except PypiserveError:
        raise
    except Exception as error:
        # A plugin's fault must neither let anybody in nor tell the client that its password is wrong.
        _log.exception("The authenticator %s failed", name)
        raise Unavailable("The sign-in cannot be checked now") from error
    if identity is not None and identity.authenticator != name:
        # Else one authenticator could speak for those of another, and have their roles.
        raise PluginContractBroken(name, "authenticate() returned an identity of another authenticator")
    if identity is not None and any(vouched.role.rank > Role.OWNER.rank for vouched in identity.roles):
        raise PluginContractBroken(name, "authenticate() vouched for a role above owner")
    return identity
