"""What only the legacy interfaces ask for: more digests of files, and the journal of one index."""

from __future__ import annotations

from packaging.utils import NormalizedName
from sqlalchemy import Connection, select

from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.schema import events, files, projects, releases
from pypiserve.core.events import Event, EventKind

__all__ = ["digests_of", "index_events_since"]

_KINDS = tuple(kind.value for kind in EventKind if kind.changes_pages)


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


def index_events_since(connection: Connection, index: IndexRecord, serial: int, *, limit: int) -> list[Event]:
    """Return the events for files, releases and projects of an index after a serial, in order."""
    rows = connection.execute(
        select(events)
        .where(
            events.c.serial > serial,
            events.c.owner == index.owner,
            events.c.index_name == index.name,
            events.c.kind.in_(_KINDS),
        )
        .order_by(events.c.serial)
        .limit(limit)
    )
    return [
        Event(
            row.serial,
            row.at,
            EventKind(row.kind),
            row.subject,
            project=row.project,
            version=row.version,
            filename=row.filename,
            detail=row.detail,
        )
        for row in rows
    ]
