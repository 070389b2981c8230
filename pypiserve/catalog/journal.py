"""
The journal: every change of state is one row, written in the transaction of the change.

Serials come from one counter row inside that transaction, so that nobody can see serial N + 1 before N.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from pypiserve.catalog.prepared import Prepared
from pypiserve.catalog.schema import events, journal_head, subscriber_marks
from pypiserve.core.events import Event, EventKind

__all__ = ["append", "head", "mark_of", "move_mark", "since"]

_NEXT = Prepared(update(journal_head).values(serial=journal_head.c.serial + 1).returning(journal_head.c.serial))
_APPEND = Prepared(insert(events), *events.c.keys())
_HEAD = Prepared(select(journal_head.c.serial))
_SINCE = Prepared(
    select(events).where(events.c.serial > bindparam("after")).order_by(events.c.serial).limit(bindparam("most"))
)


def append(connection: Connection, event: Event) -> Event:
    """
    Write one event at the end of the journal.

    Args:
        connection: Within the transaction of the change itself.
        event: Its ``serial`` is ignored.

    Returns:
        The event with its serial.
    """
    serial: int = _NEXT.value(connection)
    _APPEND.rows(
        connection,
        serial=serial,
        at=event.at,
        kind=event.kind.value,
        subject=event.subject,
        owner=event.owner,
        index_name=event.index,
        project=event.project,
        version=event.version,
        filename=event.filename,
        detail=event.detail,
        address=event.address,
        credential=event.credential,
        request_id=event.request_id,
    )
    return replace(event, serial=serial)


def head(connection: Connection) -> int:
    """Return the serial of the last event, 0 for an empty journal."""
    serial: int = _HEAD.value(connection)
    return serial


def since(connection: Connection, serial: int, *, limit: int = 1000) -> list[Event]:
    """Return the events after a serial, in order, at most ``limit`` of them."""
    return [_event(*row) for row in _SINCE.rows(connection, after=serial, most=limit)]


def mark_of(connection: Connection, subscriber: str) -> int:
    """
    Return the serial up to which a subscriber was told.

    A subscriber that is new begins at the head: what was before it is not its business.
    """
    found: int | None = connection.execute(
        select(subscriber_marks.c.serial).where(subscriber_marks.c.name == subscriber)
    ).scalar_one_or_none()
    if found is not None:
        return found
    start = head(connection)
    connection.execute(insert(subscriber_marks).values(name=subscriber, serial=start))
    return start


def move_mark(connection: Connection, subscriber: str, serial: int) -> None:
    """Note that a subscriber was told up to and with this serial; another process may have come further."""
    connection.execute(
        update(subscriber_marks)
        .where(subscriber_marks.c.name == subscriber, subscriber_marks.c.serial < serial)
        .values(serial=serial)
    )


def _event(serial: int, at: datetime, kind: str, *rest: Any) -> Event:
    return Event(serial, at, EventKind(kind), *rest)
