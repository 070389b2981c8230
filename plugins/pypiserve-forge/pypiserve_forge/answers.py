"""Remembering what a forge said of a token, without keeping the token."""

from __future__ import annotations

import asyncio
import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pypiserve.core.errors import AuthenticationFailed, Unavailable
from pypiserve.core.identity import Identity
from pypiserve_forge.client import Throttled

__all__ = ["Answers", "Found", "Lifetimes"]

ValueT = TypeVar("ValueT")

_CAPACITY = 4096


@dataclass(frozen=True)
class Found:
    """
    Whom a token belongs to.

    Attributes:
        seconds_left: Until the token ends by itself; infinite when the forge names no end.
    """

    identity: Identity
    seconds_left: float = math.inf


@dataclass(frozen=True)
class Lifetimes:
    """
    How long answers are believed.

    Attributes:
        found_seconds: That a token is somebody's.
        refused_seconds: That it is nobody's.
        grace_seconds: How much longer the former is believed by those who only read, while the forge does not answer.
    """

    found_seconds: float
    refused_seconds: float
    grace_seconds: float


@dataclass(frozen=True)
class _Kept(Generic[ValueT]):
    value: ValueT
    since: float
    until: float


class _Shelf(Generic[ValueT]):
    """Some values by key; the least recently used go first."""

    def __init__(self) -> None:
        self._values: OrderedDict[bytes, _Kept[ValueT]] = OrderedDict()

    def get(self, key: bytes) -> _Kept[ValueT] | None:
        kept = self._values.get(key)
        if kept is not None:
            self._values.move_to_end(key)
        return kept

    def put(self, key: bytes, kept: _Kept[ValueT]) -> None:
        self._values[key] = kept
        self._values.move_to_end(key)
        while len(self._values) > _CAPACITY:
            self._values.popitem(last=False)

    def drop(self, key: bytes) -> None:
        self._values.pop(key, None)


class Answers:
    """
    The answers of one forge, by an HMAC-SHA256 of the token under a key that this object draws and never shows.

    Equal tokens that arrive while one is being checked share that check. The lifetimes count from the end of a check
    and are not prolonged by use. Refusals have a shelf of their own, so that a flood of bad tokens does not push good
    ones out.

    For one event loop. Call ``close`` at the end.
    """

    def __init__(self, lifetimes: Lifetimes, *, max_checks: int, now: Callable[[], float] = time.monotonic) -> None:
        """
        Remember nothing yet.

        Args:
            lifetimes: How long to believe.
            max_checks: Most tokens that are being checked at once; for more the forge counts as unavailable.
            now: A clock that never goes back, in seconds.
        """
        self._lifetimes = lifetimes
        self._max_checks = max_checks
        self._now = now
        self._key = secrets.token_bytes(32)
        self._found: _Shelf[Identity] = _Shelf()
        self._refused: _Shelf[tuple[type[AuthenticationFailed], str]] = _Shelf()
        self._held: _Shelf[str] = _Shelf()
        self._checks: dict[bytes, asyncio.Task[Found]] = {}

    async def identify(
        self,
        token: str,
        check: Callable[[], Coroutine[Any, Any, Found]],
        *,
        max_age_seconds: float | None = None,
    ) -> Identity:
        """
        Return whom the token belongs to, as remembered or as the check finds.

        Args:
            token: The secret.
            check: Makes the coroutine that asks the forge. It must end by itself within seconds.
            max_age_seconds: For those who change something: older answers are not believed, and no grace is given.

        Raises:
            AuthenticationFailed: It is nobody's.
            Unavailable: The forge cannot tell now.
        """
        key = hmac.digest(self._key, token.encode("utf-8", "surrogatepass"), "sha256")
        remembered = self._recall(key, max_age_seconds)
        if remembered is not None:
            return remembered
        try:
            return (await asyncio.shield(self._checks.get(key) or self._begin(key, check))).identity
        except Unavailable:
            lenient = None if max_age_seconds is not None else self._recall_late(key)
            if lenient is None:
                raise
            return lenient

    async def close(self) -> None:
        """Forget everything and end the checks that are under way."""
        running = tuple(self._checks.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._found, self._refused, self._held = _Shelf(), _Shelf(), _Shelf()

    def _recall(self, key: bytes, max_age_seconds: float | None) -> Identity | None:
        now = self._now()
        kept = self._found.get(key)
        age = math.inf if max_age_seconds is None else max_age_seconds
        if kept is not None and now < kept.until and now - kept.since < min(age, self._lifetimes.found_seconds):
            return kept.value
        refused = self._refused.get(key)
        if refused is not None and now < refused.until:
            sort, reason = refused.value
            raise sort(reason)
        return None

    def _recall_late(self, key: bytes) -> Identity | None:
        kept, now = self._found.get(key), self._now()
        late = self._lifetimes.found_seconds + self._lifetimes.grace_seconds
        if kept is None or self._lifetimes.grace_seconds == 0 or now >= kept.until or now - kept.since >= late:
            return None
        return kept.value

    def _begin(self, key: bytes, check: Callable[[], Coroutine[Any, Any, Found]]) -> asyncio.Task[Found]:
        held, now = self._held.get(key), self._now()
        if held is not None and now < held.until:
            raise Throttled(held.value, retry_after_seconds=math.ceil(held.until - now))
        if len(self._checks) >= self._max_checks:
            raise Unavailable("Too many sign-ins wait for the forge")
        task = asyncio.create_task(check())
        self._checks[key] = task
        task.add_done_callback(lambda done: self._end(key, done))
        return task

    def _end(self, key: bytes, task: asyncio.Task[Found]) -> None:
        del self._checks[key]
        if task.cancelled():
            return
        now = self._now()
        # Asking for the exception also says that it was seen, when nobody waits any more.
        match task.exception():
            case None:
                found = task.result()
                self._found.put(key, _Kept(found.identity, now, now + found.seconds_left))
            case AuthenticationFailed() as refusal:
                self._found.drop(key)
                kept = _Kept((type(refusal), refusal.reason), now, now + self._lifetimes.refused_seconds)
                self._refused.put(key, kept)
            case Throttled() as throttled:
                self._held.put(key, _Kept(throttled.what, now, now + throttled.retry_after_seconds))
