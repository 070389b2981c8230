"""Several authenticators, one answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pypiserve.core.errors import (
    AuthenticationFailed,
    CredentialsRevoked,
    CredentialsUnknown,
    PluginContractBroken,
    TooManySignIns,
    Unavailable,
)
from pypiserve.core.identity import (
    ANONYMOUS,
    BasicCredentials,
    BearerCredentials,
    Credentials,
    Identity,
    Role,
    VouchedRole,
)
from pypiserve.services.authentication import Authentication
from pypiserve.services.shared_numbers import SharedNumbers
from pypiserve.services.sign_in_throttle import SignInLimits
from pypiserve.testing import FixedAuthenticator

ALICE = BasicCredentials("alice", "correct horse")
HOME = "192.0.2.1"

Answer = Identity | Exception | None


class _Scripted:
    """An authenticator that answers what it is told to, and counts how often it was asked."""

    def __init__(self, answer: Answer | Callable[[Credentials], Answer]) -> None:
        self.answer = answer
        self.asked = 0

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        self.asked += 1
        answer = self.answer(credentials) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Hold nothing."""


def authentication(
    *authenticators: tuple[str, FixedAuthenticator | _Scripted],
    limits: SignInLimits | None = None,
    memory: SharedNumbers | None = None,
) -> Authentication:
    """Put authenticators together."""
    return Authentication(authenticators, limits or SignInLimits(), memory or SharedNumbers(1024))


async def test_without_credentials_nobody_is_asked() -> None:
    """Who says nothing is anonymous."""
    scripted = _Scripted(Unavailable("Everything"))
    assert await authentication(("a", scripted)).identify(None, address=HOME) == ANONYMOUS
    assert scripted.asked == 0


async def test_the_first_that_knows_them_decides() -> None:
    """One without an opinion, and one that does not know them, leave them to the next."""
    unknown, later = _Scripted(CredentialsUnknown("The password is wrong")), _Scripted(Identity("d", "other"))
    chain = authentication(
        ("a", _Scripted(None)),
        ("b", unknown),
        ("c", FixedAuthenticator("c", {"alice": "correct horse"})),
        ("d", later),
    )
    assert await chain.identify(ALICE, address=HOME) == Identity("c", "alice")
    assert later.asked == 0


@pytest.mark.parametrize("username", ["alice", "nobody"])
async def test_users_of_two_authenticators_are_refused_alike(username: str) -> None:
    """Whether a user exists, and where, changes neither the answer nor who is asked."""
    second = _Scripted(CredentialsUnknown("The forge does not know this token"))
    chain = authentication(("a", FixedAuthenticator("a", {"alice": "correct horse"})), ("b", second))
    with pytest.raises(CredentialsUnknown, match=r"^The user name or the password is wrong$"):
        await chain.identify(BasicCredentials(username, "guess"), address=HOME)
    assert second.asked == 1


async def test_a_final_refusal_ends_it() -> None:
    """What was revoked by its own authenticator is not offered to others."""
    later = _Scripted(Identity("b", "alice"))
    chain = authentication(("a", _Scripted(CredentialsRevoked("Revoked"))), ("b", later))
    with pytest.raises(CredentialsRevoked):
        await chain.identify(ALICE, address=HOME)
    assert later.asked == 0


async def test_not_knowing_now_is_no_refusal() -> None:
    """One that cannot tell now is not passed over, although a wrong password was found before."""
    chain = authentication(("a", _Scripted(CredentialsUnknown("No"))), ("b", _Scripted(Unavailable("The forge"))))
    with pytest.raises(Unavailable):
        await chain.identify(ALICE, address=HOME)


async def test_kinds_that_nobody_knows() -> None:
    """The answer says that nothing was recognised."""
    with pytest.raises(CredentialsUnknown, match="not known here"):
        await authentication(("a", _Scripted(None))).identify(BearerCredentials("x"), address=HOME)


async def test_who_knew_them_is_asked_first_the_next_time() -> None:
    """A forge's token, sent as a password, costs a check of passwords once and not with each page."""
    passwords, forge = _Scripted(CredentialsUnknown("No")), _Scripted(Identity("forge", "7"))
    chain = authentication(("passwords", passwords), ("forge", forge))
    for _ in range(3):
        assert await chain.identify(ALICE, address=HOME) == Identity("forge", "7")
    assert (passwords.asked, forge.asked) == (1, 3)
    forge.answer = CredentialsUnknown("Gone")
    for asked in (2, 3):
        with pytest.raises(CredentialsUnknown):
            await chain.identify(ALICE, address=HOME)
        assert passwords.asked == asked


async def test_failures_are_throttled_for_every_authenticator() -> None:
    """Guessing ends, and the authenticator is not even asked; what was good a while ago passes."""
    fixed = _Scripted(lambda given: Identity("a", "alice") if given == ALICE else CredentialsUnknown("No"))
    chain = authentication(("a", fixed), limits=SignInLimits(per_user=3, per_address=5))
    await chain.identify(ALICE, address=HOME)
    for number in range(3):
        with pytest.raises(AuthenticationFailed):
            await chain.identify(BasicCredentials("alice", str(number)), address=HOME)
    asked = fixed.asked
    with pytest.raises(TooManySignIns):
        await chain.identify(BasicCredentials("alice", "guess"), address=HOME)
    assert fixed.asked == asked
    assert await chain.identify(ALICE, address=HOME) == Identity("a", "alice")


async def test_processes_of_a_server_know_the_same() -> None:
    """What failed in one is counted in the others, and what was good in one is held up in none."""
    memory, limits = SharedNumbers(1024), SignInLimits(per_user=2, per_address=4)
    first, second = (
        authentication(("a", FixedAuthenticator("a", {"alice": "correct horse"})), limits=limits, memory=memory)
        for _ in range(2)
    )
    await first.identify(ALICE, address=HOME)
    for process in (first, second):
        with pytest.raises(CredentialsUnknown):
            await process.identify(BasicCredentials("alice", f"guess {id(process)}"), address=HOME)
    for process in (first, second):
        with pytest.raises(TooManySignIns):
            await process.identify(BasicCredentials("alice", "another guess"), address=HOME)
    assert await second.identify(ALICE, address=HOME) == Identity("a", "alice")


async def test_what_was_good_elsewhere_and_is_not_any_more_is_counted() -> None:
    """A token that another process knew before it was revoked is refused, and throttled like any other."""
    memory, limits = SharedNumbers(1024), SignInLimits(per_user=2, per_address=2)
    scripted = _Scripted(Identity("a", "ci"))
    first, second = (authentication(("a", scripted), limits=limits, memory=memory) for _ in range(2))
    await first.identify(ALICE, address=HOME)
    scripted.answer = CredentialsRevoked("Revoked")
    for _ in range(3):
        with pytest.raises(CredentialsRevoked):
            await second.identify(ALICE, address=HOME)
    with pytest.raises(TooManySignIns):
        await second.identify(ALICE, address=HOME)


class _Queueing(_Scripted):
    """Counts those who were let go first."""

    first = 0

    async def authenticate_known(self, credentials: Credentials) -> Identity | None:
        """Let one go first."""
        self.first += 1
        return await self.authenticate(credentials)


async def test_who_was_in_before_goes_first() -> None:
    """In the process that knew the credentials, and in the others; strangers do not."""
    memory = SharedNumbers(1024)
    queueing = _Queueing(lambda given: Identity("a", "alice") if given == ALICE else CredentialsUnknown("No"))
    one, other = (authentication(("a", queueing), memory=memory) for _ in range(2))
    with pytest.raises(CredentialsUnknown):
        await one.identify(BasicCredentials("eve", "guess"), address=HOME)
    await one.identify(ALICE, address=HOME)
    assert queueing.first == 0
    for process in (one, other, other):
        await process.identify(ALICE, address=HOME)
    assert queueing.first == 3


@pytest.mark.parametrize("times", [1, 2])
async def test_an_authenticator_speaks_for_itself_each_time(times: int) -> None:
    """One that was honest the first time cannot speak for another the second time."""
    scripted = _Scripted(Identity("a", "alice"))
    chain = authentication(("a", scripted))
    for _ in range(times):
        await chain.identify(ALICE, address=HOME)
    for wrong in (Identity("b", "root"), Identity("a", "alice", roles=(VouchedRole("x", Role.ADMINISTRATOR),))):
        scripted.answer = wrong
        with pytest.raises(PluginContractBroken):
            await chain.identify(ALICE, address=HOME)


async def test_no_throttle_for_what_could_not_be_judged() -> None:
    """A forge that is down does not lock its users out for when it is up again."""
    forge = _Scripted(Unavailable("The forge"))
    chain = authentication(("forge", forge), limits=SignInLimits(per_user=2, per_address=2))
    for number in range(10):
        with pytest.raises(Unavailable):
            await chain.identify(BasicCredentials("alice", str(number)), address=HOME)
    forge.answer = Identity("forge", "7")
    assert await chain.identify(ALICE, address=HOME) == Identity("forge", "7")


async def test_good_credentials_that_went_bad_are_throttled() -> None:
    """A token that was good is no way around the bound after its end."""
    scripted = _Scripted(Identity("a", "ci"))
    chain = authentication(("a", scripted), limits=SignInLimits(per_user=2, per_address=2))
    await chain.identify(ALICE, address=HOME)
    scripted.answer = CredentialsRevoked("Revoked")
    for _ in range(1 + 2):
        with pytest.raises(CredentialsRevoked):
            await chain.identify(ALICE, address=HOME)
    with pytest.raises(TooManySignIns):
        await chain.identify(ALICE, address=HOME)
