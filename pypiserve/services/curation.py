"""Yanking and project status. Blocking, outside the event loop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pypiserve.catalog import files, owners, projects
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.projects import ProjectRecord
from pypiserve.core.errors import NotFound
from pypiserve.core.model import ProjectStatus
from pypiserve.core.names import normalise
from pypiserve.core.versions import parse_version, version_key
from pypiserve.services.accounts import OPERATOR, InvalidName

__all__ = ["Curation"]


class Curation:
    """Changes what is said of releases and projects, never their bytes."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def set_yanked(self, index: str, project: str, version: str, *, yanked: bool, reason: str | None = None) -> None:
        """
        Yank or unyank a release. Installers then take it only when it is pinned exactly. Spec: PEP 592.

        Args:
            index: ``owner/index``.
            project: Name in any spelling.
            version: Version in any spelling.
            yanked: Whether the release is yanked from now on.
            reason: One sentence for those who install it, or ``None``.

        Raises:
            NotFound: There is no such index, project or release.
            InvalidUpload: The version is none.
        """
        key = version_key(parse_version(version))

        def work(connection: Connection) -> None:
            where, found = _located(connection, index, project)
            event = files.set_yanked(
                connection,
                where,
                found,
                key,
                yanked=yanked,
                reason=reason,
                subject=OPERATOR,
                now=self._now(),
            )
            if event is None:
                raise NotFound(f"The release {version} of {project} in {index}")

        self._database.write_now(work)

    def set_status(self, index: str, project: str, status: ProjectStatus, *, reason: str | None = None) -> None:
        """
        Mark a project as active, archived, deprecated or quarantined. Spec: PEP 792.

        Raises:
            NotFound: There is no such index or project.
        """

        def work(connection: Connection) -> None:
            where, found = _located(connection, index, project)
            files.set_status(
                connection, where, found, status=status, reason=reason, subject=OPERATOR, now=self._now()
            )

        self._database.write_now(work)


def _located(connection: Connection, index: str, project: str) -> tuple[IndexRecord, ProjectRecord]:
    owner_name, _, index_name = index.partition("/")
    where = owners.find_index(connection, owner_name, index_name)
    if where is None:
        raise NotFound(f"The index {index}")
    try:
        name = normalise(project)
    except ValueError as error:
        raise InvalidName(f"{project!r} is no name of a project: {error}") from None
    found = projects.find_project(connection, where.id, name)
    if found is None:
        raise NotFound(f"The project {project} in {index}")
    return where, found
