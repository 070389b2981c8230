"""Projects and their files as readers see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, case, exists, func, select

from pypiserve.catalog.prepared import Prepared
from pypiserve.catalog.schema import blobs, files, projects, releases
from pypiserve.core.digests import Sha256
from pypiserve.core.filenames import FileKind
from pypiserve.core.model import ProjectName, ProjectStatus
from pypiserve.core.project_patterns import Reach

__all__ = [
    "FileRecord",
    "ProjectContents",
    "ProjectRecord",
    "file_of",
    "find_project",
    "last_serial_of",
    "list_projects",
    "load_project",
    "within",
]


@dataclass(frozen=True)
class ProjectRecord:
    """One project of an index."""

    id: int
    name: NormalizedName
    display_name: str
    status: ProjectStatus
    status_reason: str | None
    last_serial: int


@dataclass(frozen=True)
class FileRecord:
    """One published file of a project."""

    project: NormalizedName
    version: str
    filename: str
    kind: FileKind
    sha256: Sha256
    size_bytes: int
    core_metadata_sha256: Sha256
    core_metadata_size_bytes: int
    requires_python: str | None
    uploaded_at: datetime
    yanked: bool
    yanked_reason: str | None


@dataclass(frozen=True)
class ProjectContents:
    """A project with all that its page shows; versions and files are in no order."""

    project: ProjectRecord
    versions: tuple[str, ...]
    files: tuple[FileRecord, ...]


_metadata_blobs = blobs.alias("metadata_blobs")

_PROJECT = Prepared(
    select(
        projects.c.id,
        projects.c.name,
        projects.c.display_name,
        projects.c.status,
        projects.c.status_reason,
        projects.c.last_serial,
    ).where(projects.c.index_id == bindparam("index"), projects.c.name == bindparam("named"))
)


def find_project(connection: Connection, index_id: int, name: NormalizedName) -> ProjectRecord | None:
    """Look a project up by its normalised name."""
    row = _PROJECT.row(connection, index=index_id, named=name)
    if row is None:
        return None
    project_id, found, display_name, status, status_reason, last_serial = row
    return ProjectRecord(project_id, found, display_name, ProjectStatus(status), status_reason, last_serial)


def within(reaches: Mapping[int, Reach]) -> ColumnElement[bool]:
    """Return the condition for the projects of some indexes, by their keys, that somebody's reach has."""
    whole = [index_id for index_id, reach in reaches.items() if reach.everything]
    conditions: list[ColumnElement[bool]] = [projects.c.index_id.in_(whole)]
    for index_id, reach in reaches.items():
        for granted, scoped in sorted(reach.parts):
            conditions.append((projects.c.index_id == index_id) & _like(granted) & _like(scoped))
    if len(conditions) == 1:
        return conditions[0]
    # Not a chain of OR: one of a thousand is deeper than SQLite reads.
    return projects.c.index_id.in_(list(reaches)) & (case(*((each, 1) for each in conditions), else_=0) == 1)


def _like(pattern: str) -> ColumnElement[bool]:
    # Neither patterns nor normalised names have characters that mean something else to LIKE.
    return projects.c.name.like(pattern.replace("*", "%"))


def list_projects(connection: Connection, index_id: int) -> list[ProjectName]:
    """Return the projects of an index that have a file and are not quarantined, by name."""
    has_file = exists(
        select(files.c.id)
        .join(releases, releases.c.id == files.c.release_id)
        .where(releases.c.project_id == projects.c.id, files.c.deleted_at.is_(None))
    )
    rows = connection.execute(
        select(projects.c.name, projects.c.last_serial)
        .where(
            projects.c.index_id == index_id,
            projects.c.status != ProjectStatus.QUARANTINED.value,
            has_file,
        )
        .order_by(projects.c.name)
    )
    return [ProjectName(name, serial) for name, serial in rows]


def last_serial_of(connection: Connection, index_id: int, reach: Reach) -> int:
    """Return the serial of the last event for any project of a reach, listed or not; 0 when there is none."""
    greatest = connection.execute(select(func.max(projects.c.last_serial)).where(within({index_id: reach})))
    return greatest.scalar_one() or 0


def load_project(connection: Connection, index_id: int, name: NormalizedName) -> ProjectContents | None:
    """Look a project up with its files that are not deleted, and their versions; ``None`` when it has none."""
    project = find_project(connection, index_id, name)
    if project is None:
        return None
    rows = connection.execute(_file_columns().where(releases.c.project_id == project.id))
    found = tuple(_file(row) for row in rows)
    return ProjectContents(project, tuple({file.version for file in found}), found) if found else None


def file_of(
    connection: Connection, index_id: int, project: NormalizedName, filename: str
) -> tuple[FileRecord, ProjectStatus] | None:
    """Look one file of a project up, with the project's status; deleted files are not found."""
    row = connection.execute(
        _file_columns(projects.c.status).where(
            files.c.index_id == index_id,
            files.c.filename_key == filename.casefold(),
            files.c.filename == filename,
            projects.c.name == project,
        )
    ).one_or_none()
    return None if row is None else (_file(row), ProjectStatus(row.status))


def _file_columns(*more: Any) -> Select[Any]:
    return (
        select(
            projects.c.name.label("project"),
            releases.c.version,
            files.c.filename,
            files.c.kind,
            files.c.sha256,
            blobs.c.size_bytes,
            files.c.core_metadata_sha256,
            _metadata_blobs.c.size_bytes.label("core_metadata_size_bytes"),
            files.c.requires_python,
            files.c.uploaded_at,
            files.c.yanked,
            files.c.yanked_reason,
            *more,
        )
        .join(releases, releases.c.id == files.c.release_id)
        .join(projects, projects.c.id == releases.c.project_id)
        .join(blobs, blobs.c.sha256 == files.c.sha256)
        .join(_metadata_blobs, _metadata_blobs.c.sha256 == files.c.core_metadata_sha256)
        .where(files.c.deleted_at.is_(None))
    )


def _file(row: Row[Any]) -> FileRecord:
    return FileRecord(
        row.project,
        row.version,
        row.filename,
        FileKind(row.kind),
        row.sha256,
        row.size_bytes,
        row.core_metadata_sha256,
        row.core_metadata_size_bytes,
        row.requires_python,
        row.uploaded_at,
        row.yanked,
        row.yanked_reason,
    )
