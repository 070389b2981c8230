"""
Following the journal, so that what this process keeps in memory is never older than what somebody was told.

The doorbell says that the journal grew; the journal says what changed. A timer asks the journal too, in case a
process died between its commit and the bell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from pypiserve.catalog import journal
from pypiserve.catalog.database import Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.core.events import Event
from pypiserve.services.regularly import regularly

__all__ = ["JournalFollower"]

TIMER_SECONDS = 1.0


class JournalFollower:
    """Hands every event of the journal, from the start of this process on, to those who keep things in memory."""

    def __init__(self, database: Database, doorbell: Doorbell, listeners: Sequence[Callable[[Event], None]]) -> None:
        self._database = database
        self._doorbell = doorbell
        self._listeners = tuple(listeners)
        self._rung = doorbell.look()
        self._serial = database.read_now(journal.head)
        self._reading = asyncio.Lock()

    @property
    def is_behind(self) -> bool:
        """Whether somebody committed since the journal was last read: one read of memory."""
        return self._doorbell.look() != self._rung

    async def catch_up(self, *, unasked: bool = False) -> None:
        """
        Read the journal to its end, unless somebody else has just done so.

        Args:
            unasked: Read also when the bell was not rung.

        Raises:
            Unavailable: The catalog does not answer; what is kept in memory may be old and must not be served.
        """
        async with self._reading:
            # The bell first: a commit after this look rings again, one before it is in what is read now.
            rung = self._doorbell.look()
            if rung == self._rung and not unasked:
                return
            while events := await self._database.read(lambda connection: journal.since(connection, self._serial)):
                for event in events:
                    self._tell(event)
                self._serial = events[-1].serial
            self._rung = rung

    async def run(self) -> None:
        """Ask the journal on a timer, until cancelled."""
        await regularly(
            partial(self.catch_up, unasked=True), seconds=TIMER_SECONDS, failure="The journal could not be read"
        )

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)
