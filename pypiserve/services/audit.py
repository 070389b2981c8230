"""Who did what: the journal and the failed sign-ins, for people. Blocking, outside the event loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec

from pypiserve.catalog import owners
from pypiserve.catalog.audit import Position, read_audit
from pypiserve.catalog.database import Connection, Database
from pypiserve.core.audit import AuditEntry, AuditFilter
from pypiserve.core.names import normalise
from pypiserve.services.owners import InvalidName, owner_named
from pypiserve.services.sign_in_failures import failing_network

__all__ = ["PAGE_LENGTH", "Audit", "AuditPage", "Position"]

PAGE_LENGTH = 100


@dataclass(frozen=True)
class AuditPage:
    """
    Some lines, newest first.

    Attributes:
        entries: The lines.
        next: From where to go on to what is older; ``None`` at the end.
    """

    entries: Sequence[AuditEntry]
    next: Position | None


class Audit:
    """Reads the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, wanted: AuditFilter, *, before: Position | None = None, limit: int = PAGE_LENGTH) -> AuditPage:
        """
        Return a page, newest first.

        Args:
            wanted: Which lines.
            before: ``next`` of an earlier page.
            limit: Length of the page.

        Raises:
            InvalidName: That cannot be the name of a project.
            NotFound, OwnerMoved: There is no such owner.
        """
        plain = _plain(wanted)
        network = None if wanted.address is None else failing_network(wanted.address)

        def work(connection: Connection) -> AuditPage:
            names = _names(connection, wanted.owner)
            entries, rest = read_audit(connection, plain, owners=names, network=network, before=before, limit=limit)
            return AuditPage(entries, rest)

        return self._database.read_now(work)

    def read(self, wanted: AuditFilter, *, limit: int | None) -> Iterator[AuditEntry]:
        """Yield the newest lines, newest first; all of them without a limit. Raises as ``page`` does."""
        return islice(self._all(wanted), limit)

    def _all(self, wanted: AuditFilter) -> Iterator[AuditEntry]:
        page = self.page(wanted)
        yield from page.entries
        while page.next is not None:
            page = self.page(wanted, before=page.next)
            yield from page.entries


def _plain(wanted: AuditFilter) -> AuditFilter:
    """Return the filter in the spelling of the catalog."""
    try:
        project = None if wanted.project is None else normalise(wanted.project)
    except ValueError as error:
        raise InvalidName(f"{wanted.project!r} is no name of a project: {error}") from None
    return msgspec.structs.replace(wanted, project=project)


def _names(connection: Connection, owner: str | None) -> Sequence[str]:
    if owner is None:
        return ()
    record = owner_named(connection, owner)
    return [name.lower() for name in (record.name, *owners.former_names(connection, record.id))]
