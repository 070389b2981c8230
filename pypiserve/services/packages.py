"""What programs read of an index: releases and files, what is deleted, the status of a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from packaging.utils import NormalizedName

from pypiserve.catalog import curation, packages, projects
from pypiserve.catalog.curation import DeletedFile
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.packages import FileFacts, ReleaseRecord
from pypiserve.catalog.projects import ProjectRecord
from pypiserve.core.addresses import Addresses
from pypiserve.core.errors import NotFound
from pypiserve.core.project_patterns import EVERYTHING, Reach
from pypiserve.core.versions import parse_version, sort_versions, version_key
from pypiserve.plugin import ReadPolicy
from pypiserve.services.access import refusal_to_show
from pypiserve.services.curation import restorable_until
from pypiserve.services.directory import Permit
from pypiserve.services.listing import as_project_file

__all__ = ["Packages", "Part"]

T = TypeVar("T")


@dataclass(frozen=True)
class Part(Generic[T]):
    """A page of a list, and how long the whole list is."""

    items: Sequence[T]
    total: int


class Packages:
    """Reads; every index and project that is handed over was found to be readable."""

    def __init__(self, database: Database, addresses: Addresses, read_policies: Sequence[ReadPolicy]) -> None:
        self._database = database
        self._addresses = addresses
        self._read_policies = tuple(read_policies)

    async def releases(
        self, permits: Sequence[Permit], *, query: str, limit: int, offset: int
    ) -> Part[ReleaseRecord]:
        """Return releases of projects that may be read and are not quarantined, newest first."""
        reachable = projects.within(_reaches(permits))

        def work(connection: Connection) -> Part[ReleaseRecord]:
            found = packages.list_releases(connection, reachable, query=query, limit=limit, offset=offset)
            return Part(found, packages.count_releases(connection, reachable, query=query))

        return await self._database.read(work)

    async def versions(self, index: IndexRecord, project: NormalizedName) -> list[ReleaseRecord]:
        """
        Return the releases of a project, newest version first.

        Raises:
            NotFound: The index has no such project.
        """
        here = projects.within({index.id: EVERYTHING})
        found = await self._database.read(
            lambda connection: packages.list_releases(connection, here, project=project)
        )
        if not found:
            raise NotFound(f"The project {project} in {index.path}")
        order = {version: number for number, version in enumerate(sort_versions(each.version for each in found))}
        return sorted(found, key=lambda each: order[each.version], reverse=True)

    async def latest(self, index: IndexRecord, project: NormalizedName) -> ReleaseRecord:
        """
        Return the release of the newest version that is no pre-release; of the newest when all are.

        Raises:
            NotFound: The index has no such project.
        """
        found = await self.versions(index, project)
        return next((each for each in found if not parse_version(each.version).is_prerelease), found[0])

    async def release(self, index: IndexRecord, project: NormalizedName, version: str) -> ReleaseRecord:
        """
        Return one release, by its version in any spelling.

        Raises:
            NotFound: The index has no such release.
        """
        key = version_key(parse_version(version))
        for found in await self.versions(index, project):
            if version_key(parse_version(found.version)) == key:
                return found
        raise NotFound(f"The release {version} of {project} in {index.path}")

    async def files(self, index: IndexRecord, project: NormalizedName, version: str) -> list[FileFacts]:
        """
        Return the files of a release that may be seen, by name.

        Raises:
            NotFound: The index has no such release.
        """
        key = version_key(parse_version(version))
        found = await self._database.read(
            lambda connection: packages.files_of_release(connection, index.id, project, key)
        )
        if found is None:
            raise NotFound(f"The release {version} of {project} in {index.path}")
        return [
            facts
            for facts in found.files
            if refusal_to_show(
                self._read_policies,
                index,
                found.project.status,
                project,
                as_project_file(self._addresses, index, facts.record),
            )
            is None
        ]

    async def project(self, index: IndexRecord, project: NormalizedName, *, deleted_too: bool) -> ProjectRecord:
        """
        Return a project.

        Args:
            index: Where.
            project: Its name.
            deleted_too: Whether it may be one of which all files are deleted.

        Raises:
            NotFound: The index has no such project.
        """
        here = projects.within({index.id: EVERYTHING})

        def work(connection: Connection) -> ProjectRecord | None:
            if deleted_too or packages.list_releases(connection, here, project=project, limit=1):
                return projects.find_project(connection, index.id, project)
            return None

        found = await self._database.read(work)
        if found is None:
            raise NotFound(f"The project {project} in {index.path}")
        return found

    async def deleted(
        self, permits: Sequence[Permit], *, project: NormalizedName | None, limit: int, offset: int
    ) -> Part[tuple[IndexRecord, DeletedFile, datetime]]:
        """Return deleted files within the reach, last deleted first, each with the end of its retention."""
        by_id = {permit.index.id: permit.index for permit in permits}
        condition = curation.files_of(_reaches(permits), project)

        def work(connection: Connection) -> Part[DeletedFile]:
            found = curation.deleted_files(connection, condition, limit=limit, offset=offset)
            return Part(found, curation.count_deleted(connection, condition))

        part = await self._database.read(work)
        homes = [(by_id[file.index_id], file) for file in part.items]
        return Part([(home, file, restorable_until(home, file.deleted_at)) for home, file in homes], part.total)


def _reaches(permits: Sequence[Permit]) -> dict[int, Reach]:
    return {permit.index.id: permit.reach for permit in permits}
