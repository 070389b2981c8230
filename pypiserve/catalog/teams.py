"""Teams of owners, and who is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from pypiserve.catalog import journal
from pypiserve.catalog.grants import TEAM_PREFIX
from pypiserve.catalog.owners import OwnerRecord
from pypiserve.catalog.schema import grants, owners, team_members, teams
from pypiserve.core.events import Actor, EventKind

__all__ = [
    "TeamRecord",
    "add_member",
    "create_team",
    "delete_team",
    "find_team",
    "list_members",
    "list_teams",
    "remove_member",
    "team_subject",
    "teams_of",
    "update_subjects",
]


@dataclass(frozen=True)
class TeamRecord:
    """
    One team.

    Attributes:
        id: Key in the catalog.
        owner: The owner's name as written.
        name: The team's name, unique within the owner.
    """

    id: int
    owner: str
    name: str

    @property
    def subject(self) -> str:
        """The spelling that grants use."""
        return team_subject(self.owner, self.name)


def team_subject(owner: str, name: str) -> str:
    """Return the subject of a team; one spelling for all letter cases of the owner."""
    return f"{TEAM_PREFIX}{owner.casefold()}/{name}"


def create_team(connection: Connection, owner: OwnerRecord, name: str, *, by: Actor, now: datetime) -> None:
    """Insert a team without members. The name must be free."""
    connection.execute(insert(teams).values(owner_id=owner.id, name=name, created_at=now))
    _tell(connection, EventKind.TEAM_CREATED, owner.name, team_subject(owner.name, name), by=by, now=now)


def delete_team(connection: Connection, team: TeamRecord, *, by: Actor, now: datetime) -> None:
    """Delete a team with what was granted to it: a team of the same name later begins with nothing."""
    connection.execute(delete(team_members).where(team_members.c.team_id == team.id))
    connection.execute(delete(grants).where(grants.c.team_id == team.id))
    connection.execute(delete(teams).where(teams.c.id == team.id))
    _tell(connection, EventKind.TEAM_DELETED, team.owner, team.subject, by=by, now=now)


def add_member(connection: Connection, team: TeamRecord, member: str, *, by: Actor, now: datetime) -> bool:
    """Add a subject to a team; tell whether it was not in it."""
    known = select(team_members.c.subject).where(team_members.c.team_id == team.id, team_members.c.subject == member)
    if connection.execute(known).first() is not None:
        return False
    connection.execute(insert(team_members).values(team_id=team.id, subject=member, added_at=now))
    _tell(connection, EventKind.MEMBER_ADDED, team.owner, f"{member} {team.subject}", by=by, now=now)
    return True


def remove_member(connection: Connection, team: TeamRecord, member: str, *, by: Actor, now: datetime) -> bool:
    """Take a subject out of a team; tell whether it was in it."""
    done = connection.execute(
        delete(team_members).where(team_members.c.team_id == team.id, team_members.c.subject == member)
    )
    if done.rowcount == 0:
        return False
    _tell(connection, EventKind.MEMBER_REMOVED, team.owner, f"{member} {team.subject}", by=by, now=now)
    return True


def find_team(connection: Connection, owner: str, name: str) -> TeamRecord | None:
    """Look a team up by its owner's name, in any letter case, and its own."""
    chosen = _TEAMS.where(owners.c.name_key == owner.casefold(), teams.c.name == name)
    row = connection.execute(chosen).one_or_none()
    return None if row is None else TeamRecord(*row)


def list_teams(connection: Connection, owner_id: int) -> list[TeamRecord]:
    """Return the teams of an owner, by name."""
    return [TeamRecord(*row) for row in connection.execute(_TEAMS.where(teams.c.owner_id == owner_id))]


def teams_of(connection: Connection, subject: str) -> list[TeamRecord]:
    """Return the teams that a subject is in, by owner and name."""
    chosen = _TEAMS.join(team_members, team_members.c.team_id == teams.c.id).where(team_members.c.subject == subject)
    return [TeamRecord(*row) for row in connection.execute(chosen)]


def list_members(connection: Connection, team: TeamRecord) -> Sequence[str]:
    """Return the subjects in a team, by name."""
    chosen = select(team_members.c.subject).where(team_members.c.team_id == team.id)
    return connection.execute(chosen.order_by(team_members.c.subject)).scalars().all()


def update_subjects(connection: Connection, owner_id: int) -> None:
    """Give the grants to an owner's teams the subjects that they have under the owner's name of now."""
    for team in list_teams(connection, owner_id):
        connection.execute(update(grants).where(grants.c.team_id == team.id).values(subject=team.subject))


_TEAMS = (
    select(teams.c.id, owners.c.name, teams.c.name)
    .join(owners, owners.c.id == teams.c.owner_id)
    .order_by(owners.c.name_key, teams.c.name)
)


def _tell(connection: Connection, kind: EventKind, owner: str, detail: str, *, by: Actor, now: datetime) -> None:
    journal.append(connection, by.does(kind, now, owner=owner, detail=detail))
