"""Robots: accounts of no person, which own tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from pypiserve.catalog import journal, tokens
from pypiserve.catalog.grants import ROBOT_PREFIX
from pypiserve.catalog.owners import OwnerRecord
from pypiserve.catalog.schema import grants, owners, robots, team_members
from pypiserve.core.events import Actor, EventKind

__all__ = ["RobotRecord", "create_robot", "delete_robot", "find_robot", "list_robots", "robot_exists", "set_disabled"]


@dataclass(frozen=True)
class RobotRecord:
    """
    One robot.

    Attributes:
        name: Unique on the server.
        owner: Name of the owner whose administrators look after it; ``None`` for those of the server.
        description: What it is for.
        created_by: Who made it.
        disabled_at: Since when it is refused, or ``None``.
    """

    name: str
    owner: str | None
    description: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None

    @property
    def subject(self) -> str:
        """The spelling that grants use."""
        return ROBOT_PREFIX + self.name


def robot_exists(connection: Connection, name: str) -> bool:
    """Tell whether there is a robot of this name, closed or not."""
    return connection.execute(select(robots.c.id).where(robots.c.name == name)).first() is not None


def create_robot(
    connection: Connection, name: str, *, owner: OwnerRecord | None, description: str, by: Actor, now: datetime
) -> None:
    """Insert a robot without roles and tokens. The name must be free."""
    connection.execute(
        insert(robots).values(
            name=name,
            owner_id=owner.id if owner else None,
            description=description,
            created_at=now,
            created_by=by.subject,
        )
    )
    _tell(connection, EventKind.ROBOT_CREATED, name, owner.name if owner else None, by=by, now=now)


def find_robot(connection: Connection, name: str) -> RobotRecord | None:
    """Look a robot up."""
    row = connection.execute(_ROBOTS.where(robots.c.name == name)).one_or_none()
    return None if row is None else RobotRecord(*row)


def list_robots(connection: Connection, *, owner_id: int | None = None) -> list[RobotRecord]:
    """Return all robots, or those of an owner, by name."""
    chosen = _ROBOTS if owner_id is None else _ROBOTS.where(robots.c.owner_id == owner_id)
    return [RobotRecord(*row) for row in connection.execute(chosen)]


def set_disabled(connection: Connection, robot: RobotRecord, *, disabled: bool, by: Actor, now: datetime) -> bool:
    """Refuse a robot from now on, or no more; tell whether that is new."""
    if disabled == (robot.disabled_at is not None):
        return False
    changed = update(robots).where(robots.c.name == robot.name).values(disabled_at=now if disabled else None)
    connection.execute(changed)
    kind = EventKind.ROBOT_DISABLED if disabled else EventKind.ROBOT_ENABLED
    _tell(connection, kind, robot.name, robot.owner, by=by, now=now)
    return True


def delete_robot(connection: Connection, robot: RobotRecord, *, by: Actor, now: datetime) -> None:
    """Delete a robot with its roles and its places in teams, and withdraw its tokens."""
    tokens.revoke_tokens_of(connection, robot.subject, now=now)
    connection.execute(delete(grants).where(grants.c.subject == robot.subject))
    connection.execute(delete(team_members).where(team_members.c.subject == robot.subject))
    connection.execute(delete(robots).where(robots.c.name == robot.name))
    _tell(connection, EventKind.ROBOT_DELETED, robot.name, robot.owner, by=by, now=now)


_ROBOTS = (
    select(
        robots.c.name,
        owners.c.name,
        robots.c.description,
        robots.c.created_at,
        robots.c.created_by,
        robots.c.disabled_at,
    )
    .join(owners, owners.c.id == robots.c.owner_id, isouter=True)
    .order_by(robots.c.name)
)


def _tell(connection: Connection, kind: EventKind, name: str, owner: str | None, *, by: Actor, now: datetime) -> None:
    journal.append(connection, by.does(kind, now, owner=owner, detail=ROBOT_PREFIX + name))
