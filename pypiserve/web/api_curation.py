"""``/api/v1/packages/…``: yanking, restoring and the status of a project, which Gitea's interface has not."""

from __future__ import annotations

from dataclasses import replace

from pypiserve.core.identity import Action
from pypiserve.services.access import decide
from pypiserve.web.api import ApiHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import requires
from pypiserve.web.shapes import Restored, Status, Yank
from pypiserve.web.simple import project_name

__all__ = ["RestoreHandler", "StatusHandler", "YankHandler"]


class YankHandler(ApiHandler):
    """The yank of a release or a file."""

    @requires(Action.YANK)
    @operation(body=Yank, needs_body=False)
    async def put(self, project: str, version: str, filename: str | None = None) -> None:
        """Yank, or give another reason."""
        yank = self.read_body(Yank, empty=Yank())
        await self.change(self.curation.yank(self.target(project, version, filename), yank.reason))
        self.send_nothing()

    @requires(Action.YANK)
    @operation()
    async def delete(self, project: str, version: str, filename: str | None = None) -> None:
        """Take the yank back."""
        await self.change(self.curation.unyank(self.target(project, version, filename)))
        self.send_nothing()


class RestoreHandler(ApiHandler):
    """Taking a deletion back."""

    @requires(Action.DELETE)
    @operation(Restored)
    async def post(self, project: str, version: str | None = None, filename: str | None = None) -> None:
        """Restore, and tell which files came back."""
        back = await self.change(self.curation.restore(self.target(project, version, filename)))
        self.send_json(Restored(restored=list(back)))


class StatusHandler(ApiHandler):
    """The status marker of a project. Spec: PEP 792."""

    @requires(Action.READ)
    @operation(Status)
    async def get(self, project: str) -> None:
        """Send it. That a project was there of which all is deleted is for those who may restore it."""
        may_restore = decide(replace(self.permit.question, action=Action.DELETE)).is_allowed
        found = await self.site.packages.project(self.index, project_name(project), deleted_too=may_restore)
        self.send_json(Status(status=found.status, reason=found.status_reason))

    head = get

    @requires(Action.DELETE)
    @operation(body=Status)
    async def put(self, project: str) -> None:
        """Set it."""
        given = self.read_body(Status)
        await self.change(self.curation.mark(self.target(project).project, given.status, given.reason))
        self.send_nothing()
