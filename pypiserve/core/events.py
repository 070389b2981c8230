"""Events: what the journal keeps and subscribers hear."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Event", "EventKind"]


class EventKind(enum.StrEnum):
    """Everything that can change. Values are part of the public interface."""

    OWNER_CREATED = "owner.created"
    OWNER_CHANGED = "owner.changed"
    INDEX_CREATED = "index.created"
    INDEX_CHANGED = "index.changed"
    ROLE_GRANTED = "role.granted"
    ROLE_WITHDRAWN = "role.withdrawn"
    TOKEN_CREATED = "token.created"  # noqa: S105 - the name of an event
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - the name of an event
    FILE_PUBLISHED = "file.published"
    FILE_REPLACED = "file.replaced"
    FILE_YANKED = "file.yanked"
    FILE_UNYANKED = "file.unyanked"
    FILE_DELETED = "file.deleted"
    FILE_RESTORED = "file.restored"
    RELEASE_YANKED = "release.yanked"
    RELEASE_UNYANKED = "release.unyanked"
    RELEASE_DELETED = "release.deleted"
    RELEASE_RESTORED = "release.restored"
    PROJECT_DELETED = "project.deleted"
    PROJECT_RESTORED = "project.restored"
    PROJECT_STATUS_CHANGED = "project.status-changed"
    OTHER = "other"
    """Something that a newer version wrote, and this one does not know."""

    @property
    def changes_pages(self) -> bool:
        """Whether what readers see of the event's project may be different after it."""
        return self.value.startswith(("file.", "release.", "project."))

    @classmethod
    def _missing_(cls, value: object) -> EventKind:  # noqa: ARG003 - the signature is that of enum
        return cls.OTHER


@dataclass(frozen=True)
class Event:
    """
    One change of state, as the journal keeps it.

    Attributes:
        serial: Position in the journal, from 1, rising by one.
        at: When, aware, UTC.
        kind: What happened.
        subject: Who did it, as ``Identity.subject`` spells it, or ``operator`` for the command line.
        owner: Name of the owner concerned, or ``None`` for the server as a whole.
        index: Name of the index concerned, or ``None``.
        project: Normalised name of the project concerned, or ``None``.
        version: Version as published, or ``None``.
        filename: File concerned, or ``None``.
        detail: A word more, such as the reason of a yank; empty if there is none. Never a secret.
    """

    serial: int
    at: datetime
    kind: EventKind
    subject: str
    owner: str | None = None
    index: str | None = None
    project: str | None = None
    version: str | None = None
    filename: str | None = None
    detail: str = ""
