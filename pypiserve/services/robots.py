"""Robots: accounts of no person, which own tokens. Blocking, outside the event loop."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from pypiserve.catalog import robots, tokens
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.grants import ROBOT_PREFIX
from pypiserve.catalog.robots import RobotRecord
from pypiserve.services.owners import InvalidName, NameTaken, owner_named
from pypiserve.services.token_authority import (
    BESIDE_THE_DATA,
    Caretaker,
    check_administers,
    check_administers_named,
    robot_in_care,
)

__all__ = ["Robots"]

MAX_DESCRIPTION = 500
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z")


class Robots:
    """
    Makes and changes robots, each in one transaction with its event.

    A robot is an owner's, whose administrators look after it, or the server's. What it may is granted to its subject,
    ``robot:NAME``, as to anybody else.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def create(
        self, name: str, *, owner: str | None, description: str = "", by: Caretaker = BESIDE_THE_DATA
    ) -> RobotRecord:
        """
        Make a robot without roles and tokens.

        Args:
            name: Unique on the server, and never that of a deleted robot that had tokens.
            owner: Whose administrators look after it; ``None`` for those of the server.
            description: What it is for, one line of at most 500 characters.
            by: Who asks.

        Raises:
            InvalidName: The name or the description cannot be one.
            NameTaken: A robot of this name exists or existed.
            NotFound, OwnerMoved: There is no such owner.
            AuthenticationFailed, PermissionDenied: Whoever asks administers neither the owner nor the server.
        """
        if _NAME.match(name) is None:
            raise InvalidName(
                f"{name!r} is no name for a robot: it has 1 to 64 lowercase letters, digits, '.', '_' and '-', "
                "and begins and ends with a letter or digit"
            )
        if len(description) > MAX_DESCRIPTION or not description.isprintable():
            raise InvalidName(f"The description of a robot is one line of at most {MAX_DESCRIPTION} characters")

        def work(connection: Connection) -> RobotRecord:
            check_administers_named(connection, by, owner)
            record = None if owner is None else owner_named(connection, owner)
            subject = ROBOT_PREFIX + name
            # What a robot did is told by its subject, which must stay its own.
            if robots.robot_exists(connection, name) or tokens.had_tokens(connection, subject):
                raise NameTaken(f"A robot {name} exists or existed; choose another name")
            robots.create_robot(connection, name, owner=record, description=description, by=by.actor, now=self._now())
            return robot_in_care(connection, by, name)

        return self._database.write_now(work)

    def list_of(self, owner: str, *, by: Caretaker = BESIDE_THE_DATA) -> list[RobotRecord]:
        """
        Return the robots of an owner, by name.

        Raises:
            NotFound, OwnerMoved, AuthenticationFailed, PermissionDenied: As ``create`` does.
        """

        def work(connection: Connection) -> list[RobotRecord]:
            check_administers_named(connection, by, owner)
            return robots.list_robots(connection, owner_id=owner_named(connection, owner).id)

        return self._database.read_now(work)

    def list_all(self, *, by: Caretaker = BESIDE_THE_DATA) -> list[RobotRecord]:
        """
        Return all robots, by name.

        Raises:
            AuthenticationFailed, PermissionDenied: Whoever asks does not administer the server.
        """

        def work(connection: Connection) -> list[RobotRecord]:
            check_administers(connection, by, None)
            return robots.list_robots(connection)

        return self._database.read_now(work)

    def find(self, name: str, *, by: Caretaker = BESIDE_THE_DATA) -> RobotRecord:
        """
        Look a robot up.

        Raises:
            AuthenticationFailed: Nobody is signed in.
            NotFound: There is none of this name, or none that whoever asks administers.
        """
        return self._database.read_now(lambda connection: robot_in_care(connection, by, name))

    def set_disabled(self, name: str, *, disabled: bool, by: Caretaker = BESIDE_THE_DATA) -> bool:
        """
        Refuse all of a robot's tokens from now on, or no more; tell whether that is new.

        Raises:
            AuthenticationFailed, NotFound: As ``find`` does.
        """

        def work(connection: Connection) -> bool:
            robot = robot_in_care(connection, by, name)
            return robots.set_disabled(connection, robot, disabled=disabled, by=by.actor, now=self._now())

        return self._database.write_now(work)

    def delete(self, name: str, *, by: Caretaker = BESIDE_THE_DATA) -> None:
        """
        Delete a robot with its roles and its places in teams, and revoke its tokens.

        Raises:
            AuthenticationFailed, NotFound: As ``find`` does.
        """

        def work(connection: Connection) -> None:
            robots.delete_robot(connection, robot_in_care(connection, by, name), by=by.actor, now=self._now())

        self._database.write_now(work)
