"""
Throttling sign-ins that fail, so that passwords cannot be guessed and a flood of them is cheap to refuse.

What counts is different wrong credentials: a guesser tries many, a forgotten entry in somebody's ``.netrc`` is always
the same one. Counted is by user name at an address, and by address in all; never by user name alone, or strangers
could lock a user out. Credentials that failed before are counted apart, so that they do not lock out the right ones.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from pypiserve.core.client_networks import client_network
from pypiserve.core.errors import TooManySignIns
from pypiserve.services.shared_numbers import SharedNumbers

__all__ = ["Attempt", "SignInLimits", "SignInThrottle", "network_of"]

_SHARED_NAMES = frozenset({"", "__token__", "oauth2", "oauth2accesstoken", "x-access-token", "gitlab-ci-token"})
"""User names that everybody writes beside a token: they are nobody's."""


@dataclass(frozen=True)
class SignInLimits:
    """
    How many sign-ins may fail.

    Attributes:
        per_user: Different wrong credentials for one user name from one address; 0 for no bound.
        per_address: Different wrong credentials from one address, and as many that failed before; 0 for no bound.
        seconds: In this time; so many are allowed at once, and each becomes possible again after its share.
    """

    per_user: int = 10
    per_address: int = 100
    seconds: float = 300


class _Bucket:
    """
    Counts by key, and forgets at a steady rate: the generic cell rate algorithm (GCRA).

    For each key one number is kept: the moment at which all that was counted is forgotten.
    """

    def __init__(self, limit: int, seconds: float, memory: SharedNumbers, now: Callable[[], float]) -> None:
        self._limit = limit
        self._each = seconds / limit if limit else 0.0
        self._memory = memory
        self._now = now

    def wait_seconds(self, key: bytes) -> float:
        """Return how long it takes until one more fits; 0 for now."""
        owed = self._memory.get(key) - self._now()
        # A millionth, since the sum of shares is not exactly the whole.
        return max(0.0, owed - (self._limit - 1) * self._each - self._each * 1e-6)

    def count(self, key: bytes) -> None:
        """Count one."""
        if self._limit:
            self._memory.set(key, max(self._memory.get(key), self._now()) + self._each)

    def take_back(self, key: bytes) -> None:
        """Count one less."""
        until = self._memory.get(key) - self._each
        self._memory.set(key, until if until > self._now() else 0.0)


@dataclass(eq=False)
class Attempt:
    """One judging of some credentials, shared by equal requests that come before it ends; for ``end`` only."""

    key: bytes
    counted: list[tuple[_Bucket, bytes]]
    requests: int = 0
    failed: bool = False


class SignInThrottle:
    """
    Counts every sign-in before it is judged, and takes that back unless it failed.

    So it is never late, however many come at once. What it counts is in a memory of fixed size that all processes of
    the server share, without names or secrets in clear. For one event loop in each of them.
    """

    def __init__(
        self, limits: SignInLimits, memory: SharedNumbers, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Count on.

        Args:
            limits: How much may fail.
            memory: What was counted before, by other processes as well.
            now: A clock that never goes back and is the same in all processes, in seconds.
        """
        self._memory = memory
        self._seconds = limits.seconds
        self._now = now
        self._users = _Bucket(limits.per_user, limits.seconds, memory, now)
        self._addresses = _Bucket(limits.per_address, limits.seconds, memory, now)
        self._again = _Bucket(limits.per_address, limits.seconds, memory, now)
        self._running: dict[bytes, Attempt] = {}

    def begin(self, credentials: bytes, *, username: str, address: str) -> Attempt:
        """
        Let credentials be judged, or refuse to; each call that returns is followed by one of ``end``.

        Args:
            credentials: A keyed digest of them.
            username: As the client gave it, whether there is such a user or not; empty for tokens.
            address: The client's, IPv4 or IPv6.

        Raises:
            TooManySignIns: Too many failed lately.
        """
        network = network_of(address)
        key = self._memory.digest(b"failed", credentials, network)
        attempt = self._running.get(key)
        if attempt is None:
            attempt = self._running[key] = Attempt(key, self._count(key, username, network))
        attempt.requests += 1
        return attempt

    def end(self, attempt: Attempt, *, failed: bool) -> None:
        """Say how it went; whatever is not the credentials' fault has not failed."""
        attempt.requests -= 1
        attempt.failed |= failed
        # Who comes now is counted anew: else nothing would be, as long as requests overlap.
        if self._running.get(attempt.key) is attempt:
            del self._running[attempt.key]
        if failed:
            self._memory.set(attempt.key, self._now() + self._seconds)
        elif not attempt.requests and not attempt.failed:
            for bucket, key in attempt.counted:
                bucket.take_back(key)

    def _count(self, credentials: bytes, username: str, network: bytes) -> list[tuple[_Bucket, bytes]]:
        repeated = self._memory.get(credentials) > self._now()
        if repeated:
            buckets = [(self._again, self._memory.digest(b"again", network))]
        else:
            buckets = [(self._addresses, self._memory.digest(b"addresses", network))]
            if username not in _SHARED_NAMES:
                name = username.encode("utf-8", "surrogatepass")
                buckets.append((self._users, self._memory.digest(b"users", name, network)))
        wait = max(bucket.wait_seconds(key) for bucket, key in buckets)
        if wait > 0:
            raise TooManySignIns(retry_after_seconds=math.ceil(wait), repeated=repeated)
        for bucket, key in buckets:
            bucket.count(key)
        return buckets


def network_of(address: str) -> bytes:
    """Return what stands for an address: itself for IPv4, its /64 for IPv6."""
    network = client_network(address)
    return address.encode("utf-8", "surrogatepass") if network is None else str(network).encode("ascii")
