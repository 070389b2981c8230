"""The change log of an index, spelt as PyPI spells it, for bandersnatch. Spec: PyPI's XML-RPC methods for mirrors."""

from __future__ import annotations

from pypiserve.catalog import legacy, projects
from pypiserve.catalog.database import Database
from pypiserve.catalog.legacy import JournalEntry
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import InvalidUpload
from pypiserve.core.events import Event, EventKind
from pypiserve.core.filenames import parse_filename
from pypiserve.core.project_patterns import Reach

__all__ = ["MAX_CHANGES", "Change", "ChangeLog"]

MAX_CHANGES = 50_000
"""Most changes in one answer; the client asks again from the last serial."""

Change = tuple[str, str | None, int, str, int]
"""Project, version, seconds since 1970, action, serial."""

_ACTIONS = {
    EventKind.FILE_DELETED: "remove file {filename}",
    EventKind.FILE_YANKED: "yank file {filename}",
    EventKind.FILE_UNYANKED: "unyank file {filename}",
    EventKind.RELEASE_YANKED: "yank release",
    EventKind.RELEASE_UNYANKED: "unyank release",
    EventKind.RELEASE_DELETED: "remove release",
    EventKind.RELEASE_RESTORED: "new release",
    EventKind.PROJECT_DELETED: "remove project",
    EventKind.PROJECT_RESTORED: "create",
    EventKind.PROJECT_STATUS_CHANGED: "set status {detail}",
}


class ChangeLog:
    """
    Reads what changed in an index from the catalog and the journal.

    Every ``reach`` is the projects that may be read: of the rest not even a serial is told.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_serial(self, index: IndexRecord, reach: Reach) -> int:
        """Return the serial of the last change, 0 where nothing ever was."""
        return await self._database.read(lambda connection: projects.last_serial_of(connection, index.id, reach))

    async def since(self, index: IndexRecord, reach: Reach, serial: int) -> list[Change]:
        """Return the changes after a serial, in order, at most ``MAX_CHANGES``; those of one serial together."""
        entries = await self._database.read(
            lambda connection: legacy.index_events_since(connection, index, reach, serial, limit=MAX_CHANGES)
        )
        changes: list[Change] = []
        for entry in entries:
            told = changes_of(entry)
            if len(changes) + len(told) > MAX_CHANGES:
                break
            changes += told
        return changes

    async def serials(self, index: IndexRecord, reach: Reach) -> dict[str, int]:
        """Return the last serial of each listed project that may be read."""
        listed = await self._database.read(lambda connection: projects.list_projects(connection, index.id))
        return {project.name: project.last_serial for project in listed if reach.covers(project.name)}


def changes_of(entry: JournalEntry) -> list[Change]:
    """Return what PyPI's change log has for an event: a first file comes with its project and its release."""
    event = entry.event
    project, at = event.project or "", int(event.at.timestamp())
    changes: list[Change] = [(project, event.version, at, action_of(event), event.serial)]
    if entry.begins_release:
        changes.insert(0, (project, event.version, at, "new release", event.serial))
    if entry.begins_project:
        changes.insert(0, (project, None, at, "create", event.serial))
    return changes


def action_of(event: Event) -> str:
    """Return the words with which PyPI's change log tells of such an event."""
    action = _ACTIONS.get(event.kind)
    if action is None:
        return f"add {_python_tag(event.filename or '')} file {event.filename}"
    return action.format(filename=event.filename, detail=event.detail)


def _python_tag(filename: str) -> str:
    try:
        return parse_filename(filename).python_tag
    except InvalidUpload:
        return "source"
