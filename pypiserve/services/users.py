"""People who have signed in: listed, disabled and enabled. Blocking, outside the event loop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pypiserve.catalog import users
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.grants import ROBOT_PREFIX
from pypiserve.catalog.users import UserRecord
from pypiserve.core.errors import NotFound
from pypiserve.core.events import OPERATOR, Actor
from pypiserve.services.owners import InvalidName
from pypiserve.services.subjects import check_spelling

__all__ = ["Users"]


class Users:
    """
    Tells of users, and closes and opens their accounts, each in one transaction with its event.

    Whoever signs in is known from then on. Passwords and the like are kept by whoever signs them in.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime], token_authenticator: str) -> None:
        self._database = database
        self._now = now
        self._token_prefix = f"{token_authenticator}:"

    def list_all(self, *, limit: int | None = None, offset: int = 0) -> list[UserRecord]:
        """Return users by subject: all, or a part of the list."""
        return self._database.read_now(lambda connection: users.list_users(connection, limit=limit, offset=offset))

    def count(self) -> int:
        """Return how many there are."""
        return self._database.read_now(users.count_users)

    def find(self, subject: str) -> UserRecord:
        """
        Look a user up.

        Raises:
            NotFound: Nobody of this subject is known.
        """
        found = self._database.read_now(lambda connection: users.find_user(connection, subject))
        if found is None:
            raise NotFound(f"The user {subject}")
        return found

    def disable(self, subject: str, *, by: Actor = OPERATOR) -> bool:
        """
        Refuse whoever signs in as a user, with whatever credential, from the next request on.

        Args:
            subject: ``AUTHENTICATOR:NAME``; it may be somebody who has not signed in yet.
            by: Who does it.

        Returns:
            Whether that changed anything.

        Raises:
            InvalidName: That is no user.
        """
        self._check(subject)

        def work(connection: Connection) -> bool:
            known = users.find_user(connection, subject)
            if known is not None and known.disabled_at is not None:
                return False
            users.set_disabled(connection, subject, disabled=True, by=by, now=self._now())
            return True

        return self._database.write_now(work)

    def enable(self, subject: str, *, by: Actor = OPERATOR) -> bool:
        """
        Let a user in again; tell whether that changed anything.

        Raises:
            NotFound: Nobody of this subject is known.
        """

        def work(connection: Connection) -> bool:
            known = users.find_user(connection, subject)
            if known is None:
                raise NotFound(f"The user {subject}")
            if known.disabled_at is None:
                return False
            users.set_disabled(connection, subject, disabled=False, by=by, now=self._now())
            return True

        return self._database.write_now(work)

    def _check(self, subject: str) -> None:
        check_spelling(subject)
        if subject.startswith(ROBOT_PREFIX):
            raise InvalidName(f"{subject} is a robot, and no user; disable it as a robot")
        if subject.startswith(self._token_prefix):
            raise InvalidName(f"{subject} is an API token, and no user; revoke it")
