"""
Feeds of what is new in an index, and its sizes.

What may not be seen is left out, as on the pages.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from packaging.utils import NormalizedName

from pypiserve.catalog import legacy, packages, projects
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.legacy import NewProject
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.packages import ReleaseRecord
from pypiserve.core.addresses import Addresses
from pypiserve.core.errors import NotFound
from pypiserve.core.project_patterns import EVERYTHING, Reach
from pypiserve.core.rss import Feed, Item, write_feed
from pypiserve.services.json_api import JsonApi
from pypiserve.services.pages import Page, make_page

__all__ = ["Feeds"]

_MAX_RELEASES = 100
_MAX_PROJECTS = 40
_MAX_RELEASES_OF_PROJECT = 40
_MAX_LARGEST = 100
_MEDIA_TYPE = "text/xml; charset=utf-8"


class Feeds:
    """
    Writes feeds.

    Every ``origin`` is scheme and host, with which links begin; every ``reach`` is the projects that may be read.
    """

    def __init__(self, database: Database, json_api: JsonApi, addresses: Addresses) -> None:
        self._database = database
        self._json_api = json_api
        self._addresses = addresses

    async def newest_releases(self, index: IndexRecord, reach: Reach, *, origin: str) -> Page:
        """Return the feed of the latest releases of an index."""

        def read(connection: Connection) -> tuple[list[ReleaseRecord], int]:
            found = packages.list_releases(connection, projects.within({index.id: reach}), limit=_MAX_RELEASES)
            return found, projects.last_serial_of(connection, index.id, reach)

        found, serial = await self._database.read(read)
        shown = await self._visible(index, {release.project for release in found})
        items = [
            self._release(index, release, origin)
            for release in found
            if release.version in shown.get(release.project, ())
        ]
        return self._feed(index, "New releases", items, origin=origin, serial=serial)

    async def newest_projects(self, index: IndexRecord, reach: Reach, *, origin: str) -> Page:
        """Return the feed of the newest projects of an index."""

        def read(connection: Connection) -> tuple[list[NewProject], int]:
            found = legacy.newest_projects(connection, index.id, reach, limit=_MAX_PROJECTS)
            return found, projects.last_serial_of(connection, index.id, reach)

        found, serial = await self._database.read(read)
        shown = await self._visible(index, {project.name for project in found})
        items = [self._project(index, project, origin) for project in found if project.name in shown]
        return self._feed(index, "New projects", items, origin=origin, serial=serial)

    async def releases_of(self, index: IndexRecord, name: NormalizedName, *, origin: str) -> Page:
        """
        Return the feed of the latest releases of a project.

        Raises:
            NotFound: The index has no such project, or nothing of it may be seen.
        """
        shown = await self._json_api.find(index, name)
        here = projects.within({index.id: EVERYTHING})
        found = await self._database.read(
            lambda c: packages.list_releases(c, here, project=name, limit=_MAX_RELEASES_OF_PROJECT)
        )
        items = [self._release(index, release, origin) for release in found if release.version in shown.releases]
        title = f"Releases of {shown.project.display_name}"
        return self._feed(index, title, items, origin=origin, serial=shown.project.last_serial)

    async def sizes(self, index: IndexRecord, reach: Reach) -> Page:
        """Return the bytes of all files of an index, and of its largest projects, as JSON."""

        def read(connection: Connection) -> tuple[int, dict[NormalizedName, int], int]:
            found = legacy.sizes_of(connection, index.id, reach, limit=_MAX_LARGEST)
            return *found, projects.last_serial_of(connection, index.id, reach)

        total, largest, serial = await self._database.read(read)
        shown = await self._visible(index, set(largest))
        document = {
            "total_packages_size": total,
            "top_packages": {name: {"size": size} for name, size in largest.items() if name in shown},
        }
        return make_page("application/json", json.dumps(document).encode(), serial)

    async def _visible(self, index: IndexRecord, names: set[NormalizedName]) -> dict[NormalizedName, Sequence[str]]:
        """Return the versions of each project that may be seen, if there are any."""
        visible: dict[NormalizedName, Sequence[str]] = {}
        for name in names:
            try:
                visible[name] = list((await self._json_api.find(index, name)).releases)
            except NotFound:
                continue
        return visible

    def _release(self, index: IndexRecord, release: ReleaseRecord, origin: str) -> Item:
        title = f"{release.project} {release.version}"
        return Item(
            title,
            origin + self._addresses.project(index.owner, index.name, release.project),
            f"{origin}{self._addresses.base(index.owner, index.name)}/{release.project}/{release.version}",
            f"{title} was published to {index.path}.",
            release.created_at,
        )

    def _project(self, index: IndexRecord, project: NewProject, origin: str) -> Item:
        link = origin + self._addresses.project(index.owner, index.name, project.name)
        description = f"{project.display_name} is new in {index.path}."
        return Item(project.display_name, link, link, description, project.created_at)

    def _feed(self, index: IndexRecord, title: str, items: Sequence[Item], *, origin: str, serial: int) -> Page:
        link = origin + self._addresses.project_list(index.owner, index.name)
        feed = Feed(f"{title}: {index.path}", link, f"{title} in the package index {index.path}", items)
        return make_page(_MEDIA_TYPE, write_feed(feed), serial)
