"""Roles: granted and withdrawn. Blocking, outside the event loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pypiserve.catalog import grants, owners
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.grants import TEAM_PREFIX, GrantRecord, Place
from pypiserve.core.errors import NotFound, PypiserveError
from pypiserve.core.events import OPERATOR, Actor
from pypiserve.core.identity import ANYONE, SIGNED_IN, Role
from pypiserve.core.project_patterns import as_project_pattern
from pypiserve.services.owners import InvalidName, owner_named
from pypiserve.services.subjects import check_subject, team_named

__all__ = ["Grants", "PlaceNames", "RoleMisplaced", "check_role", "place_of"]


class RoleMisplaced(PypiserveError):
    """The role cannot be had there, or by such a subject."""

    code = "role-misplaced"


@dataclass(frozen=True)
class PlaceNames:
    """
    Where a role holds, by names; without any, on the whole server.

    Attributes:
        owner: Name of an owner, in any letter case.
        index: Name of one of its indexes.
        projects: Pattern of names of projects there, in any spelling.
    """

    owner: str | None = None
    index: str | None = None
    projects: str | None = None


class Grants:
    """Gives and takes roles, each in one transaction with its event."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], token_authenticator: str) -> None:
        self._database = database
        self._now = now
        self._token_authenticator = token_authenticator

    def list_all(self) -> list[GrantRecord]:
        """Return all grants, by owner, index, projects and subject."""
        return self._database.read_now(grants.list_grants)

    def list_on(self, owner: str) -> list[GrantRecord]:
        """
        Return the grants on an owner, its indexes and projects.

        Raises:
            NotFound, OwnerMoved: There is no such owner.
        """
        return self._database.read_now(
            lambda connection: grants.list_grants(connection, owner_id=owner_named(connection, owner).id)
        )

    def grant(self, grantee: str, role: Role, at: PlaceNames, *, by: Actor = OPERATOR) -> Place:
        """
        Give a subject a role; an earlier one at the same place is replaced. Return the place.

        Raises:
            InvalidName: The subject or the pattern is not spelt like one.
            NotFound, OwnerMoved: There is no such owner, index, team, API token or robot.
            RoleMisplaced: The role cannot be had there, or by such a subject.
        """
        check_role(role, grantee=grantee, on_server=at.owner is None)

        def work(connection: Connection) -> Place:
            place = place_of(connection, at)
            subject, team_id = self._subject(connection, grantee)
            grants.grant_role(connection, place, grantee=subject, role=role, team_id=team_id, by=by, now=self._now())
            return place

        return self._database.write_now(work)

    def withdraw(self, grantee: str, at: PlaceNames, *, by: Actor = OPERATOR) -> Place:
        """
        Take a subject's role away; return the place.

        Raises:
            InvalidName: The pattern is not spelt like one.
            NotFound, OwnerMoved: There is no such place, or no such grant.
        """

        def work(connection: Connection) -> Place:
            place = place_of(connection, at)
            subject = grantee.casefold() if grantee.startswith(TEAM_PREFIX) else grantee
            if not grants.withdraw_role(connection, place, grantee=subject, by=by, now=self._now()):
                raise NotFound(f"A role of {grantee} on {place}")
            return place

        return self._database.write_now(work)

    def _subject(self, connection: Connection, grantee: str) -> tuple[str, int | None]:
        """Return the one spelling of a subject, and the key of the team that it is."""
        if grantee in {ANYONE, SIGNED_IN}:
            return grantee, None
        if grantee.startswith(TEAM_PREFIX):
            owner, _, name = grantee.removeprefix(TEAM_PREFIX).partition("/")
            team = team_named(connection, owner, name)
            return team.subject, team.id
        check_subject(connection, grantee, token_authenticator=self._token_authenticator)
        return grantee, None


def check_role(role: Role, *, grantee: str, on_server: bool) -> None:
    """
    Check that a role can be had at such a place, by such a subject.

    Raises:
        RoleMisplaced: It cannot.
    """
    if role is Role.ADMINISTRATOR and not on_server:
        raise RoleMisplaced("An administrator is one of the whole server; the highest role on an owner is owner")
    if grantee == ANYONE and role.rank >= Role.OWNER.rank:
        raise RoleMisplaced(f"Requests without credentials cannot have the role {role.value}; name somebody")


def place_of(connection: Connection, at: PlaceNames) -> Place:
    """
    Look a place up.

    Raises:
        InvalidName: The pattern is not spelt like one, or has no owner.
        NotFound, OwnerMoved: There is no such owner or index.
    """
    if at.owner is None:
        if at.index is not None or at.projects is not None:
            raise InvalidName("An index or projects are an owner's; name the owner too")
        return Place()
    owner = owner_named(connection, at.owner)
    index = owners.find_index(connection, owner.name, at.index) if at.index is not None else None
    if at.index is not None and index is None:
        raise NotFound(f"The index {owner.name}/{at.index}")
    if at.projects is None:
        return Place(owner, index)
    try:
        return Place(owner, index, as_project_pattern(at.projects))
    except ValueError as error:
        raise InvalidName(f"{at.projects!r} is no pattern of project names: {error}") from None
