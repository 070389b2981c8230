"""Short words for signing in."""

from __future__ import annotations

import pytest

from pypiserve.core.errors import AuthenticationFailed
from pypiserve.core.identity import BearerCredentials, Identity
from pypiserve_forge.authenticator import ForgeAuthenticator

__all__ = ["refusal", "rights", "sign_in"]


async def sign_in(authenticator: ForgeAuthenticator, token: str, *, writes: bool = False) -> Identity:
    """Return whose the token is; ``writes`` asks for a recent answer, as the server does before a change."""
    credentials = BearerCredentials(token)
    if writes:
        identity = await authenticator.authenticate_within(credentials, max_age_seconds=60)
    else:
        identity = await authenticator.authenticate(credentials)
    assert identity is not None
    return identity


async def rights(authenticator: ForgeAuthenticator, token: str) -> dict[str, str]:
    """Return the role of the token's owner for each owner here."""
    return {role.owner: role.role.value for role in (await sign_in(authenticator, token)).roles}


async def refusal(authenticator: ForgeAuthenticator, token: str) -> str:
    """Return why the token is refused."""
    with pytest.raises(AuthenticationFailed) as caught:
        await sign_in(authenticator, token)
    return str(caught.value)
