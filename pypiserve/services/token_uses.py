"""When API tokens were last used, written down in batches: nobody's request waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import islice

from pypiserve.catalog import tokens
from pypiserve.catalog.database import Database
from pypiserve.services.regularly import regularly

__all__ = ["TokenUses"]

_PAUSE_SECONDS = 60.0
_MOST_KEPT = 100_000
_BATCH = 1000
"""Tokens in one transaction: publishing waits for the lock as long as it takes."""


class TokenUses:
    """
    Notes which tokens signed somebody in, and writes it down every minute and at the end.

    Each process of a server writes what it has seen itself; in the catalog the later time wins.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._pending: dict[str, datetime] = {}

    def note(self, token_id: str) -> None:
        """Note that a token was used now."""
        if token_id in self._pending or len(self._pending) < _MOST_KEPT:
            self._pending[token_id] = self._now()

    async def write(self) -> None:
        """
        Write down what was noted. No event tells of it: it changes nothing.

        Raises:
            Unavailable, StorageFull: It cannot be written now; it is kept for the next time.
        """
        while batch := dict(islice(self._pending.items(), _BATCH)):
            await self._database.write(partial(tokens.note_uses, used_at=batch))
            for token_id, at in batch.items():
                if self._pending.get(token_id) is at:
                    del self._pending[token_id]

    async def run(self) -> None:
        """Write it down every minute, until cancelled."""
        await regularly(self.write, seconds=_PAUSE_SECONDS, failure="When tokens were used could not be written down")
