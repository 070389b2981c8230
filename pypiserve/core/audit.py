"""What the audit tells: one line for each event, and for sign-ins that failed alike within a minute."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["AuditEntry", "AuditFilter"]


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which lines are wanted: those to which all that is given applies.

    Attributes:
        kind: A kind of event, such as ``token.revoked``, or the first word of several, such as ``token``.
        subject: Who did it.
        owner: Name of an owner, in any letter case; what happened under its former names is meant too.
        project: Name of a project, in any spelling.
        address: Network address of the client.
        since: From then on, aware.
        until: Before then, aware.
    """

    kind: Annotated[str, Meta(max_length=32)] | None = None
    subject: Annotated[str, Meta(max_length=255)] | None = None
    owner: Annotated[str, Meta(max_length=64)] | None = None
    project: Annotated[str, Meta(max_length=200)] | None = None
    address: Annotated[str, Meta(max_length=64)] | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = None
    until: Annotated[datetime, Meta(tz=True)] | None = None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """
    One line.

    Attributes:
        serial: Of the event in the journal; ``None`` for sign-ins that failed, which are not in it.
        count: How often it happened: more than once for sign-ins that failed alike within a minute.
        detail: A word more; for sign-ins that failed, the code of the refusal.
    """

    serial: int | None
    at: datetime
    kind: str
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
    count: int = 1
