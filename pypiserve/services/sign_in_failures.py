"""
Sign-ins that fail, for the audit.

Strangers decide how many there are, so they are counted in memory, by minute, address and reason, and written in
batches. Neither what is kept in memory nor what is written grows beyond a bound, and nothing that a client said is
kept: what is typed for a user name is often a secret.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.sign_in_failures import Failure, record_failures
from pypiserve.core.client_networks import client_network
from pypiserve.core.errors import AuthenticationFailed, PypiserveError
from pypiserve.services.regularly import regularly

__all__ = ["SignInFailures", "failing_network"]

BATCH_SECONDS = 10.0
MAX_KEPT = 1000
"""Different ones between two batches; what comes then is summed up without its address."""


class SignInFailures:
    """Counts, and writes down from time to time. For one event loop."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._counts: dict[Failure, tuple[int, str]] = {}

    def __len__(self) -> int:
        """Return how many different ones are not written yet."""
        return len(self._counts)

    def note(self, error: PypiserveError, *, address: str, request_id: str) -> None:
        """
        Count a sign-in that was refused.

        Args:
            error: With what.
            address: Of the client.
            request_id: Of its request.
        """
        minute = self._now().replace(second=0, microsecond=0)
        credential = error.credential if isinstance(error, AuthenticationFailed) else ""
        failure = Failure(minute, failing_network(address), error.code, credential)
        if failure not in self._counts and len(self._counts) >= MAX_KEPT:
            failure = Failure(minute, "", error.code)
        self._add(failure, 1, request_id)

    async def write(self) -> None:
        """
        Write down what was counted.

        Raises:
            Unavailable, StorageFull: The catalog cannot take it now; it stays counted.
        """
        if not self._counts:
            return
        counts, self._counts = self._counts, {}

        def work(connection: Connection) -> None:
            record_failures(connection, [(failure, *rest) for failure, rest in counts.items()])

        try:
            await self._database.write(work)
        except PypiserveError:
            for failure, (count, request_id) in counts.items():
                self._add(failure, count, request_id)
            raise

    async def run(self) -> None:
        """Write from time to time, until cancelled."""
        await regularly(self.write, seconds=BATCH_SECONDS, failure="Failed sign-ins could not be written down")

    def _add(self, failure: Failure, count: int, request_id: str) -> None:
        known, first = self._counts.get(failure, (0, request_id))
        self._counts[failure] = (known + count, first)


def failing_network(address: str) -> str:
    """Return under which address a client is summed up: its own for IPv4, its /64 for IPv6."""
    network = client_network(address)
    return address[:64] if network is None else str(network)
