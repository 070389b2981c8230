"""``/api/v1/packages/…``: what is published, as Gitea's interface tells it, and deleting it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pypiserve.catalog import curation
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.packages import FileFacts, ReleaseRecord
from pypiserve.core.errors import NotFound
from pypiserve.core.identity import Action
from pypiserve.services.directory import Permit
from pypiserve.web.api import ApiHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import requires
from pypiserve.web.shapes import (
    DeletedFile,
    Package,
    PackageFile,
    PackageQuery,
    PageQuery,
    Party,
    Problem,
    ProjectQuery,
)
from pypiserve.web.simple import project_name

__all__ = [
    "FileHandler",
    "FilesHandler",
    "LatestHandler",
    "OwnerHandler",
    "PackageHandler",
    "ProjectHandler",
    "ReleaseHandler",
]


class PackageHandler(ApiHandler):
    """Writes packages: Gitea's word for the release of a project."""

    def package(self, release: ReleaseRecord) -> Package:
        """Write a release."""
        owner = self.owner_name()
        return Package(
            id=release.id,
            owner=Party(login=owner, username=owner),
            repository=None,
            creator=Party(login=release.created_by, username=release.created_by),
            type=release.index,
            name=release.project,
            version=release.version,
            html_url=self.site.addresses.project(owner, release.index, release.project),
            created_at=release.created_at,
        )

    def owner_name(self) -> str:
        """Return the owner as written when it was made."""
        return self.index.owner

    async def send_deleted(self, permits: Sequence[Permit], project: str | None = None) -> None:
        """Send the deleted files within the reach of permits, or of one project in it."""
        query = self.read_query(PageQuery)
        page, limit = query.page, query.length
        name = None if project is None else project_name(project)
        found = await self.site.packages.deleted(permits, project=name, limit=limit, offset=(page - 1) * limit)
        self.set_page_headers(page, limit, found.total)
        self.send_json([_deleted(index, file, until) for index, file, until in found.items])


class OwnerHandler(PackageHandler):
    """The releases of all indexes of an owner that the identity may read."""

    permits: Sequence[Permit] = ()

    async def authorise(self, action: Action) -> None:
        """Find the indexes in which the identity may do this."""
        await self.identify()
        self.permits = await self.site.directory.authorise_any(self.identity, action, owner=self._named.owner)

    def owner_name(self) -> str:
        """Return the owner as written when it was made."""
        return self.permits[0].index.owner

    @requires(Action.READ)
    @operation(list[Package], otherwise=list[DeletedFile], query=PackageQuery)
    async def get(self) -> None:
        """Send a page of the list, newest first; or of what is deleted."""
        query = self.read_query(PackageQuery)
        if query.deleted:
            await self.authorise(Action.DELETE)
        chosen = [permit for permit in self.permits if not query.type or permit.index.name == query.type]
        if query.deleted:
            await self.send_deleted(chosen)
            return
        page, limit = query.page, query.length
        found = await self.site.packages.releases(
            chosen, query=query.q.lower(), limit=limit, offset=(page - 1) * limit
        )
        self.set_page_headers(page, limit, found.total)
        self.send_json([self.package(release) for release in found.items])

    head = get


class ProjectHandler(PackageHandler):
    """A project: its releases; deleting all of them."""

    @requires(Action.READ)
    @operation(list[Package], otherwise=list[DeletedFile], query=ProjectQuery)
    async def get(self, project: str) -> None:
        """Send the releases, newest version first; or what is deleted."""
        if self.read_query(ProjectQuery).deleted:
            await self.authorise(Action.DELETE)
            await self.send_deleted([self.permit], project)
            return
        found = await self.site.packages.versions(self.index, project_name(project))
        self.send_json([self.package(release) for release in found])

    head = get

    @requires(Action.DELETE)
    @operation()
    async def delete(self, project: str) -> None:
        """Delete the project."""
        await self.change(self.curation.delete(self.target(project)))
        self.send_nothing()


class LatestHandler(PackageHandler):
    """The newest release of a project."""

    @requires(Action.READ)
    @operation(Package)
    async def get(self, project: str) -> None:
        """Send the newest version that is not a pre-release, or the newest of all when there is none."""
        self.send_json(self.package(await self.site.packages.latest(self.index, project_name(project))))

    head = get


class ReleaseHandler(PackageHandler):
    """One release; deleting it."""

    @requires(Action.READ)
    @operation(Package)
    async def get(self, project: str, version: str) -> None:
        """Send the release."""
        name = project_name(project)
        found = await self.site.packages.release(self.index, name, self.known_version(version))
        self.send_json(self.package(found))

    head = get

    @requires(Action.DELETE)
    @operation()
    async def delete(self, project: str, version: str) -> None:
        """Delete the release."""
        await self.change(self.curation.delete(self.target(project, version)))
        self.send_nothing()


class FilesHandler(ApiHandler):
    """The files of a release."""

    @requires(Action.READ)
    @operation(list[PackageFile])
    async def get(self, project: str, version: str) -> None:
        """Send them by name."""
        name = project_name(project)
        found = await self.site.packages.files(self.index, name, self.known_version(version))
        self.send_json([_file(facts) for facts in found])

    head = get


class FileHandler(ApiHandler):
    """One file; deleting it."""

    @requires(Action.READ)
    @operation(PackageFile)
    async def get(self, project: str, version: str, filename: str) -> None:
        """Send the file's description."""
        name = project_name(project)
        for facts in await self.site.packages.files(self.index, name, self.known_version(version)):
            if facts.record.filename == filename:
                self.send_json(_file(facts))
                return
        raise NotFound(f"The file {filename} of {name} {version} in {self.index.path}")

    head = get

    @requires(Action.DELETE)
    @operation()
    async def delete(self, project: str, version: str, filename: str) -> None:
        """Delete the file."""
        await self.change(self.curation.delete(self.target(project, version, filename)))
        self.send_nothing()


def _file(facts: FileFacts) -> PackageFile:
    record = facts.record
    return PackageFile(
        id=facts.id,
        size=record.size_bytes,
        name=record.filename,
        md5=facts.md5,
        sha1=None,
        sha256=record.sha256,
        sha512=None,
        blake2b_256=facts.blake2b_256,
        requires_python=record.requires_python,
        uploaded_at=record.uploaded_at,
        yanked=record.yanked,
        yanked_reason=record.yanked_reason,
        warnings=[Problem(code=each.code, message=each.message) for each in facts.warnings],
    )


def _deleted(index: IndexRecord, file: curation.DeletedFile, until: datetime) -> DeletedFile:
    return DeletedFile(
        type=index.name,
        name=file.project,
        version=file.version,
        filename=file.filename,
        size=file.size_bytes,
        sha256=file.sha256,
        deleted_at=file.deleted_at,
        restorable_until=None if file.is_purged else until,
    )
