"""Releases and their files as the interface for programs lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from packaging.utils import NormalizedName
from sqlalchemy import ColumnElement, Connection, Select, exists, func, select

from pypiserve.catalog.projects import FileRecord, ProjectRecord, load_project
from pypiserve.catalog.schema import files, indexes, projects, releases
from pypiserve.core.errors import Problem
from pypiserve.core.model import ProjectStatus

__all__ = ["FileFacts", "ReleaseFiles", "ReleaseRecord", "count_releases", "files_of_release", "list_releases"]


@dataclass(frozen=True)
class ReleaseRecord:
    """
    A release that has a file.

    Attributes:
        index: Name of its index.
        version: As first published.
        created_by: The subject that published its first file.
    """

    id: int
    index: str
    project: NormalizedName
    version: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True)
class FileFacts:
    """What the catalog knows of a file beside its record; ``None`` for what was not kept when it was published."""

    id: int
    record: FileRecord
    md5: str | None
    blake2b_256: str | None
    warnings: tuple[Problem, ...]


@dataclass(frozen=True)
class ReleaseFiles:
    """The files of a release, with its project."""

    project: ProjectRecord
    files: tuple[FileFacts, ...]


def list_releases(
    connection: Connection,
    reachable: ColumnElement[bool],
    *,
    project: NormalizedName | None = None,
    query: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[ReleaseRecord]:
    """
    Return releases that have files, newest first.

    Args:
        connection: Of the catalog.
        reachable: Condition for the projects to look in, as ``projects.within`` makes it.
        project: This one only, quarantined or not; otherwise quarantined ones are left out.
        query: Text that the project's name has in it.
        limit: How many at most.
        offset: How many to leave out before.
    """
    first = (
        select(files.c.uploaded_by)
        .where(files.c.release_id == releases.c.id)
        .order_by(files.c.id)
        .limit(1)
        .scalar_subquery()
    )
    columns = select(releases.c.id, indexes.c.name, projects.c.name, releases.c.version, releases.c.created_at, first)
    chosen = _chosen(columns, reachable, project, query).order_by(releases.c.created_at.desc(), releases.c.id.desc())
    return [ReleaseRecord(*row) for row in connection.execute(chosen.limit(limit).offset(offset))]


def count_releases(connection: Connection, reachable: ColumnElement[bool], *, query: str = "") -> int:
    """Return how many releases ``list_releases`` finds without a limit."""
    counted: int = connection.execute(_chosen(select(func.count()), reachable, None, query)).scalar_one()
    return counted


def files_of_release(
    connection: Connection, index_id: int, project: NormalizedName, version_key: str
) -> ReleaseFiles | None:
    """Return the files of a release, by name; ``None`` when it has none, or is not there."""
    contents = load_project(connection, index_id, project)
    if contents is None:
        return None
    rows = connection.execute(
        select(files.c.id, files.c.filename, files.c.md5, files.c.blake2b_256, files.c.warnings)
        .join(releases, releases.c.id == files.c.release_id)
        .where(
            releases.c.project_id == contents.project.id,
            releases.c.version_key == version_key,
            files.c.deleted_at.is_(None),
        )
        .order_by(files.c.filename)
    )
    records = {record.filename: record for record in contents.files}
    found = tuple(
        FileFacts(
            row.id,
            records[row.filename],
            row.md5,
            row.blake2b_256,
            tuple(msgspec.json.decode(row.warnings, type=list[Problem])),
        )
        for row in rows
    )
    return ReleaseFiles(contents.project, found) if found else None


def _chosen(
    columns: Select[Any], reachable: ColumnElement[bool], project: NormalizedName | None, query: str
) -> Select[Any]:
    has_file = exists().where(files.c.release_id == releases.c.id, files.c.deleted_at.is_(None))
    chosen = (
        columns.select_from(releases)
        .join(projects, projects.c.id == releases.c.project_id)
        .join(indexes, indexes.c.id == projects.c.index_id)
        .where(reachable, has_file)
    )
    if project is not None:
        return chosen.where(projects.c.name == project)
    shown: ColumnElement[bool] = projects.c.status != ProjectStatus.QUARANTINED.value
    return chosen.where(shown, projects.c.name.contains(query, autoescape=True)) if query else chosen.where(shown)
