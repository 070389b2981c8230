"""
Who was granted which role, and where: on the server, an owner, an index, or some projects of these two.

What decides for a subject is read by the subject, through indexes: the cost does not grow with the number of
accounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, literal, null, select, union_all

from pypiserve.catalog import journal
from pypiserve.catalog.owners import IndexRecord, OwnerRecord
from pypiserve.catalog.schema import grants, indexes, owners, robots, team_members, users
from pypiserve.core.events import Actor, EventKind
from pypiserve.core.identity import Role

__all__ = [
    "ROBOT_PREFIX",
    "TEAM_PREFIX",
    "Grant",
    "GrantRecord",
    "Place",
    "Standing",
    "grant_role",
    "list_grants",
    "standing_of",
    "withdraw_role",
]

TEAM_PREFIX = "team:"
"""What the subject of a team begins with, ``team:OWNER/NAME``: no authenticator may be called so."""

ROBOT_PREFIX = "robot:"
"""What the subject of a robot begins with, ``robot:NAME``: likewise."""

_DISABLED = "disabled"


@dataclass(frozen=True)
class Place:
    """
    Where a role holds.

    Attributes:
        owner: ``None`` for the whole server.
        index: ``None`` for all indexes of the owner.
        projects: A pattern of project names as ``as_project_pattern`` spells it; ``None`` for all.
    """

    owner: OwnerRecord | None = None
    index: IndexRecord | None = None
    projects: str | None = None

    @property
    def key(self) -> str:
        """What two grants at the same place have in common."""
        owner, index = (self.owner.id if self.owner else ""), (self.index.id if self.index else "")
        return f"{owner}/{index}/{self.projects or ''}"

    def __str__(self) -> str:
        names = (
            self.owner.name if self.owner else None,
            self.index.name if self.index else None,
        )
        return _place_text(*names, self.projects)


@dataclass(frozen=True)
class Grant:
    """
    A role as the decision needs it: by keys.

    Attributes:
        subject: To whom it was granted: the subject itself, or one of its teams.
        role: Which.
        owner_id: ``None`` for the whole server.
        index_id: ``None`` for all indexes.
        projects: A pattern, or ``None`` for all projects.
    """

    subject: str
    role: Role
    owner_id: int | None = None
    index_id: int | None = None
    projects: str | None = None


@dataclass(frozen=True)
class Standing:
    """
    All that the catalog says of a subject.

    Attributes:
        by_owner: The grants to it and to its teams, by the key of the owner; ``None`` for the whole server.
        is_disabled: Whether the account was closed: whoever signs in as it is refused.
    """

    by_owner: Mapping[int | None, Sequence[Grant]] = field(default_factory=dict)
    is_disabled: bool = False


@dataclass(frozen=True)
class GrantRecord:
    """One grant, by names."""

    subject: str
    role: Role
    owner: str | None
    index: str | None
    projects: str | None
    created_at: datetime

    @property
    def place(self) -> str:
        """Where it holds, as people write it."""
        return _place_text(self.owner, self.index, self.projects)


_COLUMNS = (grants.c.subject, grants.c.role, grants.c.owner_id, grants.c.index_id, grants.c.project_pattern)
_NOWHERE = (null(), null(), null())
# One statement, made once: to go to the database twice, or to put it together, costs more than to run it.
_STANDING = union_all(
    select(*_COLUMNS).where(grants.c.subject == bindparam("who")),
    select(*_COLUMNS)
    .join(team_members, team_members.c.team_id == grants.c.team_id)
    .where(team_members.c.subject == bindparam("who")),
    select(users.c.subject, literal(_DISABLED), *_NOWHERE).where(
        users.c.subject == bindparam("who"), users.c.disabled_at.is_not(None)
    ),
    select(robots.c.name, literal(_DISABLED), *_NOWHERE).where(
        robots.c.name == bindparam("robot"), robots.c.disabled_at.is_not(None)
    ),
)


def standing_of(connection: Connection, subject: str) -> Standing:
    """Return what decides for a subject; an empty standing for one that nobody has heard of."""
    robot = subject.removeprefix(ROBOT_PREFIX) if subject.startswith(ROBOT_PREFIX) else None
    by_owner: dict[int | None, list[Grant]] = {}
    is_disabled = False
    for grantee, role, owner_id, index_id, projects in connection.execute(
        _STANDING, {"who": subject, "robot": robot}
    ):
        if role == _DISABLED:
            is_disabled = True
        else:
            by_owner.setdefault(owner_id, []).append(Grant(grantee, Role(role), owner_id, index_id, projects))
    return Standing(by_owner, is_disabled)


def grant_role(
    connection: Connection, place: Place, *, grantee: str, role: Role, team_id: int | None, by: Actor, now: datetime
) -> None:
    """
    Give a subject a role at a place; an earlier role there is replaced.

    Args:
        connection: Within a transaction.
        place: Where.
        grantee: The subject.
        role: Which; above ``owner`` on the whole server only.
        team_id: Key of the team that the subject is, if it is one.
        by: Who grants.
        now: Aware, UTC.
    """
    _delete(connection, place, grantee)
    connection.execute(
        insert(grants).values(
            owner_id=place.owner.id if place.owner else None,
            index_id=place.index.id if place.index else None,
            project_pattern=place.projects,
            place=place.key,
            subject=grantee,
            team_id=team_id,
            role=role.value,
            created_at=now,
        )
    )
    _tell(connection, place, EventKind.ROLE_GRANTED, f"{grantee} {role.value}", by=by, now=now)


def withdraw_role(connection: Connection, place: Place, *, grantee: str, by: Actor, now: datetime) -> bool:
    """Take a subject's role at a place away; tell whether there was one."""
    if not _delete(connection, place, grantee):
        return False
    _tell(connection, place, EventKind.ROLE_WITHDRAWN, grantee, by=by, now=now)
    return True


def list_grants(
    connection: Connection, *, owner_id: int | None = None, subject: str | None = None
) -> list[GrantRecord]:
    """Return grants by owner, index, pattern and subject: all, or those on an owner, or those to a subject."""
    chosen = (
        select(
            grants.c.subject,
            grants.c.role,
            owners.c.name,
            indexes.c.name,
            grants.c.project_pattern,
            grants.c.created_at,
        )
        .select_from(grants)
        .join(owners, owners.c.id == grants.c.owner_id, isouter=True)
        .join(indexes, indexes.c.id == grants.c.index_id, isouter=True)
        .order_by(owners.c.name_key, indexes.c.name, grants.c.project_pattern, grants.c.subject)
    )
    if owner_id is not None:
        chosen = chosen.where(grants.c.owner_id == owner_id)
    if subject is not None:
        chosen = chosen.where(grants.c.subject == subject)
    return [
        GrantRecord(grantee, Role(role), owner, index, projects, at)
        for grantee, role, owner, index, projects, at in connection.execute(chosen)
    ]


def _delete(connection: Connection, place: Place, grantee: str) -> bool:
    done = connection.execute(delete(grants).where(grants.c.subject == grantee, grants.c.place == place.key))
    return done.rowcount > 0


def _tell(connection: Connection, place: Place, kind: EventKind, detail: str, *, by: Actor, now: datetime) -> None:
    # The pattern last: what reads the detail finds the subject first, and the role of a grant after it.
    text = f"{detail} {place.projects}" if place.projects else detail
    owner = place.owner.name if place.owner else None
    index = place.index.name if place.index else None
    journal.append(connection, by.does(kind, now, owner=owner, index=index, detail=text))


def _place_text(owner: str | None, index: str | None, projects: str | None) -> str:
    if owner is None:
        return "the whole server"
    if projects is None:
        return owner if index is None else f"{owner}/{index}"
    return f"{owner}/{index or '*'}/{projects}"
