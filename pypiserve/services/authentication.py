"""From credentials to an identity: the authenticators, in the order of the settings."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pypiserve.core.errors import AuthenticationFailed, PluginContractBroken, PypiserveError, Unavailable
from pypiserve.core.identity import ANONYMOUS, Credentials, Identity, Role
from pypiserve.plugin import Authenticator

__all__ = ["Authentication"]

_log = logging.getLogger("pypiserve.authentication")


class Authentication:
    """Asks each authenticator in turn; the first that knows the credentials decides."""

    def __init__(self, authenticators: Sequence[tuple[str, Authenticator]]) -> None:
        """
        Take the authenticators.

        Args:
            authenticators: Each with its name in the settings, by which grants call those that it recognises.
        """
        self._authenticators = tuple(authenticators)

    async def identify(self, credentials: Credentials | None) -> Identity:
        """
        Say who is asking.

        Raises:
            AuthenticationFailed: The credentials are wrong, or nobody here knows their kind.
            Unavailable: It cannot be told now.
        """
        if credentials is None:
            return ANONYMOUS
        for name, authenticator in self._authenticators:
            identity = await _ask(name, authenticator, credentials)
            if identity is not None:
                return identity
        raise AuthenticationFailed(
            "These credentials are not known here: neither the user name and password nor a token was recognised"
        )


async def _ask(name: str, authenticator: Authenticator, credentials: Credentials) -> Identity | None:
    try:
        identity = await authenticator.authenticate(credentials)
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
