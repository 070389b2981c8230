"""What is left of deleted files when their retention is over, and the sizes that the catalog keeps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update

from pypiserve.catalog.schema import blobs, files, indexes, owners, projects, releases
from pypiserve.core.digests import Sha256
from pypiserve.core.index_rules import IndexRules

__all__ = [
    "Expired",
    "WrongSize",
    "expired_after",
    "is_deleted",
    "mend_sizes",
    "purge",
    "purge_lost",
    "wrong_sizes",
]


@dataclass(frozen=True)
class Expired:
    """Bytes of which all files are deleted, longer ago than their indexes keep them."""

    sha256: Sha256
    size_bytes: int


@dataclass(frozen=True)
class WrongSize:
    """
    A project or an index whose size is not that of its files.

    Attributes:
        name: ``owner/index``, with the project's name behind it.
        project_id: ``None`` for an index.
        kept: What the catalog says, in bytes.
        counted: What it is.
    """

    name: str
    index_id: int
    project_id: int | None
    kept: int
    counted: int


def expired_after(connection: Connection, after: str, *, now: datetime, limit: int) -> list[Expired]:
    """Return bytes that nothing keeps any more, by digest, from the one after a given digest on."""
    rows = connection.execute(
        select(blobs.c.sha256, blobs.c.size_bytes)
        .where(blobs.c.sha256 > after, _is_expired(connection, now))
        .order_by(blobs.c.sha256)
        .limit(limit)
    )
    return [Expired(Sha256(sha256), size_bytes) for sha256, size_bytes in rows]


def purge(connection: Connection, digests: Collection[Sha256], *, now: datetime) -> set[Sha256]:
    """
    Note that bytes are given up, as far as nothing keeps them; return which.

    The store may remove them after the commit: until then they are named.
    """
    done = connection.execute(
        update(blobs)
        .where(blobs.c.sha256.in_(digests), _is_expired(connection, now))
        .values(purged_at=now)
        .returning(blobs.c.sha256)
    )
    return {Sha256(sha256) for sha256 in done.scalars()}


def is_deleted(connection: Connection, digest: Sha256) -> bool:
    """Tell whether all files that these bytes are, or are the core metadata of, are deleted."""
    return (
        connection.execute(select(blobs.c.sha256).where(blobs.c.sha256 == digest, _is_unneeded())).first() is not None
    )


def purge_lost(connection: Connection, digest: Sha256, *, now: datetime) -> bool:
    """Note that the bytes of deleted files are lost before their time; tell whether all their files are deleted."""
    condition = (blobs.c.sha256 == digest, _is_unneeded())
    return connection.execute(update(blobs).where(*condition).values(purged_at=now)).rowcount > 0


def wrong_sizes(connection: Connection) -> list[WrongSize]:
    """Return the projects and indexes whose size is wrong."""
    counted = func.coalesce(func.sum(blobs.c.size_bytes), 0)
    live = and_(files.c.release_id == releases.c.id, files.c.deleted_at.is_(None))
    rows = connection.execute(
        select(
            owners.c.name,
            indexes.c.name,
            projects.c.name,
            indexes.c.id,
            projects.c.id,
            projects.c.size_bytes,
            counted,
        )
        .select_from(projects)
        .join(indexes, indexes.c.id == projects.c.index_id)
        .join(owners, owners.c.id == indexes.c.owner_id)
        .join(releases, releases.c.project_id == projects.c.id, isouter=True)
        .join(files, live, isouter=True)
        .join(blobs, blobs.c.sha256 == files.c.sha256, isouter=True)
        .group_by(owners.c.name, owners.c.name_key, indexes.c.name, indexes.c.id, projects.c.id)
        .order_by(owners.c.name_key, indexes.c.name, projects.c.name)
    ).all()
    of_projects = [
        WrongSize(f"{owner}/{index} {project}", index_id, project_id, kept, int(real))
        for owner, index, project, index_id, project_id, kept, real in rows
    ]
    totals: dict[int, int] = {}
    for each in of_projects:
        totals[each.index_id] = totals.get(each.index_id, 0) + each.counted
    of_indexes = [
        WrongSize(f"{owner}/{index}", index_id, None, kept, totals.get(index_id, 0))
        for owner, index, index_id, kept in connection.execute(
            select(owners.c.name, indexes.c.name, indexes.c.id, indexes.c.size_bytes).join(
                owners, owners.c.id == indexes.c.owner_id
            )
        )
    ]
    return [each for each in [*of_indexes, *of_projects] if each.kept != each.counted]


def mend_sizes(connection: Connection) -> list[WrongSize]:
    """Set what is wrong right; return what was."""
    found = wrong_sizes(connection)
    for wrong in found:
        if wrong.project_id is None:
            where = update(indexes).where(indexes.c.id == wrong.index_id)
        else:
            where = update(projects).where(projects.c.id == wrong.project_id)
        connection.execute(where.values(size_bytes=wrong.counted))
    return found


def _is_expired(connection: Connection, now: datetime) -> ColumnElement[bool]:
    return _is_unneeded(*_within_retention(connection, now))


def _is_unneeded(*kept_too: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition for bytes that are there by the catalog, though only for files that nobody keeps."""
    kept = or_(files.c.deleted_at.is_(None), *kept_too)
    # Two questions instead of one with "or": each has an index to go by.
    named = [
        exists().where(column == blobs.c.sha256, kept) for column in (files.c.sha256, files.c.core_metadata_sha256)
    ]
    return and_(blobs.c.purged_at.is_(None), ~named[0], ~named[1])


def _within_retention(connection: Connection, now: datetime) -> list[ColumnElement[bool]]:
    """Return a condition for each length of retention: files of these indexes, deleted not longer ago."""
    by_days: dict[int, list[int]] = {}
    for index_id, text in connection.execute(select(indexes.c.id, indexes.c.rules)):
        days = msgspec.json.decode(text, type=IndexRules).retention_days
        by_days.setdefault(days, []).append(index_id)
    return [
        and_(files.c.index_id.in_(ids), files.c.deleted_at >= now - timedelta(days=days))
        for days, ids in by_days.items()
    ]
