"""Owners, the names that they had, and their indexes with the rules of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from sqlalchemy import Connection, ScalarSelect, bindparam, delete, func, insert, select, union, update

from pypiserve.catalog import journal
from pypiserve.catalog.schema import indexes, owner_aliases, owners
from pypiserve.core.events import Actor, EventKind
from pypiserve.core.identity import Visibility
from pypiserve.core.index_rules import IndexRules
from pypiserve.core.names import IndexName, OwnerName

__all__ = [
    "IndexRecord",
    "OwnerRecord",
    "create_index",
    "create_owner",
    "find_index",
    "find_owner",
    "former_names",
    "list_indexes",
    "list_indexes_of",
    "list_owners",
    "owner_names_of",
    "owner_now_or_once",
    "owner_that_had",
    "rename_owner",
    "set_rules",
    "set_visibility",
]


@dataclass(frozen=True)
class OwnerRecord:
    """One owner: a user or an organisation."""

    id: int
    name: str
    kind: str
    visibility: Visibility

    def as_place(self) -> IndexRecord:
        """Return the owner itself for the decision: an index to which no grant on a single one applies."""
        return IndexRecord(0, self.name, "", self.visibility, self.id)


@dataclass(frozen=True)
class IndexRecord:
    """
    One index, as far as what it holds does not matter.

    Attributes:
        id: Key in the catalog.
        owner: The owner's name as written.
        name: The index's name.
        visibility: The owner's.
        owner_id: The owner's key in the catalog.
        rules: What it accepts.
    """

    id: int
    owner: str
    name: str
    visibility: Visibility
    owner_id: int = 0
    rules: IndexRules = field(default_factory=IndexRules)

    @property
    def public(self) -> bool:
        """Whether everybody may read."""
        return self.visibility is Visibility.PUBLIC

    @property
    def path(self) -> str:
        """``owner/index``, as people write it."""
        return f"{self.owner}/{self.name}"


# Made once: to put such a statement together costs more than to run it.
_INDEXES = select(
    indexes.c.id, indexes.c.name, indexes.c.rules, owners.c.id, owners.c.name, owners.c.visibility
).join(owners, owners.c.id == indexes.c.owner_id)
_INDEX = _INDEXES.where(indexes.c.name == bindparam("named"))
_INDEX_NOW = _INDEX.where(owners.c.name_key == bindparam("key"))
_namesakes = owners.alias("namesakes")
_NOW_OR_ONCE = func.coalesce(
    select(_namesakes.c.id).where(_namesakes.c.name_key == bindparam("key")).scalar_subquery(),
    select(owner_aliases.c.owner_id).where(owner_aliases.c.name_key == bindparam("key")).scalar_subquery(),
)
# One statement for both names: found in one step or not, the answer takes the same time.
_INDEX_NOW_OR_ONCE = _INDEX.where(owners.c.id == _NOW_OR_ONCE)
_INDEXES_NOW_OR_ONCE = _INDEXES.where(owners.c.id == _NOW_OR_ONCE).order_by(indexes.c.name)
_OWNER_NOW_OR_ONCE = select(owners).where(owners.c.id == _NOW_OR_ONCE)
_INDEX_NAMES_NOW_OR_ONCE = select(indexes.c.name).where(indexes.c.owner_id == _NOW_OR_ONCE).order_by(indexes.c.name)


def create_owner(
    connection: Connection, name: OwnerName, *, kind: str, visibility: Visibility, by: Actor, now: datetime
) -> int:
    """Insert an owner and return its key. The name must be free (see ``find_owner`` and ``owner_that_had``)."""
    owner_id: int = connection.execute(
        insert(owners)
        .values(
            name=name,
            name_key=name.casefold(),
            kind=kind,
            visibility=visibility.value,
            created_at=now,
        )
        .returning(owners.c.id)
    ).scalar_one()
    journal.append(connection, by.does(EventKind.OWNER_CREATED, now, owner=name, detail=visibility.value))
    return owner_id


def create_index(connection: Connection, owner: OwnerRecord, name: IndexName, *, by: Actor, now: datetime) -> None:
    """Insert an index of an owner. The name must be free."""
    connection.execute(insert(indexes).values(owner_id=owner.id, name=name, created_at=now))
    journal.append(connection, by.does(EventKind.INDEX_CREATED, now, owner=owner.name, index=name))


def find_owner(connection: Connection, name: str) -> OwnerRecord | None:
    """Look an owner up by name in any letter case."""
    row = connection.execute(select(owners).where(owners.c.name_key == name.casefold())).one_or_none()
    return None if row is None else OwnerRecord(row.id, row.name, row.kind, Visibility(row.visibility))


def list_owners(connection: Connection) -> list[OwnerRecord]:
    """Return all owners, by name."""
    rows = connection.execute(select(owners).order_by(owners.c.name_key))
    return [OwnerRecord(row.id, row.name, row.kind, Visibility(row.visibility)) for row in rows]


def owner_that_had(connection: Connection, name: str) -> OwnerRecord | None:
    """Look up the owner that was called so once, in any letter case, and is not now."""
    row = connection.execute(
        select(owners)
        .join(owner_aliases, owner_aliases.c.owner_id == owners.c.id)
        .where(owner_aliases.c.name_key == name.casefold())
    ).one_or_none()
    return None if row is None else OwnerRecord(row.id, row.name, row.kind, Visibility(row.visibility))


def owner_now_or_once(connection: Connection, name: str) -> OwnerRecord | None:
    """Look up the owner that is called so, or was once; found in one step or not, that takes the same time."""
    row = connection.execute(_OWNER_NOW_OR_ONCE, {"key": name.casefold()}).one_or_none()
    return None if row is None else OwnerRecord(row.id, row.name, row.kind, Visibility(row.visibility))


def rename_owner(connection: Connection, owner: OwnerRecord, name: OwnerName, *, by: Actor, now: datetime) -> None:
    """
    Give an owner another name; its old one stays its own, and leads to it.

    The name must be free, or one that this owner had. Grants to its teams must be renamed beside this.
    """
    key = name.casefold()
    connection.execute(delete(owner_aliases).where(owner_aliases.c.name_key == key))
    if owner.name.casefold() != key:
        connection.execute(
            insert(owner_aliases).values(
                name_key=owner.name.casefold(), name=owner.name, owner_id=owner.id, created_at=now
            )
        )
    connection.execute(update(owners).where(owners.c.id == owner.id).values(name=name, name_key=key))
    journal.append(connection, by.does(EventKind.OWNER_RENAMED, now, owner=name, detail=owner.name))


def owner_names_of(owner_id: int) -> ScalarSelect[str]:
    """Return, as a subquery, the names that an owner has and had: events keep the one of their time."""
    now = select(owners.c.name).where(owners.c.id == owner_id)
    once = select(owner_aliases.c.name).where(owner_aliases.c.owner_id == owner_id)
    return union(now, once).scalar_subquery()


def find_index(connection: Connection, owner: str, index: str, *, formerly: bool = False) -> IndexRecord | None:
    """
    Look an index up by its owner's name, in any letter case, and its own.

    Args:
        connection: To the catalog.
        owner: Name of the owner.
        index: Name of the index.
        formerly: Whether a name counts that the owner had; the record has the one of now.
    """
    names = {"key": owner.casefold(), "named": index}
    row = connection.execute(_INDEX_NOW_OR_ONCE if formerly else _INDEX_NOW, names).one_or_none()
    return None if row is None else _index_record(*row)


def indexes_of(connection: Connection, owner: str) -> list[IndexRecord]:
    """Return an owner's indexes, by name; the owner's name is one that it has or had, in any letter case."""
    return [_index_record(*row) for row in connection.execute(_INDEXES_NOW_OR_ONCE, {"key": owner.casefold()})]


def list_indexes(connection: Connection) -> list[tuple[str, str]]:
    """Return every index as the names of owner and index."""
    rows = connection.execute(
        select(owners.c.name, indexes.c.name)
        .join(indexes, indexes.c.owner_id == owners.c.id)
        .order_by(owners.c.name_key, indexes.c.name)
    )
    return [(owner, index) for owner, index in rows]


def list_indexes_of(connection: Connection, owner: str) -> list[str]:
    """Return the names of an owner's indexes; the owner's name is one that it has or had, in any letter case."""
    return list(connection.execute(_INDEX_NAMES_NOW_OR_ONCE, {"key": owner.casefold()}).scalars())


def set_rules(connection: Connection, index: IndexRecord, rules: IndexRules, *, by: Actor, now: datetime) -> None:
    """Give an index other rules; the event tells all that are not the default."""
    text = msgspec.json.encode(rules).decode()
    connection.execute(update(indexes).where(indexes.c.id == index.id).values(rules=text))
    journal.append(
        connection, by.does(EventKind.INDEX_CHANGED, now, owner=index.owner, index=index.name, detail=text)
    )


def set_visibility(
    connection: Connection, owner: OwnerRecord, visibility: Visibility, *, by: Actor, now: datetime
) -> None:
    """Say who may read an owner's indexes without a grant."""
    connection.execute(update(owners).where(owners.c.id == owner.id).values(visibility=visibility.value))
    journal.append(connection, by.does(EventKind.OWNER_CHANGED, now, owner=owner.name, detail=visibility.value))


def former_names(connection: Connection, owner_id: int) -> list[str]:
    """Return the names that an owner had and has no more."""
    return list(
        connection.execute(select(owner_aliases.c.name).where(owner_aliases.c.owner_id == owner_id)).scalars()
    )


def _index_record(
    index_id: int, index_name: str, rules: str, owner_id: int, owner_name: str, visibility: str
) -> IndexRecord:
    return IndexRecord(
        id=index_id,
        owner=owner_name,
        name=index_name,
        visibility=Visibility(visibility),
        owner_id=owner_id,
        rules=msgspec.json.decode(rules, type=IndexRules),
    )
