"""Owners: made, renamed, opened and closed. Blocking, outside the event loop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pypiserve.catalog import owners, teams, tokens
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.owners import OwnerRecord
from pypiserve.core.errors import Conflict, NotFound, OwnerMoved, PypiserveError
from pypiserve.core.events import OPERATOR, Actor
from pypiserve.core.identity import Visibility
from pypiserve.core.names import OwnerName, as_index_name, as_owner_name

__all__ = ["InvalidName", "NameTaken", "Owners", "insert_owner", "owner_named"]


class NameTaken(Conflict):
    """The name belongs to something that exists."""

    code = "name-taken"


class InvalidName(PypiserveError):
    """The text cannot be the name of what it shall name."""

    code = "invalid-name"


class Owners:
    """Creates and changes owners, each in one transaction with its event."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def list_all(self) -> list[OwnerRecord]:
        """Return all owners, by name."""
        return self._database.read_now(owners.list_owners)

    def find(self, name: str) -> OwnerRecord | None:
        """Look up the owner that is called so, or was once and is called otherwise now."""
        return self._database.read_now(
            lambda connection: owners.find_owner(connection, name) or owners.owner_that_had(connection, name)
        )

    def create(self, name: str, visibility: Visibility, *, kind: str = "organisation", by: Actor = OPERATOR) -> None:
        """
        Create an owner with its index ``pypi``.

        Raises:
            InvalidName: The name cannot be one.
            NameTaken: An owner of this name exists or existed, in any letter case.
        """
        self._database.write_now(
            lambda connection: insert_owner(connection, name, visibility, kind=kind, by=by, now=self._now())
        )

    def rename(self, name: str, new_name: str, *, by: Actor = OPERATOR) -> None:
        """
        Give an owner another name.

        Addresses with the old one lead to the new one for reading; nobody else can have it.

        Raises:
            InvalidName: The new name cannot be one.
            NameTaken: Another owner has or had it.
            NotFound, OwnerMoved: There is no owner of the old name now.
        """
        checked = _checked(new_name)

        def work(connection: Connection) -> None:
            record = owner_named(connection, name)
            _check_free(connection, checked, unless=record.id)
            owners.rename_owner(connection, record, checked, by=by, now=self._now())
            teams.update_subjects(connection, record.id)
            tokens.rename_owner_in_scopes(connection, record.name, checked)

        self._database.write_now(work)

    def set_visibility(self, name: str, visibility: Visibility, *, by: Actor = OPERATOR) -> None:
        """
        Say who may read an owner's indexes without a grant.

        Raises:
            NotFound, OwnerMoved: There is no owner of this name now.
        """

        def work(connection: Connection) -> None:
            record = owner_named(connection, name)
            owners.set_visibility(connection, record, visibility, by=by, now=self._now())

        self._database.write_now(work)


def insert_owner(
    connection: Connection, name: str, visibility: Visibility, *, kind: str, by: Actor, now: datetime
) -> None:
    """
    Create an owner with its index ``pypi``, within a transaction.

    Raises:
        InvalidName: The name cannot be one.
        NameTaken: An owner of this name exists or existed, in any letter case.
    """
    checked = _checked(name)
    _check_free(connection, checked)
    owners.create_owner(connection, checked, kind=kind, visibility=visibility, by=by, now=now)
    record = owner_named(connection, checked)
    owners.create_index(connection, record, as_index_name("pypi"), by=by, now=now)


def owner_named(connection: Connection, name: str) -> OwnerRecord:
    """
    Look an owner up.

    Raises:
        NotFound: There is none of this name.
        OwnerMoved: There was one, and it has another name now.
    """
    record = owners.find_owner(connection, name)
    if record is None:
        moved = owners.owner_that_had(connection, name)
        raise OwnerMoved(name, moved.name) if moved is not None else NotFound(f"The owner {name}")
    return record


def _checked(name: str) -> OwnerName:
    try:
        return as_owner_name(name)
    except ValueError as error:
        raise InvalidName(f"{name!r} is no name for an owner: {error}") from None


def _check_free(connection: Connection, name: OwnerName, *, unless: int | None = None) -> None:
    known = owners.find_owner(connection, name)
    if known is not None and known.id != unless:
        raise NameTaken(f"An owner {name} exists already; names are the same in any letter case")
    former = owners.owner_that_had(connection, name)
    if former is not None and former.id != unless:
        raise NameTaken(
            f"The owner {former.name} was called {name}, and addresses of that name lead to it; choose another name"
        )
