"""What only the legacy interfaces ask for: more digests of files, and the journal of one index."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, or_, select, true

from pypiserve.catalog.owners import IndexRecord, owner_names_of
from pypiserve.catalog.projects import within
from pypiserve.catalog.schema import events, files, indexes, projects, releases
from pypiserve.core.events import Event, EventKind
from pypiserve.core.model import ProjectStatus
from pypiserve.core.project_patterns import Reach

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


def index_events_since(
    connection: Connection, index: IndexRecord, reach: Reach, serial: int, *, limit: int
) -> list[JournalEntry]:
    """Return the events for files, releases and projects within a reach in an index after a serial, in order."""
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
            # Here, and not in what was found: a whole batch might be out of reach, and none would come after it.
            true() if reach.everything else within({index.id: reach}),
        )
        .order_by(events.c.serial)
        .limit(limit)
    )
    return [_entry(row) for row in rows]


def names_with(
    connection: Connection, index_id: int, reach: Reach, terms: Collection[str], *, every: bool, limit: int
) -> list[NormalizedName]:
    """
    Return the names of projects that have a file and are not quarantined, by name.

    Args:
        connection: Of the catalog.
        index_id: Where.
        reach: Which of them.
        terms: What the names have in them, normalised; not empty.
        every: Whether all the terms must be there, instead of one.
        limit: How many at most.
    """
    matches = [projects.c.name.contains(term, autoescape=True) for term in terms]
    rows = connection.execute(
        select(projects.c.name)
        .where(_listed(index_id, reach), and_(*matches) if every else or_(*matches))
        .order_by(projects.c.name)
        .limit(limit)
    )
    return list(rows.scalars())


def newest_projects(connection: Connection, index_id: int, reach: Reach, *, limit: int) -> list[NewProject]:
    """Return the projects of a reach that have a file and are not quarantined, newest first."""
    rows = connection.execute(
        select(projects.c.name, projects.c.display_name, projects.c.created_at)
        .where(_listed(index_id, reach))
        .order_by(projects.c.created_at.desc(), projects.c.id.desc())
        .limit(limit)
    )
    return [NewProject(*row) for row in rows]


def sizes_of(
    connection: Connection, index_id: int, reach: Reach, *, limit: int
) -> tuple[int, dict[NormalizedName, int]]:
    """Return the bytes of all files within a reach that are not deleted, and those of its largest listed projects."""
    if reach.everything:
        size = select(indexes.c.size_bytes).where(indexes.c.id == index_id)
    else:
        size = select(func.coalesce(func.sum(projects.c.size_bytes), 0)).where(within({index_id: reach}))
    total: int = connection.execute(size).scalar_one()
    rows = connection.execute(
        select(projects.c.name, projects.c.size_bytes)
        .where(_listed(index_id, reach))
        .order_by(projects.c.size_bytes.desc(), projects.c.name)
        .limit(limit)
    )
    return total, {row.name: row.size_bytes for row in rows}


def _listed(index_id: int, reach: Reach) -> ColumnElement[bool]:
    has_file = exists().where(
        files.c.release_id == releases.c.id, releases.c.project_id == projects.c.id, files.c.deleted_at.is_(None)
    )
    return and_(within({index_id: reach}), projects.c.status != ProjectStatus.QUARANTINED.value, has_file)


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
