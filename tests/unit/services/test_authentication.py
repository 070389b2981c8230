"""What an authenticator may say of somebody."""

from __future__ import annotations

import pytest

from pypiserve.core.errors import PluginContractBroken
from pypiserve.core.identity import BearerCredentials, Credentials, Identity, Role, VouchedRole
from pypiserve.services.authentication import Authentication


class _Vouching:
    """Takes everybody for 42, with a role."""

    def __init__(self, role: Role) -> None:
        self._roles = (VouchedRole("acme", role),)

    async def authenticate(self, credentials: Credentials) -> Identity | None:  # noqa: ARG002 - the protocol's name
        """Vouch."""
        return Identity("forge", "42", roles=self._roles)

    async def close(self) -> None:
        """Hold nothing."""


async def _identify(role: Role) -> Identity:
    return await Authentication([("forge", _Vouching(role))]).identify(BearerCredentials("x"))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
async def test_an_authenticator_vouches_for_roles_on_owners(role: Role) -> None:
    """Up to owner they come through as they are."""
    assert (await _identify(role)).roles == (VouchedRole("acme", role),)


async def test_an_authenticator_makes_no_administrators() -> None:
    """A forge that is taken over does not take the server with it."""
    with pytest.raises(PluginContractBroken, match="above owner"):
        await _identify(Role.ADMINISTRATOR)
