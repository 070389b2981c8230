"""Telling subscribers of committed events: each at least once, in order of serial."""

from __future__ import annotations

import asyncio
import logging

from pypiserve.catalog import journal
from pypiserve.catalog.database import Database
from pypiserve.core.errors import PypiserveError
from pypiserve.core.events import Event
from pypiserve.plugin import EventSubscriber

__all__ = ["Delivery"]

_log = logging.getLogger("pypiserve.delivery")

_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_BATCH = 100


class Delivery:
    """Tells one subscriber, from its mark in the catalog on; a failure comes again after a growing pause."""

    def __init__(self, name: str, subscriber: EventSubscriber, database: Database) -> None:
        self._name = name
        self._subscriber = subscriber
        self._database = database
        self._mark: int | None = None

    async def run(self) -> None:
        """Deliver until cancelled."""
        pause = _PAUSE_SECONDS
        while True:
            try:
                await self.deliver()
                pause = _PAUSE_SECONDS
            except PypiserveError as error:
                _log.warning("Subscriber %s waits: %s", self._name, error)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - whatever a plugin raises, the others must go on
                _log.exception("Subscriber %s failed and will hear of the event again", self._name)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)

    async def deliver(self) -> None:
        """Tell the subscriber all that it has not heard yet."""
        if self._mark is None:
            self._mark = await self._database.write(lambda c: journal.mark_of(c, self._name))
        while events := await self._next(self._mark):
            told = self._mark
            try:
                for event in events:
                    await self._subscriber.handle(event)
                    told = event.serial
            finally:
                # Once for all of them: each move is a commit, and waits for the disk before the next publisher may.
                if told != self._mark:
                    await self._move_mark(told)
                    self._mark = told

    async def _next(self, mark: int) -> list[Event]:
        return await self._database.read(lambda c: journal.since(c, mark, limit=_BATCH))

    async def _move_mark(self, serial: int) -> None:
        await self._database.write(lambda c: journal.move_mark(c, self._name, serial))
