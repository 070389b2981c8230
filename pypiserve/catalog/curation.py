"""Yanks, deletions, restorations and project status: rows are marked, and one event tells of each change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from packaging.utils import NormalizedName
from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from pypiserve.catalog import journal
from pypiserve.catalog.files import resize
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.projects import ProjectRecord, find_project, within
from pypiserve.catalog.schema import blobs, files, projects, releases
from pypiserve.core.events import Actor, EventKind
from pypiserve.core.model import ProjectStatus
from pypiserve.core.project_patterns import Reach

__all__ = [
    "DeletedFile",
    "Scope",
    "count_deleted",
    "deleted_files",
    "files_of",
    "find_scope",
    "mark_deleted",
    "mark_restored",
    "mark_yanked",
    "sdists_in",
    "set_status",
]


@dataclass(frozen=True)
class Scope:
    """
    What a change is about: a project, one of its releases, or one of its files.

    Attributes:
        release_id: Of the release, or of the file's; ``None`` for the whole project.
        version: As first published; ``None`` for the whole project.
        filename: ``None`` for a release or the whole project.
    """

    index: IndexRecord
    project: ProjectRecord
    release_id: int | None = None
    version: str | None = None
    filename: str | None = None

    @property
    def what(self) -> str:
        """The word with which the kinds of its events begin."""
        return "file" if self.filename is not None else "release" if self.version is not None else "project"

    @property
    def holds(self) -> ColumnElement[bool]:
        """Whether a row of ``files`` belongs to it."""
        of_project = select(releases.c.id).where(releases.c.project_id == self.project.id)
        if self.release_id is None:
            return files.c.release_id.in_(of_project)
        here = files.c.release_id == self.release_id
        return here if self.filename is None else here & (files.c.filename == self.filename)


@dataclass(frozen=True)
class DeletedFile:
    """
    A file that was deleted.

    Attributes:
        index_id: Where it was.
        display_name: The project's name as first published.
        is_purged: Whether its bytes are gone.
    """

    id: int
    index_id: int
    project: NormalizedName
    display_name: str
    version: str
    filename: str
    size_bytes: int
    sha256: str
    deleted_at: datetime
    is_purged: bool


def find_scope(
    connection: Connection,
    index: IndexRecord,
    project: NormalizedName,
    *,
    version_key: str | None = None,
    filename: str | None = None,
) -> Scope | None:
    """Look a project, a release (by version) or a file (by version and name) up, deleted ones included."""
    found = find_project(connection, index.id, project)
    if found is None or version_key is None:
        return None if found is None else Scope(index, found)
    release = connection.execute(
        select(releases.c.id, releases.c.version).where(
            releases.c.project_id == found.id, releases.c.version_key == version_key
        )
    ).one_or_none()
    if release is None:
        return None
    scope = Scope(index, found, release.id, release.version, filename)
    known = connection.execute(select(files.c.id).where(scope.holds).limit(1)).one_or_none()
    return None if known is None else scope


def mark_yanked(
    connection: Connection, scope: Scope, *, yanked: bool, reason: str | None, by: Actor, now: datetime
) -> bool:
    """Yank or unyank all files of a scope that are not deleted; tell whether there is one."""
    done = connection.execute(
        update(files)
        .where(scope.holds, files.c.deleted_at.is_(None))
        .values(yanked=yanked, yanked_reason=reason if yanked else None)
    )
    if done.rowcount == 0:
        return False
    verb = "yanked" if yanked else "unyanked"
    _tell(connection, scope, EventKind(f"{scope.what}.{verb}"), by=by, now=now, detail=reason or "")
    return True


def mark_deleted(connection: Connection, scope: Scope, *, by: Actor, now: datetime) -> list[str]:
    """Mark all files of a scope as deleted, at one moment; return their names. Rows and names stay."""
    live = connection.execute(
        select(files.c.id, files.c.filename, blobs.c.size_bytes)
        .join(blobs, blobs.c.sha256 == files.c.sha256)
        .where(scope.holds, files.c.deleted_at.is_(None))
        .order_by(files.c.filename)
    ).all()
    if not live:
        return []
    connection.execute(update(files).where(scope.holds, files.c.deleted_at.is_(None)).values(deleted_at=now))
    resize(connection, scope.index.id, scope.project.id, -sum(row.size_bytes for row in live))
    _tell(connection, scope, EventKind(f"{scope.what}.deleted"), by=by, now=now)
    return [row.filename for row in live]


def mark_restored(
    connection: Connection, scope: Scope, chosen: Sequence[DeletedFile], *, by: Actor, now: datetime
) -> None:
    """Take the mark off files that ``deleted_files`` found; their bytes must be there."""
    at_once = {file.deleted_at for file in chosen}
    # By the moment and not by a list of keys, which has no bound.
    connection.execute(
        update(files).where(scope.holds, files.c.deleted_at.in_(at_once)).values(deleted_at=None),
    )
    resize(connection, scope.index.id, scope.project.id, sum(file.size_bytes for file in chosen))
    _tell(connection, scope, EventKind(f"{scope.what}.restored"), by=by, now=now)


def deleted_files(
    connection: Connection, condition: ColumnElement[bool], *, limit: int | None = None, offset: int = 0
) -> list[DeletedFile]:
    """Return the deleted files that a condition on ``files`` and ``projects`` holds for, last deleted first."""
    metadata_blobs = blobs.alias()
    rows = connection.execute(
        select(
            files.c.id,
            files.c.index_id,
            projects.c.name,
            projects.c.display_name,
            releases.c.version,
            files.c.filename,
            blobs.c.size_bytes,
            files.c.sha256,
            files.c.deleted_at,
            or_(blobs.c.purged_at.is_not(None), metadata_blobs.c.purged_at.is_not(None)).label("is_purged"),
        )
        .join(releases, releases.c.id == files.c.release_id)
        .join(projects, projects.c.id == releases.c.project_id)
        .join(blobs, blobs.c.sha256 == files.c.sha256)
        .join(metadata_blobs, metadata_blobs.c.sha256 == files.c.core_metadata_sha256)
        .where(files.c.deleted_at.is_not(None), condition)
        .order_by(files.c.deleted_at.desc(), files.c.filename)
        .limit(limit)
        .offset(offset)
    )
    return [DeletedFile(*row) for row in rows]


def count_deleted(connection: Connection, condition: ColumnElement[bool]) -> int:
    """Return how many files ``deleted_files`` finds without a limit."""
    counted: int = connection.execute(
        select(func.count())
        .select_from(files)
        .join(releases, releases.c.id == files.c.release_id)
        .join(projects, projects.c.id == releases.c.project_id)
        .where(files.c.deleted_at.is_not(None), condition)
    ).scalar_one()
    return counted


def files_of(reaches: Mapping[int, Reach], project: NormalizedName | None = None) -> ColumnElement[bool]:
    """Return the condition for the files within somebody's reaches in some indexes, or of one project in them."""
    here = files.c.index_id.in_(reaches) & within(reaches)
    return here if project is None else here & (projects.c.name == project)


def sdists_in(connection: Connection, scope: Scope) -> int:
    """Return the greatest number of sdists, not deleted, that a release of a scope has."""
    counts = (
        select(func.count().label("sdists"))
        .select_from(files)
        .where(files.c.kind == "sdist", files.c.deleted_at.is_(None))
        .where(Scope(scope.index, scope.project, scope.release_id, scope.version).holds)
        .group_by(files.c.release_id)
        .subquery()
    )
    return connection.execute(select(func.max(counts.c.sdists))).scalar_one() or 0


def set_status(
    connection: Connection, scope: Scope, *, status: ProjectStatus, reason: str | None, by: Actor, now: datetime
) -> None:
    """Set the status marker of a scope's project."""
    connection.execute(
        update(projects).where(projects.c.id == scope.project.id).values(status=status.value, status_reason=reason)
    )
    _tell(connection, scope, EventKind.PROJECT_STATUS_CHANGED, by=by, now=now, detail=status.value)


def _tell(
    connection: Connection, scope: Scope, kind: EventKind, *, by: Actor, now: datetime, detail: str = ""
) -> None:
    event = by.does(
        kind,
        now,
        owner=scope.index.owner,
        index=scope.index.name,
        project=scope.project.name,
        version=scope.version,
        filename=scope.filename,
        detail=detail,
    )
    serial = journal.append(connection, event).serial
    connection.execute(update(projects).where(projects.c.id == scope.project.id).values(last_serial=serial))
