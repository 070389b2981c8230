"""Remembered credentials."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pypiserve.core.errors import AuthenticationFailed
from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials, Identity
from pypiserve.plugin import RememberedCredentials

ALICE = BasicCredentials("alice", "secret")
IDENTITY = Identity("test", "alice")


class _Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class _Check:
    """Counts how often it is made, and answers when it is told to."""

    def __init__(self, answer: Identity | Exception | None = IDENTITY) -> None:
        self.made = 0
        self.answer = answer
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> Identity | None:
        self.made += 1
        await self.may_end.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
async def remembered(clock: _Clock) -> AsyncIterator[RememberedCredentials]:
    made = RememberedCredentials(60, capacity=3, now=clock)
    yield made
    await made.close()


async def test_a_success_is_not_checked_again_until_it_is_old(
    remembered: RememberedCredentials, clock: _Clock
) -> None:
    """The lifetime counts from the check, and use does not prolong it."""
    check = _Check()
    for clock.seconds in (0, 30, 59.9):
        assert await remembered.identify(ALICE, check) == IDENTITY
    assert check.made == 1
    clock.seconds = 60
    assert await remembered.identify(ALICE, check) == IDENTITY
    assert check.made == 2


@pytest.mark.parametrize("answer", [AuthenticationFailed("no"), None])
async def test_a_failure_is_not_remembered(remembered: RememberedCredentials, answer: Exception | None) -> None:
    """Who was refused, or not recognised, is checked again."""
    check = _Check(answer)
    for _ in range(2):
        outcome = (await asyncio.gather(remembered.identify(ALICE, check), return_exceptions=True))[0]
        assert outcome is answer
    assert check.made == 2


@pytest.mark.parametrize(
    "other",
    [
        BasicCredentials("alice", "Secret"),
        BasicCredentials("alice ", "ecret"),
        BasicCredentials("alice s", "ecret"),
        BasicCredentials("", "alice secret"),
        BearerCredentials("secret"),
        BearerCredentials("5 alice secret"),
        BasicCredentials("alice", "secret\udc80"),
    ],
)
async def test_other_credentials_are_other(remembered: RememberedCredentials, other: Credentials) -> None:
    """Only exactly equal credentials are remembered."""
    await remembered.identify(ALICE, _Check())
    check = _Check(Identity("test", "other"))
    assert await remembered.identify(other, check) == Identity("test", "other")
    assert check.made == 1


async def test_equal_credentials_share_one_check(remembered: RememberedCredentials) -> None:
    """However many requests come at once, the slow check is made once."""
    check = _Check()
    answers = await asyncio.gather(*(remembered.identify(ALICE, check) for _ in range(20)))
    assert answers == [IDENTITY] * 20
    assert check.made == 1


async def test_a_cancelled_caller_does_not_end_the_check(remembered: RememberedCredentials) -> None:
    """The first caller goes away, the second gets the answer of the same check."""
    check = _Check()
    check.may_end.clear()
    first = asyncio.create_task(remembered.identify(ALICE, check))
    second = asyncio.create_task(remembered.identify(ALICE, check))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    check.may_end.set()
    assert await second == IDENTITY
    assert first.cancelled()
    assert check.made == 1


async def test_the_least_recently_used_goes_first(remembered: RememberedCredentials) -> None:
    """The memory is bounded, and what is used stays."""
    check = _Check()
    users = [BasicCredentials(str(number), "x") for number in range(4)]
    for credentials in (*users[:3], users[0], users[3]):
        await remembered.identify(credentials, check)
    assert check.made == 4
    await remembered.identify(users[0], check)
    assert check.made == 4
    await remembered.identify(users[1], check)
    assert check.made == 5


async def test_forgetting_covers_checks_under_way(remembered: RememberedCredentials) -> None:
    """A check that began before everything was forgotten answers its caller, and nobody after."""
    old, new = _Check(), _Check(Identity("test", "new"))
    old.may_end.clear()
    waiting = asyncio.create_task(remembered.identify(ALICE, old))
    await asyncio.sleep(0)
    remembered.forget_all()
    assert await remembered.identify(ALICE, new) == Identity("test", "new")
    old.may_end.set()
    assert await waiting == IDENTITY
    assert await remembered.identify(ALICE, old) == Identity("test", "new")


async def test_no_lifetime_means_sharing_only(clock: _Clock) -> None:
    """With 0 seconds nothing is remembered."""
    remembered, check = RememberedCredentials(0, now=clock), _Check()
    await remembered.identify(ALICE, check)
    await remembered.identify(ALICE, check)
    assert check.made == 2
    await remembered.close()


async def test_closing_ends_checks_under_way() -> None:
    """Nothing keeps running after the end."""
    remembered, check = RememberedCredentials(60), _Check()
    check.may_end.clear()
    waiting = asyncio.create_task(remembered.identify(ALICE, check))
    await asyncio.sleep(0)
    await remembered.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_memory_holds_no_password(remembered: RememberedCredentials) -> None:
    """What is kept does not contain the credentials."""
    await remembered.identify(ALICE, _Check())
    assert "secret" not in str(vars(remembered))
