"""What only the legacy interfaces ask for: more digests of files, and the journal of one index."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, or_, select

from pypiserve.catalog.owners import IndexRecord, owner_names_of
from pypiserve.catalog.schema import events, files, indexes, projects, releases
from pypiserve.core.events import Event, EventKind
from pypiserve.core.model import ProjectStatus

__all__ = [
    "JournalEntry",
    "NewProject",
    "digests_of",
    "index_events_since",
    "names_with",
    "newest_projects",
    "sizes_of",
]

_KINDS = tuple(kind.value for kind in EventKind if kind.changes_pages)


@dataclass(frozen=True)
class JournalEntry:
    """
    An event of an index.

    Attributes:
        begins_project: Whether it made the project.
        begins_release: Whether it made the release.
    """

    event: Event
    begins_project: bool
    begins_release: bool


@dataclass(frozen=True)
class NewProject:
    """A project and when its first file was published."""

    name: NormalizedName
    display_name: str
    created_at: datetime


def digests_of(connection: Connection, index_id: int, name: NormalizedName) -> dict[str, dict[str, str]]:
    """Return the known digests ``md5`` and ``blake2b_256`` of each file of a project, by file name."""
    rows = connection.execute(
        select(files.c.filename, files.c.md5, files.c.blake2b_256)
        .join(releases, releases.c.id == files.c.release_id)
        .join(projects, projects.c.id == releases.c.project_id)
        .where(projects.c.index_id == index_id, projects.c.name == name, files.c.deleted_at.is_(None))
    )
    return {
        row.filename: {
            algorithm: digest
            for algorithm, digest in (("blake2b_256", row.blake2b_256), ("md5", row.md5))
            if digest is not None
        }
        for row in rows
    }


def index_events_since(connection: Connection, index: IndexRecord, serial: int, *, limit: int) -> list[JournalEntry]:
    """Return the events for files, releases and projects of an index after a serial, in order."""
    # A project or a release was made at the very time of the event that tells of its first file.
    rows = connection.execute(
        select(events, projects.c.created_at.label("project_began"), releases.c.created_at.label("release_began"))
        .outerjoin(projects, and_(projects.c.index_id == index.id, projects.c.name == events.c.project))
        .outerjoin(releases, and_(releases.c.project_id == projects.c.id, releases.c.version == events.c.version))
        .where(
            events.c.serial > serial,
            events.c.owner.in_(owner_names_of(index.owner_id)),
            events.c.index_name == index.name,
            events.c.kind.in_(_KINDS),
        )
        .order_by(events.c.serial)
        .limit(limit)
    )
    return [_entry(row) for row in rows]


def names_with(
    connection: Connection, index_id: int, terms: Collection[str], *, every: bool, limit: int
) -> list[NormalizedName]:
    """
    Return the names of projects that have a file and are not quarantined, by name.

    Args:
        connection: Of the catalog.
        index_id: Where.
        terms: What the names have in them, normalised; not empty.
        every: Whether all the terms must be there, instead of one.
        limit: How many at most.
    """
    matches = [projects.c.name.contains(term, autoescape=True) for term in terms]
    rows = connection.execute(
        select(projects.c.name)
        .where(_listed(index_id), and_(*matches) if every else or_(*matches))
        .order_by(projects.c.name)
        .limit(limit)
    )
    return list(rows.scalars())


def newest_projects(connection: Connection, index_id: int, *, limit: int) -> list[NewProject]:
    """Return the projects that have a file and are not quarantined, newest first."""
    rows = connection.execute(
        select(projects.c.name, projects.c.display_name, projects.c.created_at)
        .where(_listed(index_id))
        .order_by(projects.c.created_at.desc(), projects.c.id.desc())
        .limit(limit)
    )
    return [NewProject(*row) for row in rows]


def sizes_of(connection: Connection, index_id: int, *, limit: int) -> tuple[int, dict[NormalizedName, int]]:
    """Return the bytes of all files of an index that are not deleted, and those of its largest listed projects."""
    total: int = connection.execute(select(indexes.c.size_bytes).where(indexes.c.id == index_id)).scalar_one()
    rows = connection.execute(
        select(projects.c.name, projects.c.size_bytes)
        .where(_listed(index_id))
        .order_by(projects.c.size_bytes.desc(), projects.c.name)
        .limit(limit)
    )
    return total, {row.name: row.size_bytes for row in rows}


def _listed(index_id: int) -> ColumnElement[bool]:
    has_file = exists().where(
        files.c.release_id == releases.c.id, releases.c.project_id == projects.c.id, files.c.deleted_at.is_(None)
    )
    return and_(projects.c.index_id == index_id, projects.c.status != ProjectStatus.QUARANTINED.value, has_file)


def _entry(row: Row[Any]) -> JournalEntry:
    event = Event(
        row.serial,
        row.at,
        EventKind(row.kind),
        row.subject,
        project=row.project,
        version=row.version,
        filename=row.filename,
        detail=row.detail,
    )
    is_first = event.kind is EventKind.FILE_PUBLISHED
    return JournalEntry(
        event,
        begins_project=is_first and row.project_began == row.at,
        begins_release=is_first and row.release_began == row.at,
    )
