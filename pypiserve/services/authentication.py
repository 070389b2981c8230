"""From credentials to an identity: the authenticators, in the order of the settings."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pypiserve.core.errors import AuthenticationFailed, PypiserveError, Unavailable
from pypiserve.core.identity import ANONYMOUS, Credentials, Identity
from pypiserve.plugin import Authenticator

__all__ = ["Authentication"]

_log = logging.getLogger("pypiserve.authentication")


class Authentication:
    """Asks each authenticator in turn; the first that knows the credentials decides."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
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
        for authenticator in self._authenticators:
            identity = await self._ask(authenticator, credentials)
            if identity is not None:
                return identity
        raise AuthenticationFailed(
            "These credentials are not known here: neither the user name and password nor a token was recognised"
        )

    async def _ask(self, authenticator: Authenticator, credentials: Credentials) -> Identity | None:
        try:
            return await authenticator.authenticate(credentials)
        except PypiserveError:
            raise
        except Exception as error:
            # A plugin's fault must neither let anybody in nor tell the client that its password is wrong.
            _log.exception("The authenticator %s failed", type(authenticator).__name__)
            raise Unavailable("The sign-in cannot be checked now") from error
