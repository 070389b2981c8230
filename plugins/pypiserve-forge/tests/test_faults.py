"""Whatever is wrong with the forge: nobody is let in by it, and nobody's token is called wrong."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from forge_fixtures import MakeAuthenticator
from forge_process import Forges
from people import gitea_token, github_token, gitlab_token
from pypiserve.core.errors import AuthenticationFailed, Unavailable
from pypiserve.core.identity import BearerCredentials
from pypiserve.testing import Clock
from pypiserve_forge.breaker import CircuitBreaker
from pypiserve_forge.client import Bounds, ForgeClient
from signing_in import rights, sign_in

WIM = gitea_token("wim")
TOKENS = {"gitea": WIM, "forgejo": WIM, "gitlab": gitlab_token("dee"), "github": github_token("mel")}

FAULTS: dict[str, dict[str, Any]] = {
    "hangs up": {"hang_up": True},
    "is no HTTP": {"garbage": True},
    "fails": {"answer": [500, "oops", {}]},
    "is under maintenance": {"answer": [503, "<h1>soon</h1>", {"Content-Type": "text/html"}]},
    "is not found by its proxy": {"answer": [502, "", {}]},
    "answers with a page": {"answer": [200, "<html><title>Sign in</title></html>", {"Content-Type": "text/html"}]},
    "answers with other JSON": {"answer": [200, '{"hello": "world"}', {"Content-Type": "application/json"}]},
    "answers with JSON of the wrong type": {"answer": [200, '{"id": "1", "login": 5, "user": []}', {}]},
    "answers with half of it": {"answer": [200, '{"id": 1, "login": "wi', {}]},
    "answers with nothing": {"answer": [200, "", {}]},
    "answers with deep nesting": {"answer": [200, "[" * 100_000, {}]},
    "answers with what is not UTF-8": {"answer": [200, "\udcff\udcfe".encode("utf-16", "surrogatepass").hex(), {}]},
    "sends too much": {"huge_bytes": 3_000_000},
    "sends too much that makes sense": {"answer": [200, '{"id": 1, "login": "wim"}' + " " * 1_100_000, {}]},
    "sends without end": {"endless": True},
    "sends a huge head": {"answer": [200, "{}", {"X-Large": "x" * 60_000, "X-Larger": "x" * 60_000}]},
    "redirects": {"answer": [302, "", {"Location": "/api/v1/elsewhere"}]},
    "redirects for good": {"answer": [308, "", {"Location": "/api/v1/elsewhere"}]},
    "teapots": {"answer": [418, "", {}]},
}


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_forge_that(make: MakeAuthenticator, forges: Forges, kind: str, fault: dict[str, Any]) -> None:
    """It cannot be told whose the token is; when the forge is well again, it can."""
    authenticator, forge = make(kind), getattr(forges, kind)
    forge.fail(**fault)
    with pytest.raises(Unavailable) as caught:
        await sign_in(authenticator, TOKENS[kind])
    assert caught.value.retry_after_seconds >= 1
    forge.recover()
    assert await rights(authenticator, TOKENS[kind]) != {}


@pytest.mark.parametrize(("kind", "path"), [("gitea", "teams"), ("gitlab", "members"), ("github", "memberships")])
async def test_a_forge_that_fails_half_way(make: MakeAuthenticator, forges: Forges, kind: str, path: str) -> None:
    """A known token whose rights cannot be seen is not an identity without rights."""
    authenticator, forge = make(kind), getattr(forges, kind)
    forge.fail(path=path, answer=[500, "", {}])
    with pytest.raises(Unavailable):
        await sign_in(authenticator, TOKENS[kind])
    forge.fail(path=path, answer=[401, "", {}])  # revoked between two of the requests
    with pytest.raises(AuthenticationFailed):
        await sign_in(authenticator, TOKENS[kind])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(("kind", "path"), [("gitlab", "members"), ("github", "memberships")])
async def test_a_group_that_was_renamed(
    make: MakeAuthenticator, forges: Forges, kind: str, path: str, status: int
) -> None:
    """A redirect in place of a membership is none, and is not followed."""
    getattr(forges, kind).fail(path=path, answer=[status, "", {"Location": f"{forges.gitea.url}/elsewhere"}])
    assert await rights(make(kind), TOKENS[kind]) == {}
    assert forges.gitea.asked() == []


LIMITS: list[list[Any]] = [
    [403, "{}", {"Retry-After": "60"}],
    [403, "{}", {"X-RateLimit-Remaining": "0"}],
    [403, '{"message": "You have exceeded a secondary rate limit."}', {}],
]


@pytest.mark.parametrize("limit", LIMITS, ids=str)
async def test_a_limit_is_no_refusal(make: MakeAuthenticator, forges: Forges, limit: list[Any]) -> None:
    """GitHub answers 403 to who asks too often, where 403 else means that somebody is no member."""
    forges.github.fail(path="memberships", answer=limit)
    with pytest.raises(Unavailable):
        await sign_in(make("github"), TOKENS["github"])


@pytest.mark.parametrize("fault", [{"seconds": 4}, {"drip": True}], ids=["silence", "drips"])
async def test_a_slow_forge(
    make: MakeAuthenticator, forges: Forges, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """The whole request has one deadline, however busily the forge sends byte after byte."""
    authenticator = make("gitea")
    forges.gitea.fail(path="/api/v1/user", **fault)
    _hasten(authenticator, request_seconds=0.4)
    begin = time.monotonic()
    with pytest.raises(Unavailable):
        await sign_in(authenticator, WIM)
    assert time.monotonic() - begin < 3
    forges.gitea.recover()


def _hasten(authenticator: Any, *, request_seconds: float) -> None:
    client = authenticator._forge._client
    client._bounds = Bounds(request_seconds=request_seconds)


async def test_a_forge_that_accepts_and_is_silent(make: MakeAuthenticator) -> None:
    """Connecting has a bound of its own, TLS included."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        authenticator = make("gitea", url=f"https://127.0.0.1:{silent.getsockname()[1]}")
        authenticator._forge._client._bounds = Bounds(connect_seconds=0.2)  # type: ignore[attr-defined]
        begin = time.monotonic()
        with pytest.raises(Unavailable):
            await sign_in(authenticator, WIM)
        assert time.monotonic() - begin < 4
        accepted, _ = silent.accept()
        accepted.settimeout(5)
        with accepted:
            while accepted.recv(4096):
                pass  # the greeting of TLS, and then the end: nothing is left open


async def test_all_requests_about_a_token_have_a_bound(
    make: MakeAuthenticator, forges: Forges, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many answers, each of them slow and in time, are given up in the end."""
    monkeypatch.setattr("pypiserve_forge.authenticator._CHECK_SECONDS", 0.4)
    forges.gitea.fail(path="/", seconds=0.25)
    with pytest.raises(Unavailable, match="gitea does not answer"):
        await sign_in(make("gitea"), WIM)


async def test_connections_are_counted(forges: Forges) -> None:
    """No more of them than the bound; the rest wait for their turn, and none is lost."""
    client = ForgeClient("gitea", forges.gitea.url, bounds=Bounds(max_connections=2, connect_seconds=1.0))
    forges.gitea.fail(path="/", seconds=0.3)
    begin = time.monotonic()
    asking = [client.ask("GET", "/api/v1/user", headers={}, expected=frozenset({401})) for _ in range(10)]
    assert [reply.status for reply in await asyncio.gather(*asking)] == [401] * 10
    assert time.monotonic() - begin >= 1.5
    await client.close()


async def test_a_forge_that_is_not_there(make: MakeAuthenticator) -> None:
    """Nobody listens."""
    with pytest.raises(Unavailable, match="gitea does not answer"):
        await sign_in(make("gitea", url="http://127.0.0.1:9"), WIM)


async def test_a_forge_whose_name_is_unknown(make: MakeAuthenticator) -> None:
    """No address is found for it."""
    with pytest.raises(Unavailable, match="gitea does not answer"):
        await sign_in(make("gitea", url="https://forge.invalid"), WIM)


async def test_a_forge_without_tls(make: MakeAuthenticator, forges: Forges) -> None:
    """Where https is expected nothing is sent in clear."""
    with pytest.raises(Unavailable):
        await sign_in(make("gitea", url=forges.gitea.url.replace("http:", "https:")), WIM)
    assert forges.gitea.secrets() == set()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_secret_follows_a_redirect(make: MakeAuthenticator, forges: Forges, status: int) -> None:
    """Where a redirect leads nobody comes, with the token or without."""
    forges.gitea.fail(answer=[status, "", {"Location": f"{forges.forgejo.url}/api/v1/user"}])
    with pytest.raises(Unavailable):
        await sign_in(make("gitea"), WIM)
    assert forges.forgejo.asked() == []


@pytest.mark.parametrize(
    ("kind", "status", "headers", "seconds"),
    [
        ("gitea", 429, {"Retry-After": "7"}, 7),
        ("gitlab", 429, {"Retry-After": "7", "RateLimit-Remaining": "0"}, 7),
        ("github", 403, {"Retry-After": "60"}, 60),
        ("github", 429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 1),
        ("github", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}, 300),
        ("gitea", 429, {"Retry-After": "Thu, 01 Jan 2099 00:00:00 GMT"}, 300),
        ("gitea", 429, {"Retry-After": "soon"}, 30),
        ("gitea", 429, {}, 30),
        ("gitea", 429, {"Retry-After": "-5"}, 30),
        ("gitea", 429, {"Retry-After": "9" * 400}, 300),
    ],
)
async def test_a_forge_that_limits(
    make: MakeAuthenticator, forges: Forges, kind: str, status: int, headers: dict[str, str], seconds: int
) -> None:
    """The time that it names is passed on, within bounds, and kept: this token does not ask before."""
    authenticator, forge = make(kind), getattr(forges, kind)
    forge.fail(answer=[status, "{}", headers])
    for _ in range(3):
        with pytest.raises(Unavailable) as caught:
            await sign_in(authenticator, TOKENS[kind])
        assert caught.value.retry_after_seconds == seconds
    assert len(forge.asked()) == 1


async def test_after_a_limit(make: MakeAuthenticator, forges: Forges, clock: Clock) -> None:
    """The token asks again when the time is over; others were not held up."""
    authenticator = make("gitea")
    forges.gitea.fail(answer=[429, "", {"Retry-After": "7"}])
    with pytest.raises(Unavailable):
        await sign_in(authenticator, WIM)
    forges.gitea.recover()
    await sign_in(authenticator, gitea_token("rita"))
    clock.advance(timedelta(seconds=7))
    await sign_in(authenticator, WIM)


async def test_a_forge_that_is_down_is_left_alone(
    make: MakeAuthenticator, forges: Forges, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """After five failures nobody waits for it any more; after a pause one tries, and all is well again."""
    authenticator = make("gitea")
    forges.gitea.fail(hang_up=True)
    for _ in range(8):
        with pytest.raises(Unavailable) as caught:
            await sign_in(authenticator, WIM)
    assert len(forges.gitea.asked()) == 5
    assert 1 <= caught.value.retry_after_seconds <= 10
    clock.advance(timedelta(seconds=10))
    for _ in range(3):
        with pytest.raises(Unavailable):
            await sign_in(authenticator, WIM)
    assert len(forges.gitea.asked()) == 1
    forges.gitea.recover()
    clock.advance(timedelta(seconds=10))
    await sign_in(authenticator, WIM)
    assert "is not asked for 10 s" in caplog.text
    assert "answers again" in caplog.text


async def test_refusals_are_answers(make: MakeAuthenticator, forges: Forges) -> None:
    """A forge that refuses tokens is there: failures count in a row only."""
    authenticator = make("gitea")
    for number in range(12):
        if number % 4 == 3:
            forges.gitea.recover()
            with pytest.raises(AuthenticationFailed):
                await sign_in(authenticator, gitea_token(f"bad {number}"))
        else:
            forges.gitea.fail(hang_up=True)
            with pytest.raises(Unavailable):
                await sign_in(authenticator, WIM)
    assert len(forges.gitea.asked()) == 12


def test_one_tries_after_the_pause() -> None:
    """Those who come while it is tried are turned away, and if nothing is heard of it, another one tries."""
    now = 0.0
    breaker = CircuitBreaker("gitea", failures=1, pause_seconds=10, now=lambda: now)
    breaker.failed()
    for moment, is_let_through in ((9.9, False), (10.0, True), (10.0, False), (19.9, False), (20.0, True)):
        now = moment
        with nullcontext() if is_let_through else pytest.raises(Unavailable):
            breaker.admit()


async def test_odd_answers_about_one_token_shut_nobody_out(make: MakeAuthenticator, forges: Forges) -> None:
    """A stranger whose token is answered in some unknown way does not open the circuit for all."""
    authenticator = make("gitea")
    forges.gitea.fail(answer=[418, "", {}])
    for number in range(8):
        with pytest.raises(Unavailable):
            await sign_in(authenticator, gitea_token(f"odd {number}"))
    forges.gitea.recover()
    await sign_in(authenticator, WIM)


async def test_what_is_remembered_serves_while_the_forge_is_down(
    make: MakeAuthenticator, forges: Forges, clock: Clock
) -> None:
    """Until the answer is too old; then it cannot be told, and without grace nobody is in."""
    authenticator = make("gitea", remember_seconds=120)
    await sign_in(authenticator, WIM)
    forges.gitea.fail(hang_up=True)
    clock.advance(timedelta(seconds=119))
    await sign_in(authenticator, WIM)
    with pytest.raises(Unavailable):
        await sign_in(authenticator, WIM, writes=True)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unavailable):
        await sign_in(authenticator, WIM)


async def test_grace_is_for_readers_only(make: MakeAuthenticator, forges: Forges, clock: Clock) -> None:
    """With grace they read on for the time that is set, if the forge does not answer; nobody writes on it."""
    authenticator = make("gitea", remember_seconds=60, grace_seconds=600)
    await sign_in(authenticator, WIM)
    forges.gitea.fail(hang_up=True)
    clock.advance(timedelta(seconds=659))
    await sign_in(authenticator, WIM)
    with pytest.raises(Unavailable):
        await sign_in(authenticator, WIM, writes=True)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unavailable):
        await sign_in(authenticator, WIM)


async def test_grace_ends_with_a_refusal(make: MakeAuthenticator, forges: Forges, clock: Clock) -> None:
    """When the forge has said no, no grace brings the token back."""
    authenticator = make("gitea", remember_seconds=60, grace_seconds=600)
    await sign_in(authenticator, WIM)
    forges.gitea.know(tokens={})
    clock.advance(timedelta(seconds=60))
    with pytest.raises(AuthenticationFailed):
        await sign_in(authenticator, WIM)
    forges.gitea.fail(hang_up=True)
    clock.advance(timedelta(seconds=60))
    with pytest.raises(Unavailable):
        await sign_in(authenticator, WIM)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_no_fault_tells_a_token(
    make: MakeAuthenticator, forges: Forges, caplog: pytest.LogCaptureFixture, fault: dict[str, Any]
) -> None:
    """Neither the error, nor what it drags along, nor the log has the secret."""
    caplog.set_level(logging.DEBUG)
    forges.gitea.fail(**fault)
    with pytest.raises(Unavailable) as caught:
        await make("gitea").authenticate(BearerCredentials(WIM))
    error: BaseException | None = caught.value
    told = [caplog.text]
    while error is not None:
        told += [str(error), repr(error), repr(vars(error))]
        assert not any(hasattr(value, "headers") for value in vars(error).values())
        error = error.__cause__ or error.__context__
    assert not any(WIM in text for text in told)
