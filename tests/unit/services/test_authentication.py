"""What an authenticator may say of somebody."""

from __future__ import annotations

import pytest

from pypiserve.core.errors import PluginContractBroken
from pypiserve.core.identity import ANONYMOUS, BearerCredentials, Credentials, Identity, Role, VouchedRole
from pypiserve.plugin import Authenticator
from pypiserve.services.authentication import Authentication
from pypiserve.services.shared_numbers import SharedNumbers
from pypiserve.services.sign_in_throttle import SignInLimits


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
    return await _asking(_Vouching(role)).identify(BearerCredentials("x"), address="192.0.2.1")


def _asking(authenticator: Authenticator) -> Authentication:
    return Authentication([("forge", authenticator)], SignInLimits(), SharedNumbers(64))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
async def test_an_authenticator_vouches_for_roles_on_owners(role: Role) -> None:
    """Up to owner they come through as they are."""
    assert (await _identify(role)).roles == (VouchedRole("acme", role),)


async def test_an_authenticator_makes_no_administrators() -> None:
    """A forge that is taken over does not take the server with it."""
    with pytest.raises(PluginContractBroken, match="above owner"):
        await _identify(Role.ADMINISTRATOR)


class _Rechecking(_Vouching):
    """Says how old an answer it was asked for."""

    async def authenticate_within(self, credentials: Credentials, *, max_age_seconds: float) -> Identity | None:  # noqa: ARG002
        """Tell the age."""
        return Identity("forge", f"within {max_age_seconds:g} s")


@pytest.mark.parametrize(("max_age_seconds", "name"), [(60.0, "within 60 s"), (None, "42")])
async def test_a_recent_answer_is_asked_for_where_it_matters(max_age_seconds: float | None, name: str) -> None:
    """An authenticator that remembers somebody else's word is told how old it may be."""
    asking = _asking(_Rechecking(Role.READER))
    identity = await asking.identify(BearerCredentials("x"), address="192.0.2.1", max_age_seconds=max_age_seconds)
    assert identity.name == name


async def test_an_authenticator_without_a_memory_is_just_asked() -> None:
    """The age is no business of one that knows by itself."""
    asking = _asking(_Vouching(Role.READER))
    assert (await asking.identify(BearerCredentials("x"), address="192.0.2.1", max_age_seconds=60)).name == "42"


class _Speaking(_Vouching):
    """Answers with an identity of its choice."""

    def __init__(self, answer: Identity) -> None:
        self._answer = answer

    async def authenticate(self, credentials: Credentials) -> Identity | None:  # noqa: ARG002 - the protocol's name
        """Answer."""
        return self._answer


@pytest.mark.parametrize("answer", [Identity("htpasswd", "alice", credential="ab12"), Identity("robot", "ci")])
async def test_our_own_tokens_speak_for_those_whose_they_are(answer: Identity) -> None:
    """The catalog says whose a token is; from any other authenticator that would be somebody else's roles."""
    for issuer in ("keys", "other", None):
        asking = Authentication([("keys", _Speaking(answer))], SignInLimits(), SharedNumbers(64), issuer=issuer)
        if issuer == "keys":
            assert await asking.identify(BearerCredentials("x"), address="192.0.2.1") == answer
        else:
            with pytest.raises(PluginContractBroken, match="another authenticator"):
                await asking.identify(BearerCredentials("x"), address="192.0.2.1")


async def test_nobody_signs_somebody_in_as_anonymous() -> None:
    """A request with credentials is somebody's, or refused."""
    asking = Authentication([("keys", _Speaking(ANONYMOUS))], SignInLimits(), SharedNumbers(64), issuer="keys")
    with pytest.raises(PluginContractBroken):
        await asking.identify(BearerCredentials("x"), address="192.0.2.1")
