"""Owners, their indexes, and who was granted which role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select, update

from pypiserve.catalog import journal
from pypiserve.catalog.schema import grants, indexes, owners
from pypiserve.core.events import Event, EventKind
from pypiserve.core.identity import Role
from pypiserve.core.index_rules import IndexRules
from pypiserve.core.names import IndexName, OwnerName

__all__ = [
    "IndexRecord",
    "OwnerRecord",
    "create_index",
    "create_owner",
    "find_index",
    "find_owner",
    "grant_role",
    "list_grants",
    "list_indexes",
    "list_indexes_of",
    "list_owners",
    "set_rules",
    "set_visibility",
    "withdraw_role",
]


@dataclass(frozen=True)
class OwnerRecord:
    """One owner: a user or an organisation."""

    id: int
    name: str
    kind: str
    visibility: str


@dataclass(frozen=True)
class IndexRecord:
    """
    One index with all that decides who may do what in it.

    Attributes:
        id: Key in the catalog.
        owner: The owner's name as written.
        name: The index's name.
        public: Whether everybody may read.
        roles: Subject to the highest role that was granted on the owner or the server.
        rules: What it accepts.
    """

    id: int
    owner: str
    name: str
    public: bool
    roles: Mapping[str, Role]
    rules: IndexRules = field(default_factory=IndexRules)

    @property
    def path(self) -> str:
        """``owner/index``, as people write it."""
        return f"{self.owner}/{self.name}"


def create_owner(
    connection: Connection, name: OwnerName, *, kind: str, public: bool, subject: str, now: datetime
) -> int:
    """Insert an owner and return its key. The name must be free (see ``find_owner``)."""
    owner_id: int = connection.execute(
        insert(owners)
        .values(
            name=name,
            name_key=name.casefold(),
            kind=kind,
            visibility="public" if public else "private",
            created_at=now,
        )
        .returning(owners.c.id)
    ).scalar_one()
    journal.append(connection, Event(0, now, EventKind.OWNER_CREATED, subject, owner=name))
    return owner_id


def create_index(connection: Connection, owner: OwnerRecord, name: IndexName, *, subject: str, now: datetime) -> None:
    """Insert an index of an owner. The name must be free."""
    connection.execute(insert(indexes).values(owner_id=owner.id, name=name, created_at=now))
    journal.append(connection, Event(0, now, EventKind.INDEX_CREATED, subject, owner=owner.name, index=name))


def find_owner(connection: Connection, name: str) -> OwnerRecord | None:
    """Look an owner up by name in any letter case."""
    row = connection.execute(select(owners).where(owners.c.name_key == name.casefold())).one_or_none()
    return None if row is None else OwnerRecord(row.id, row.name, row.kind, row.visibility)


def list_owners(connection: Connection) -> list[OwnerRecord]:
    """Return all owners, by name."""
    rows = connection.execute(select(owners).order_by(owners.c.name_key))
    return [OwnerRecord(row.id, row.name, row.kind, row.visibility) for row in rows]


def find_index(connection: Connection, owner: str, index: str) -> IndexRecord | None:
    """Look an index up by its owner's name, in any letter case, and its own."""
    row = connection.execute(
        select(indexes.c.id, indexes.c.name, indexes.c.rules, owners.c.id, owners.c.name, owners.c.visibility)
        .join(owners, owners.c.id == indexes.c.owner_id)
        .where(owners.c.name_key == owner.casefold(), indexes.c.name == index)
    ).one_or_none()
    if row is None:
        return None
    index_id, index_name, rules, owner_id, owner_name, visibility = row
    return IndexRecord(
        id=index_id,
        owner=owner_name,
        name=index_name,
        public=visibility == "public",
        roles=_roles(connection, owner_id),
        rules=msgspec.json.decode(rules, type=IndexRules),
    )


def list_indexes(connection: Connection) -> list[tuple[str, str]]:
    """Return every index as the names of owner and index."""
    rows = connection.execute(
        select(owners.c.name, indexes.c.name)
        .join(indexes, indexes.c.owner_id == owners.c.id)
        .order_by(owners.c.name_key, indexes.c.name)
    )
    return [(owner, index) for owner, index in rows]


def list_indexes_of(connection: Connection, owner: str) -> list[str]:
    """Return the names of an owner's indexes; the owner's name in any letter case."""
    names = connection.execute(
        select(indexes.c.name)
        .join(owners, owners.c.id == indexes.c.owner_id)
        .where(owners.c.name_key == owner.casefold())
        .order_by(indexes.c.name)
    )
    return list(names.scalars())


def set_rules(connection: Connection, index: IndexRecord, rules: IndexRules, *, subject: str, now: datetime) -> None:
    """Give an index other rules; the event tells all that are not the default."""
    text = msgspec.json.encode(rules).decode()
    connection.execute(update(indexes).where(indexes.c.id == index.id).values(rules=text))
    journal.append(
        connection, Event(0, now, EventKind.INDEX_CHANGED, subject, owner=index.owner, index=index.name, detail=text)
    )


def set_visibility(connection: Connection, owner: OwnerRecord, *, public: bool, subject: str, now: datetime) -> None:
    """Make an owner public or private."""
    visibility = "public" if public else "private"
    connection.execute(update(owners).where(owners.c.id == owner.id).values(visibility=visibility))
    journal.append(connection, Event(0, now, EventKind.OWNER_CHANGED, subject, owner=owner.name, detail=visibility))


def grant_role(
    connection: Connection,
    owner: OwnerRecord | None,
    *,
    grantee: str,
    role: Role,
    subject: str,
    now: datetime,
) -> None:
    """Give a subject a role on an owner, or on the whole server; an earlier role there is replaced."""
    _delete_grant(connection, owner, grantee)
    connection.execute(
        insert(grants).values(owner_id=owner.id if owner else None, subject=grantee, role=role.value, created_at=now)
    )
    journal.append(
        connection,
        Event(
            0,
            now,
            EventKind.ROLE_GRANTED,
            subject,
            owner=owner.name if owner else None,
            detail=f"{grantee} {role.value}",
        ),
    )


def withdraw_role(
    connection: Connection, owner: OwnerRecord | None, *, grantee: str, subject: str, now: datetime
) -> bool:
    """Take a subject's role on an owner, or on the whole server, away; tell whether there was one."""
    if not _delete_grant(connection, owner, grantee):
        return False
    journal.append(
        connection,
        Event(0, now, EventKind.ROLE_WITHDRAWN, subject, owner=owner.name if owner else None, detail=grantee),
    )
    return True


def list_grants(connection: Connection) -> list[tuple[str | None, str, Role]]:
    """Return every grant as owner (``None``: the whole server), subject and role."""
    rows = connection.execute(
        select(owners.c.name, grants.c.subject, grants.c.role)
        .select_from(grants)
        .join(owners, owners.c.id == grants.c.owner_id, isouter=True)
        .order_by(owners.c.name_key, grants.c.subject)
    )
    return [(owner, subject, Role(role)) for owner, subject, role in rows]


def _delete_grant(connection: Connection, owner: OwnerRecord | None, grantee: str) -> bool:
    scope = grants.c.owner_id == owner.id if owner else grants.c.owner_id.is_(None)
    done = connection.execute(delete(grants).where(scope, grants.c.subject == grantee))
    return done.rowcount > 0


def _roles(connection: Connection, owner_id: int) -> dict[str, Role]:
    rows = connection.execute(
        select(grants.c.subject, grants.c.role).where(or_(grants.c.owner_id == owner_id, grants.c.owner_id.is_(None)))
    )
    roles: dict[str, Role] = {}
    for subject, text in rows:
        role = Role(text)
        known = roles.get(subject)
        if known is None or role.rank > known.rank:
            roles[subject] = role
    return roles
