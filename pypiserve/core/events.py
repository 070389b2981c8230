"""Events: what the journal keeps and subscribers hear."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["OPERATOR", "Actor", "Event", "EventKind"]


class EventKind(enum.StrEnum):
    """Everything that can change. Values are part of the public interface."""

    OWNER_CREATED = "owner.created"
    OWNER_CHANGED = "owner.changed"
    OWNER_RENAMED = "owner.renamed"
    INDEX_CREATED = "index.created"
    INDEX_CHANGED = "index.changed"
    ROLE_GRANTED = "role.granted"
    ROLE_WITHDRAWN = "role.withdrawn"
    TEAM_CREATED = "team.created"
    TEAM_DELETED = "team.deleted"
    MEMBER_ADDED = "member.added"
    MEMBER_REMOVED = "member.removed"
    TOKEN_CREATED = "token.created"  # noqa: S105 - the name of an event
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - the name of an event
    SIGN_IN_FAILED = "sign-in.failed"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    ROBOT_CREATED = "robot.created"
    ROBOT_DISABLED = "robot.disabled"
    ROBOT_ENABLED = "robot.enabled"
    ROBOT_DELETED = "robot.deleted"
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

    @property
    def changes_rights(self) -> bool:
        """Whether somebody may do more or less after it, or an owner or index is another."""
        return self is EventKind.OTHER or self.value.startswith(
            ("owner.", "index.", "role.", "team.", "member.", "user.", "robot.")
        )

    @property
    def changes_addresses(self) -> bool:
        """Whether what is kept by the names of owners may be wrong after it."""
        return self in {EventKind.OTHER, EventKind.OWNER_RENAMED}

    @classmethod
    def _missing_(cls, value: object) -> EventKind:  # noqa: ARG003 - the signature is that of enum
        return cls.OTHER


@dataclass(frozen=True)
class Actor:
    """
    Who does something, and from where, as the journal keeps it.

    Attributes:
        subject: As ``Identity.subject`` spells it, or ``operator`` for the command line.
        address: Network address of the client, or ``None``.
        credential: Id of the credential, such as that of an API token; never the secret.
        request_id: Id of the request, as the log has it.
    """

    subject: str
    address: str | None = None
    credential: str | None = None
    request_id: str | None = None

    def does(self, kind: EventKind, at: datetime, **facts: Any) -> Event:
        """Return the event of something that this actor does; the journal gives it its serial."""
        return Event(
            0,
            at,
            kind,
            self.subject,
            address=self.address,
            credential=self.credential,
            request_id=self.request_id,
            **facts,
        )


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
        address: Network address of the client, or ``None``.
        credential: Id of the credential that was used, such as that of an API token, or ``None``; never the secret.
        request_id: Id of the request, or ``None``.
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
    address: str | None = None
    credential: str | None = None
    request_id: str | None = None


OPERATOR = Actor("operator")
"""Whoever uses the command line beside the data folder."""
