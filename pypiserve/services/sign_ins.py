"""
Who has signed in, written down in batches: nobody's request waits for it.

How exact the times are is for people: one look at ``pypiserve user list`` tells who is still there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from pypiserve.catalog import users
from pypiserve.catalog.database import Database
from pypiserve.catalog.users import Seen
from pypiserve.core.identity import Identity
from pypiserve.services.regularly import regularly

__all__ = ["SignIns"]

_PAUSE_SECONDS = 10.0
_EXACT_TO = timedelta(minutes=5)
_MOST_KEPT = 10_000
_BATCH = 200
"""Users in one transaction: publishing waits for the lock as long as it takes."""

_MAX_LENGTH = 255
"""Of a subject, and of what people call it, as the catalog has room for."""


class SignIns:
    """Notes whom authenticators sign in, within a bound, and writes it down every few seconds and at the end."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._noted: OrderedDict[str, Seen] = OrderedDict()
        self._pending: dict[str, Seen] = {}

    def note(self, identity: Identity) -> None:
        """Note that somebody has signed in; costs nothing worth to mention when it was noted lately."""
        subject, name = identity.subject, identity.display_name[:_MAX_LENGTH]
        noted, now = self._noted.get(subject), self._now()
        if noted is not None and noted.display_name == name and now < noted.at + _EXACT_TO:
            return
        if len(subject) > _MAX_LENGTH or len(self._pending) >= _MOST_KEPT:
            return
        self._noted[subject] = self._pending[subject] = Seen(subject, name, now)
        self._noted.move_to_end(subject)
        if len(self._noted) > _MOST_KEPT:
            self._noted.popitem(last=False)

    async def write(self) -> None:
        """
        Write down what was noted.

        Raises:
            Unavailable, StorageFull: It cannot be written now; it is kept for the next time.
        """
        while batch := list(self._pending.values())[:_BATCH]:
            await self._database.write(partial(users.note_seen, seen=batch))
            for seen in batch:
                if self._pending.get(seen.subject) is seen:
                    del self._pending[seen.subject]

    async def run(self) -> None:
        """Write it down every few seconds, until cancelled."""
        await regularly(self.write, seconds=_PAUSE_SECONDS, failure="Who signed in could not be written down")
