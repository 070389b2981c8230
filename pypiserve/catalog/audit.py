"""Reading the journal, and the sign-ins that failed, for the audit: newest first, in bounded pages."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, or_, select

from pypiserve.catalog.schema import events, sign_in_failures
from pypiserve.core.audit import AuditEntry, AuditFilter
from pypiserve.core.events import EventKind
from pypiserve.core.identity import ANYONE

__all__ = ["Position", "read_audit"]


class Position(NamedTuple):
    """
    How far somebody has read: older ones are left.

    Attributes:
        serial: Of the last event that was read.
        failure: Key of the last failure that was read.
    """

    serial: int
    failure: int


_NEWEST = Position(2**53, 2**53)


def read_audit(
    connection: Connection,
    wanted: AuditFilter,
    *,
    owners: Collection[str],
    network: str | None,
    before: Position | None,
    limit: int,
) -> tuple[list[AuditEntry], Position | None]:
    """
    Return a page of the audit, and the position after it; ``None`` when there is nothing more.

    Both tables are read along their keys, so that a page costs what it passes over, and no sorting.

    Args:
        connection: To the catalog.
        wanted: Which lines; its owner is not looked at.
        owners: Names that the owner has or had, in lower case; empty for all owners and the server.
        network: Under what failures from the wanted address are summed up.
        before: Where an earlier page ended.
        limit: Length of the page.
    """
    # One more than fits tells whether there are more.
    found = _events(connection, wanted, owners, before, limit + 1)
    failures = [] if owners else _failures(connection, wanted, network, before, limit + 1)
    position = before or _NEWEST
    entries: list[AuditEntry] = []
    while (found or failures) and len(entries) < limit:
        if found and (not failures or found[0][1].at >= failures[0][1].at):
            key, entry = found.pop(0)
            position = position._replace(serial=key)
        else:
            key, entry = failures.pop(0)
            position = position._replace(failure=key)
        entries.append(entry)
    return entries, position if found or failures else None


def _events(
    connection: Connection, wanted: AuditFilter, names: Collection[str], before: Position | None, limit: int
) -> list[tuple[int, AuditEntry]]:
    column = events.c
    conditions: list[ColumnElement[bool]] = [*_times(column.at, wanted)]
    for given, held in (
        (wanted.subject, column.subject),
        (wanted.project, column.project),
        (wanted.address, column.address),
    ):
        if given is not None:
            conditions.append(held == given)
    if wanted.kind is not None:
        below = column.kind.startswith(f"{wanted.kind}.", autoescape=True)
        conditions.append(or_(column.kind == wanted.kind, below))
    if names:
        conditions.append(func.lower(column.owner).in_(names))
    if before is not None:
        conditions.append(column.serial < before.serial)
    rows = connection.execute(select(events).where(*conditions).order_by(column.serial.desc()).limit(limit))
    return [(row.serial, _entry(*row)) for row in rows]


def _entry(
    serial: int,
    at: datetime,
    kind: str,
    subject: str,
    owner: str | None,
    index: str | None,
    *rest: str | None,
) -> AuditEntry:
    project, version, filename, detail, address, credential, request_id = rest
    return AuditEntry(
        serial=serial,
        at=at,
        kind=kind,
        subject=subject,
        owner=owner,
        index=index,
        project=project,
        version=version,
        filename=filename,
        detail=detail or "",
        address=address,
        credential=credential,
        request_id=request_id,
    )


def _failures(
    connection: Connection, wanted: AuditFilter, network: str | None, before: Position | None, limit: int
) -> list[tuple[int, AuditEntry]]:
    kind = EventKind.SIGN_IN_FAILED.value
    if wanted.kind not in {None, kind, kind.partition(".")[0]} or wanted.project is not None:
        return []
    if wanted.subject not in {None, ANYONE}:
        return []
    column = sign_in_failures.c
    conditions = _times(column.at, wanted)
    if network is not None:
        conditions.append(column.address == network)
    if before is not None:
        conditions.append(column.id < before.failure)
    rows = connection.execute(select(sign_in_failures).where(*conditions).order_by(column.id.desc()).limit(limit))
    return [
        (
            row.id,
            AuditEntry(
                serial=None,
                at=row.at,
                kind=kind,
                subject=ANYONE,
                detail=row.code,
                address=row.address or None,
                credential=row.credential or None,
                request_id=row.request_id or None,
                count=row.times,
            ),
        )
        for row in rows
    ]


def _times(at: ColumnElement[datetime], wanted: AuditFilter) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.since is not None:
        conditions.append(at >= wanted.since)
    if wanted.until is not None:
        conditions.append(at < wanted.until)
    return conditions
