"""Feeds for people and their readers, and sizes, at PyPI's addresses. Spec: RSS 2.0; the practice of PyPI."""

from __future__ import annotations

from pypiserve.core.identity import Action
from pypiserve.services.access import Extent
from pypiserve.web.rules import requires
from pypiserve.web.simple import SimpleHandler, project_name

__all__ = ["ProjectFeedHandler", "ProjectsFeedHandler", "ReleasesFeedHandler", "SizesHandler"]


class ReleasesFeedHandler(SimpleHandler):
    """``rss/updates.xml``."""

    @requires(Action.READ, extent=Extent.SOME_PROJECT)
    async def get(self) -> None:
        """Send the latest releases of the index."""
        self.send_page(await self.site.feeds.newest_releases(self.index, self.permit.reach, origin=self.origin()))

    head = get


class ProjectsFeedHandler(SimpleHandler):
    """``rss/packages.xml``."""

    @requires(Action.READ, extent=Extent.SOME_PROJECT)
    async def get(self) -> None:
        """Send the newest projects of the index."""
        self.send_page(await self.site.feeds.newest_projects(self.index, self.permit.reach, origin=self.origin()))

    head = get


class ProjectFeedHandler(SimpleHandler):
    """``rss/project/{project}/releases.xml``."""

    @requires(Action.READ)
    async def get(self, project: str) -> None:
        """Send the latest releases of a project, whose name may have any spelling."""
        name = project_name(project)
        self.send_page(await self.site.feeds.releases_of(self.index, name, origin=self.origin()))

    head = get


class SizesHandler(SimpleHandler):
    """``stats``."""

    @requires(Action.READ, extent=Extent.SOME_PROJECT)
    async def get(self) -> None:
        """Send the sizes of the index and of its largest projects."""
        self.send_page(await self.site.feeds.sizes(self.index, self.permit.reach))

    head = get
