"""People who are known here by their subject, whoever signs them in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from pypiserve.catalog import journal
from pypiserve.catalog.schema import users
from pypiserve.core.events import Actor, EventKind

__all__ = ["Seen", "UserRecord", "count_users", "find_user", "list_users", "note_seen", "set_disabled"]


@dataclass(frozen=True)
class UserRecord:
    """
    One of them.

    Attributes:
        subject: The spelling that grants use, such as ``htpasswd:alice``.
        display_name: What people call them; empty when their authenticator does not say.
        created_at: Since when they are known here.
        last_seen_at: When they signed in last, give or take some minutes; ``None`` for never.
        disabled_at: Since when they are refused; ``None`` for those who are not.
    """

    subject: str
    display_name: str
    created_at: datetime
    last_seen_at: datetime | None
    disabled_at: datetime | None


@dataclass(frozen=True)
class Seen:
    """Somebody who has signed in."""

    subject: str
    display_name: str
    at: datetime


def find_user(connection: Connection, subject: str) -> UserRecord | None:
    """Look somebody up."""
    row = connection.execute(select(users).where(users.c.subject == subject)).one_or_none()
    return None if row is None else _record(row)


def list_users(connection: Connection, *, limit: int | None = None, offset: int = 0) -> list[UserRecord]:
    """Return those who are known, by subject."""
    rows = connection.execute(select(users).order_by(users.c.subject).limit(limit).offset(offset))
    return [_record(row) for row in rows]


def count_users(connection: Connection) -> int:
    """Return how many are known."""
    counted: int = connection.execute(select(func.count()).select_from(users)).scalar_one()
    return counted


def note_seen(connection: Connection, seen: Collection[Seen]) -> None:
    """
    Note when some have signed in; whoever is new becomes known. No event tells of it: it changes no right.

    Several processes note the same people: the latest time stays.
    """
    for each in seen:
        if find_user(connection, each.subject) is None:
            _insert(connection, each.subject, each.at, display_name=each.display_name, last_seen_at=each.at)
            continue
        connection.execute(
            update(users)
            .where(
                users.c.subject == each.subject,
                or_(users.c.last_seen_at.is_(None), users.c.last_seen_at < each.at),
            )
            .values(display_name=each.display_name, last_seen_at=each.at)
        )


def set_disabled(connection: Connection, subject: str, *, disabled: bool, by: Actor, now: datetime) -> None:
    """Refuse somebody from now on, or no longer; the state must be the other one. Who is unknown becomes known."""
    at = now if disabled else None
    if find_user(connection, subject) is None:
        _insert(connection, subject, now, disabled_at=at)
    else:
        connection.execute(update(users).where(users.c.subject == subject).values(disabled_at=at))
    kind = EventKind.USER_DISABLED if disabled else EventKind.USER_ENABLED
    journal.append(connection, by.does(kind, now, detail=subject))


def _insert(connection: Connection, subject: str, now: datetime, **values: Any) -> None:
    connection.execute(insert(users).values(subject=subject, created_at=now, **values))


def _record(row: Row[Any]) -> UserRecord:
    return UserRecord(row.subject, row.display_name, row.created_at, row.last_seen_at, row.disabled_at)
