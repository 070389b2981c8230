"""Teams: made and deleted, members added and removed. Blocking, outside the event loop."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from pypiserve.catalog import teams
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.teams import TeamRecord
from pypiserve.core.errors import NotFound
from pypiserve.core.events import OPERATOR, Actor
from pypiserve.services.owners import InvalidName, NameTaken, owner_named
from pypiserve.services.subjects import check_subject, team_named

__all__ = ["Teams"]

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z")


class Teams:
    """Creates and changes teams, each in one transaction with its event."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], token_authenticator: str) -> None:
        self._database = database
        self._now = now
        self._token_authenticator = token_authenticator

    def list_of(self, owner: str) -> list[tuple[TeamRecord, Sequence[str]]]:
        """
        Return the teams of an owner with the subjects in them, by name.

        Raises:
            NotFound, OwnerMoved: There is no such owner.
        """

        def work(connection: Connection) -> list[tuple[TeamRecord, Sequence[str]]]:
            found = teams.list_teams(connection, owner_named(connection, owner).id)
            return [(team, teams.list_members(connection, team)) for team in found]

        return self._database.read_now(work)

    def names_of(self, owner: str) -> list[str]:
        """
        Return the names of the teams of an owner.

        Raises:
            NotFound, OwnerMoved: There is no such owner.
        """

        def work(connection: Connection) -> list[str]:
            return [team.name for team in teams.list_teams(connection, owner_named(connection, owner).id)]

        return self._database.read_now(work)

    def members_of(self, owner: str, name: str) -> Sequence[str]:
        """
        Return the subjects that are in a team.

        Raises:
            NotFound, OwnerMoved: There is no such team.
        """
        return self._database.read_now(
            lambda connection: teams.list_members(connection, team_named(connection, owner, name))
        )

    def create(self, owner: str, name: str, *, by: Actor = OPERATOR) -> None:
        """
        Make a team without members.

        Raises:
            InvalidName: The name cannot be one.
            NameTaken: The owner has a team of this name.
            NotFound, OwnerMoved: There is no such owner.
        """
        if _NAME.match(name) is None:
            raise InvalidName(
                f"{name!r} is no name for a team: it has 1 to 64 lowercase letters, digits, '.', '_' and '-', "
                "and begins and ends with a letter or digit"
            )

        def work(connection: Connection) -> None:
            record = owner_named(connection, owner)
            if teams.find_team(connection, record.name, name) is not None:
                raise NameTaken(f"The team {record.name}/{name} exists already; choose another name")
            teams.create_team(connection, record, name, by=by, now=self._now())

        self._database.write_now(work)

    def delete(self, owner: str, name: str, *, by: Actor = OPERATOR) -> None:
        """
        Delete a team, with the roles that it was given.

        Raises:
            NotFound, OwnerMoved: There is no such team.
        """

        def work(connection: Connection) -> None:
            teams.delete_team(connection, team_named(connection, owner, name), by=by, now=self._now())

        self._database.write_now(work)

    def add(self, owner: str, name: str, member: str, *, by: Actor = OPERATOR) -> bool:
        """
        Add a subject to a team; tell whether it was not in it.

        Raises:
            InvalidName: The subject is not spelt like one.
            NotFound, OwnerMoved: There is no such team, API token or robot.
        """

        def work(connection: Connection) -> bool:
            team = team_named(connection, owner, name)
            check_subject(connection, member, token_authenticator=self._token_authenticator)
            return teams.add_member(connection, team, member, by=by, now=self._now())

        return self._database.write_now(work)

    def remove(self, owner: str, name: str, member: str, *, by: Actor = OPERATOR) -> None:
        """
        Take a subject out of a team.

        Raises:
            NotFound, OwnerMoved: There is no such team, or the subject is not in it.
        """

        def work(connection: Connection) -> None:
            team = team_named(connection, owner, name)
            if not teams.remove_member(connection, team, member, by=by, now=self._now()):
                raise NotFound(f"{member} in the team {team.owner}/{team.name}")

        self._database.write_now(work)
