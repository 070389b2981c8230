"""Event subscribers: who is told of changes."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pypiserve.core.events import Event

__all__ = ["EventSubscriber"]


@runtime_checkable
class EventSubscriber(Protocol):
    """
    Hears of committed events: each at least once, in order of serial.

    A subscriber is told of the events after the moment when it was first configured. It cannot change what
    happened; a failure is logged, and the event comes again later.
    """

    async def handle(self, event: Event) -> None:
        """Take note of one event. Returning means that it need not come again."""
        ...

    async def close(self) -> None:
        """Release what the subscriber holds; called once, at the end."""
        ...
