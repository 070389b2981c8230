"""What readers see of an index: the project list and the project pages, as models."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.utils import NormalizedName

from pypiserve.catalog import projects
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.projects import FileRecord
from pypiserve.core.addresses import Addresses
from pypiserve.core.errors import NotFound
from pypiserve.core.filenames import FileKind
from pypiserve.core.model import ProjectDetail, ProjectFile, ProjectList
from pypiserve.core.project_patterns import Reach
from pypiserve.core.versions import sort_versions
from pypiserve.plugin import ReadPolicy
from pypiserve.services.access import refusal_to_show

__all__ = ["Listing", "as_project_file"]


class Listing:
    """Builds the models that renderers write, from the catalog."""

    def __init__(self, database: Database, addresses: Addresses, read_policies: Sequence[ReadPolicy]) -> None:
        self._database = database
        self._addresses = addresses
        self._read_policies = tuple(read_policies)

    async def project_list(self, index: IndexRecord, reach: Reach) -> ProjectList:
        """Return the projects of an index that have files and may be read."""

        def work(connection: Connection) -> ProjectList:
            names = projects.list_projects(connection, index.id)
            if reach.everything:
                return ProjectList(tuple(names), projects.last_serial_of(connection, index.id, reach))
            shown = tuple(project for project in names if reach.covers(project.name))
            # Of the rest not even the serial: it would tell that something was published.
            return ProjectList(shown, max((project.last_serial for project in shown), default=0))

        return await self._database.read(work)

    async def project_detail(self, index: IndexRecord, name: NormalizedName) -> ProjectDetail:
        """
        Return a project with the files that may be seen, sorted by version and file name.

        Raises:
            NotFound: The index has no such project.
        """
        contents = await self._database.read(lambda connection: projects.load_project(connection, index.id, name))
        if contents is None:
            raise NotFound(f"The project {name} in {index.path}")
        status = contents.project.status
        versions = sort_versions(contents.versions)
        position = {version: number for number, version in enumerate(versions)}
        records = sorted(contents.files, key=lambda file: (position[file.version], file.filename))
        files = (as_project_file(self._addresses, index, record) for record in records)
        return ProjectDetail(
            name=name,
            versions=tuple(versions),
            files=tuple(
                file for file in files if refusal_to_show(self._read_policies, index, status, name, file) is None
            ),
            last_serial=contents.project.last_serial,
            status=status,
            status_reason=contents.project.status_reason,
        )


def as_project_file(addresses: Addresses, index: IndexRecord, file: FileRecord) -> ProjectFile:
    """Return the file as renderers and read policies see it."""
    # Of wheels only: what an sdist says may be dynamic, and pip takes what is advertised for the last word.
    is_wheel = file.kind is FileKind.WHEEL
    return ProjectFile(
        filename=file.filename,
        url=addresses.file(index.owner, index.name, file.project, version=file.version, filename=file.filename),
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        uploaded_at=file.uploaded_at,
        requires_python=file.requires_python,
        core_metadata_sha256=file.core_metadata_sha256 if is_wheel else None,
        yanked=file.yanked,
        yanked_reason=file.yanked_reason,
    )
