"""Remembering verified credentials, so that a slow check is not made for every request."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

from pypiserve.core.identity import BearerCredentials, Credentials, Identity

__all__ = ["RememberedCredentials", "spell_credentials"]


class RememberedCredentials:
    """
    Remembers who credentials turned out to be, for a short time and without keeping them.

    What is kept is a keyed BLAKE2b digest of the credentials, under a key that this object draws and never shows, so
    its memory gives no password away. Only successes are kept. Equal credentials that arrive while they are being
    checked share that check: pip opens many connections at once. The lifetime counts from the check and is not
    prolonged by use, so a withdrawal elsewhere is noticed in time.

    For one event loop. Call ``close`` at the end.
    """

    def __init__(
        self, lifetime_seconds: float, *, capacity: int = 4096, now: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Remember nothing yet.

        Args:
            lifetime_seconds: How long a success is believed; 0 to share checks only.
            capacity: Most credentials kept; the least recently used go first.
            now: A clock that never goes back, in seconds.
        """
        self._lifetime_seconds = lifetime_seconds
        self._capacity = capacity
        self._now = now
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, tuple[Identity, float]] = OrderedDict()
        self._checks: dict[bytes, asyncio.Task[Identity | None]] = {}
        self._running: set[asyncio.Task[Identity | None]] = set()

    async def identify(
        self, credentials: Credentials, check: Callable[[], Coroutine[Any, Any, Identity | None]]
    ) -> Identity | None:
        """
        Return the remembered identity, or that which the check finds.

        A caller that is cancelled does not disturb others who wait for the same check.

        Args:
            credentials: What the request carries.
            check: Makes the coroutine that judges exactly these credentials. It must end by itself within seconds.

        Raises:
            AuthenticationFailed, Unavailable: As the check does; neither is remembered.
        """
        key = hashlib.blake2b(spell_credentials(credentials), key=self._key, digest_size=32).digest()
        remembered = self._recall(key)
        if remembered is not None:
            return remembered
        task = self._checks.get(key) or self._begin(key, check())
        return await asyncio.shield(task)

    def forget_all(self) -> None:
        """Forget every success. Checks that are under way still answer those who wait, and are not remembered."""
        self._known.clear()
        self._checks.clear()

    async def close(self) -> None:
        """Forget everything and end the checks that are under way."""
        self.forget_all()
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _recall(self, key: bytes) -> Identity | None:
        identity, until = self._known.get(key, (None, 0.0))
        if identity is None:
            return None
        if until <= self._now():
            del self._known[key]
            return None
        self._known.move_to_end(key)
        return identity

    def _begin(self, key: bytes, check: Coroutine[Any, Any, Identity | None]) -> asyncio.Task[Identity | None]:
        task = asyncio.create_task(check)
        self._checks[key] = task
        self._running.add(task)
        task.add_done_callback(lambda done: self._end(key, done))
        return task

    def _end(self, key: bytes, task: asyncio.Task[Identity | None]) -> None:
        self._running.discard(task)
        # Asking for the exception also says that it was seen, when nobody waits any more.
        identity = None if task.cancelled() or task.exception() else task.result()
        if self._checks.get(key) is not task:
            return  # forgotten meanwhile: what it was checked against may have changed
        del self._checks[key]
        if identity is not None and self._lifetime_seconds > 0:
            self._known[key] = (identity, self._now() + self._lifetime_seconds)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)


def spell_credentials(credentials: Credentials) -> bytes:
    """Write credentials so that no two of them look alike, to make a keyed digest of. It is a secret."""
    if isinstance(credentials, BearerCredentials):
        text = f"bearer {credentials.token}"
    else:
        text = f"basic {len(credentials.username)} {credentials.username} {credentials.password}"
    return text.encode("utf-8", "surrogatepass")
