"""What is remembered of a forge's answers, and for how long."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from forge_fixtures import MakeAuthenticator
from forge_process import Forges
from people import GITEA, gitea_token
from pypiserve.core.errors import AuthenticationFailed, CredentialsUnknown, Unavailable
from pypiserve.core.identity import Identity
from pypiserve.testing import Clock
from pypiserve_forge.answers import Answers, Found, Lifetimes
from signing_in import refusal, rights, sign_in

WIM = gitea_token("wim")


async def test_an_answer_is_believed_for_a_time(make: MakeAuthenticator, forges: Forges, clock: Clock) -> None:
    """The forge is asked once in the lifetime, however often the token comes, and again after it."""
    authenticator = make("gitea", remember_seconds=120)
    for _ in range(3):
        await sign_in(authenticator, WIM)
        clock.advance(timedelta(seconds=35))
    once = forges.gitea.asked()
    clock.advance(timedelta(seconds=20))
    await sign_in(authenticator, WIM)
    assert forges.gitea.asked() == once
    assert once.count("GET /api/v1/user") == 1


async def test_a_change_needs_an_answer_of_the_last_minute(
    make: MakeAuthenticator, forges: Forges, clock: Clock
) -> None:
    """Who lost a right on the forge, or whose token was revoked, publishes for no more than a minute."""
    authenticator = make("gitea", remember_seconds=300)
    await sign_in(authenticator, WIM)
    forges.gitea.know(tokens={})
    clock.advance(timedelta(seconds=59))
    await sign_in(authenticator, WIM, writes=True)
    clock.advance(timedelta(seconds=1))
    await sign_in(authenticator, WIM)
    with pytest.raises(AuthenticationFailed):
        await sign_in(authenticator, WIM, writes=True)
    assert "does not know" in await refusal(authenticator, WIM)


async def test_rights_change_with_the_answer(make: MakeAuthenticator, forges: Forges, clock: Clock) -> None:
    """A member who left the team reads for as long as the answer is believed."""
    authenticator = make("gitea", remember_seconds=60)
    assert await rights(authenticator, WIM) == {"acme": "publisher"}
    forges.gitea.know(orgs={"acme": {"id": 20, "visibility": "private", "teams": []}})
    assert await rights(authenticator, WIM) == {"acme": "publisher"}
    clock.advance(timedelta(seconds=60))
    assert await rights(authenticator, WIM) == {}


async def test_a_refusal_is_believed_for_a_short_time(make: MakeAuthenticator, forges: Forges, clock: Clock) -> None:
    """A bad token asks the forge once in fifteen seconds, and a new one works soon after it was made."""
    authenticator, token = make("gitea"), gitea_token("new")
    for _ in range(5):
        await refusal(authenticator, token)
    assert len(forges.gitea.asked()) == 1
    forges.gitea.know(tokens={token: GITEA["tokens"][WIM]})
    clock.advance(timedelta(seconds=15))
    await sign_in(authenticator, token)


async def test_a_refusal_says_its_step_each_time(make: MakeAuthenticator) -> None:
    """From memory too: an unknown token may be known to the next authenticator, one for other things is refused."""
    authenticator = make("gitea")
    for token, sort in (("nobody", CredentialsUnknown), ("wim no packages", AuthenticationFailed)):
        for _ in range(2):
            with pytest.raises(AuthenticationFailed) as caught:
                await sign_in(authenticator, gitea_token(token))
            assert type(caught.value) is sort


async def test_one_check_for_all(make: MakeAuthenticator, forges: Forges) -> None:
    """pip opens many connections at once; the forge sees one of them."""
    authenticator = make("gitea")
    found = await asyncio.gather(*(sign_in(authenticator, WIM, writes=number % 2 == 0) for number in range(20)))
    assert len(set(found)) == 1
    assert forges.gitea.asked().count("GET /api/v1/user") == 1


async def test_a_flood_of_bad_tokens_pushes_nobody_out() -> None:
    """More refusals than there is room for leave the answers about good tokens where they are."""
    asked = []

    async def check(token: str) -> Found:
        asked.append(token)
        if token != "good":
            raise AuthenticationFailed("no")
        return Found(Identity("forge", "1"))

    answers = Answers(Lifetimes(60, 60, 0), max_checks=10, now=lambda: 0.0)
    await answers.identify("good", lambda: check("good"))
    for number in range(5000):
        with pytest.raises(AuthenticationFailed):
            await answers.identify(str(number), lambda number=number: check(str(number)))  # type: ignore[misc]
    await answers.identify("good", lambda: check("good"))
    await answers.close()
    assert asked.count("good") == 1


async def test_more_tokens_than_may_wait() -> None:
    """Who finds the queue full is told to come again; a token that is remembered does not wait."""
    go_on = asyncio.Event()

    async def check() -> Found:
        await go_on.wait()
        return Found(Identity("forge", "1"))

    async def at_once() -> Found:
        return Found(Identity("forge", "0"))

    answers = Answers(Lifetimes(60, 60, 0), max_checks=2, now=lambda: 0.0)
    await answers.identify("known", at_once)
    waiting = [asyncio.create_task(answers.identify(name, check)) for name in ("a", "b")]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="Too many sign-ins"):
        await answers.identify("c", check)
    assert (await answers.identify("known", check)).name == "0"
    go_on.set()
    await asyncio.gather(*waiting)
    assert (await answers.identify("c", check)).name == "1"
    await answers.close()


async def test_nothing_remembered_holds_a_token(make: MakeAuthenticator) -> None:
    """What the authenticator keeps is a keyed hash."""
    authenticator = make("gitea")
    await sign_in(authenticator, WIM)
    kept = repr(vars(authenticator._answers._found))
    assert "gitea" in kept
    assert WIM not in kept
