"""What the rules of an index ask the catalog about projects and releases that are there."""

from __future__ import annotations

from datetime import datetime

from packaging.utils import NormalizedName
from sqlalchemy import Connection, bindparam, select

from pypiserve.catalog.prepared import Prepared
from pypiserve.catalog.schema import files, indexes, projects, releases

__all__ = [
    "beginning_of_release",
    "name_that_looks_like",
    "nth_last_beginning",
    "other_sdist",
    "size_of_index",
    "size_of_project",
]

_LIKE = Prepared(
    select(projects.c.name)
    .where(projects.c.index_id == bindparam("index"), projects.c.look == bindparam("like"))
    .order_by(projects.c.name)
    .limit(1)
)


def size_of_project(connection: Connection, project_id: int) -> int:
    """Return the size of a project's files in bytes."""
    size: int = connection.execute(select(projects.c.size_bytes).where(projects.c.id == project_id)).scalar_one()
    return size


def size_of_index(connection: Connection, index_id: int) -> int:
    """Return the size of an index's files in bytes."""
    size: int = connection.execute(select(indexes.c.size_bytes).where(indexes.c.id == index_id)).scalar_one()
    return size


def beginning_of_release(connection: Connection, project_id: int, version_key: str) -> datetime | None:
    """Return when the first file of a release was published; ``None`` when there is no such release."""
    moment: datetime | None = connection.execute(
        select(releases.c.created_at).where(
            releases.c.project_id == project_id, releases.c.version_key == version_key
        )
    ).scalar_one_or_none()
    return moment


def other_sdist(connection: Connection, project_id: int, *, version_key: str, filename: str) -> str | None:
    """Return an sdist of a release, not deleted, that has another name than this one."""
    name: str | None = connection.execute(
        select(files.c.filename)
        .join(releases, releases.c.id == files.c.release_id)
        .where(
            releases.c.project_id == project_id,
            releases.c.version_key == version_key,
            files.c.kind == "sdist",
            files.c.deleted_at.is_(None),
            files.c.filename_key != filename.casefold(),
        )
        .limit(1)
    ).scalar_one_or_none()
    return name


def name_that_looks_like(connection: Connection, index_id: int, look: str) -> NormalizedName | None:
    """Return the project of an index that looks like this; ``None`` when none does."""
    name: NormalizedName | None = _LIKE.value(connection, index=index_id, like=look)
    return name


def nth_last_beginning(
    connection: Connection, index_id: int, *, subject: str, number: int, since: datetime
) -> datetime | None:
    """Return when a subject began its last but ``number - 1`` project in an index; ``None`` for fewer since then."""
    moment: datetime | None = connection.execute(
        select(projects.c.created_at)
        .where(projects.c.created_by == subject, projects.c.created_at > since, projects.c.index_id == index_id)
        .order_by(projects.c.created_at.desc())
        .offset(number - 1)
        .limit(1)
    ).scalar_one_or_none()
    return moment
