"""The indexes and who may do what in them, kept in memory until the journal says that something changed."""

from __future__ import annotations

from collections import OrderedDict

from pypiserve.catalog import owners
from pypiserve.catalog.database import Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import PypiserveError
from pypiserve.core.events import Event, EventKind
from pypiserve.core.identity import Action, Identity
from pypiserve.services.access import decide

__all__ = ["Directory"]

_MAX_KEPT = 10_000
_MAX_NAME_LENGTH = 64  # of owners and indexes, as core.names admits them
_CHANGES = frozenset(
    {
        EventKind.OWNER_CREATED,
        EventKind.OWNER_CHANGED,
        EventKind.INDEX_CREATED,
        EventKind.INDEX_CHANGED,
        EventKind.ROLE_GRANTED,
        EventKind.ROLE_WITHDRAWN,
        EventKind.OTHER,
    }
)


class Directory:
    """Finds indexes by name and asks ``access`` about them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # With None for what is not there: found in the same time, or strangers could tell a private index from none.
        self._kept: OrderedDict[tuple[str, str], IndexRecord | None] = OrderedDict()
        self._generation = 0

    async def authorise(self, identity: Identity, action: Action, *, owner: str, index: str) -> IndexRecord:
        """
        Return the index if the identity may do this in it.

        Args:
            identity: Who asks.
            action: What for.
            owner: Name of the owner, in any letter case.
            index: Name of the index.

        Raises:
            AuthenticationFailed: Not allowed, and nobody is signed in.
            PermissionDenied: Not allowed.
            NotFound: There is no such index, or the identity may not know of it.
        """
        record = await self._find(owner, index)
        refusal: PypiserveError | None = decide(identity, action, record, name=f"{owner}/{index}")
        if refusal is not None:
            raise refusal
        assert record is not None  # noqa: S101 - decide() refuses what does not exist
        return record

    async def authorise_any(self, identity: Identity, action: Action, *, owner: str) -> list[IndexRecord]:
        """
        Return the indexes of an owner in which the identity may do this: one at least.

        Raises:
            AuthenticationFailed, PermissionDenied, NotFound: As ``authorise`` does.
        """
        names: list[str] = []
        if len(owner) <= _MAX_NAME_LENGTH:
            names = await self._database.read(lambda connection: owners.list_indexes_of(connection, owner))
        records = [await self._find(owner, name) for name in names]
        refusals = [decide(identity, action, record, name=owner) for record in records or [None]]
        judged = zip(records, refusals, strict=False)
        allowed = [record for record, refusal in judged if record is not None and refusal is None]
        if not allowed:
            raise next(refusal for refusal in refusals if refusal is not None)
        return allowed

    def notice(self, event: Event) -> None:
        """Forget everything when an owner, an index or a grant changed: such changes are rare."""
        if event.kind in _CHANGES:
            self._kept.clear()
            self._generation += 1

    async def _find(self, owner: str, index: str) -> IndexRecord | None:
        if max(len(owner), len(index)) > _MAX_NAME_LENGTH:
            return None  # and what is kept stays small
        key = (owner.casefold(), index)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        generation = self._generation
        record = await self._database.read(lambda connection: owners.find_index(connection, owner, index))
        # A change that was noticed while the query ran may be missing from its answer: use it, do not keep it.
        if generation == self._generation:
            self._kept[key] = record
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return record
