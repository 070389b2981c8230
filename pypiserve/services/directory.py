"""
The indexes, and what the catalog says of those who ask, kept in memory until the journal says that something changed.

Both are kept apart: what an index is does not grow with the number of accounts, and what an account may does not grow
with the number of indexes of others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from packaging.utils import NormalizedName

from pypiserve.catalog import owners
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.grants import TEAM_PREFIX, Standing, standing_of
from pypiserve.catalog.owners import IndexRecord, OwnerRecord
from pypiserve.core.errors import AuthenticationFailed, NotFound, OwnerMoved
from pypiserve.core.events import Event, EventKind
from pypiserve.core.identity import ANYONE, SIGNED_IN, Action, Identity
from pypiserve.core.project_patterns import Reach
from pypiserve.services.access import Decision, Extent, Question, decide, decide_on_server
from pypiserve.services.rights import Standings

__all__ = ["Directory", "Permit"]

_MAX_KEPT = 10_000
_MAX_NAME_LENGTH = 64  # of owners and indexes, as core.names admits them
_MAX_PROJECT_LENGTH = 200  # as the catalog has them
_OF_ONE_SUBJECT = frozenset(
    {
        EventKind.ROLE_GRANTED,
        EventKind.ROLE_WITHDRAWN,
        EventKind.MEMBER_ADDED,
        EventKind.MEMBER_REMOVED,
        EventKind.USER_DISABLED,
        EventKind.USER_ENABLED,
        EventKind.ROBOT_CREATED,
        EventKind.ROBOT_DISABLED,
        EventKind.ROBOT_ENABLED,
        EventKind.ROBOT_DELETED,
    }
)


_Asked = tuple[Identity, Action, str, str, NormalizedName | Extent, bool]


@dataclass(frozen=True)
class Permit:
    """
    Leave to do something in an index, in all of it or in some projects.

    Attributes:
        question: What was decided.
        index: Where.
        reach: The projects.
    """

    question: Question
    index: IndexRecord
    reach: Reach

    def check(self, project: NormalizedName) -> None:
        """
        Hold a project that is known by now against the decision.

        Raises:
            AuthenticationFailed, PermissionDenied, NotFound: It is none of those for which the leave holds.
        """
        if not self.reach.covers(project):
            refusal = decide(replace(self.question, of=project)).refusal
            assert refusal is not None  # noqa: S101 - what is beyond the reach is refused
            raise refusal


class Directory:
    """Finds indexes by name and asks ``access`` about them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # With None for what is not there: found in the same time, or strangers could tell a private index from none.
        self._indexes: OrderedDict[tuple[str, str], IndexRecord | None] = OrderedDict()
        self._standings: OrderedDict[str, Standing] = OrderedDict()
        # What was allowed: installers ask for the same pages again and again, and refusals shall all cost the same.
        self._permits: dict[_Asked, Permit] = {}
        self._generation = 0

    async def authorise(
        self,
        identity: Identity,
        action: Action,
        *,
        owner: str,
        index: str,
        of: NormalizedName | Extent = Extent.EVERY_PROJECT,
        formerly: bool = False,
    ) -> Permit:
        """
        Give leave if the identity may do this in the index.

        Args:
            identity: Who asks.
            action: What for.
            owner: Name of the owner, in any letter case.
            index: Name of the index.
            of: Which project, or how much of the index; for some of it, heed the permit's reach.
            formerly: Whether a name that the owner had is as good as the one of now.

        Raises:
            AuthenticationFailed: Not allowed, and nobody is signed in.
            PermissionDenied: Not allowed.
            NotFound: There is no such index or project, or the identity may not know of it.
            OwnerMoved: The owner has another name now, and the identity may know that.
        """
        asked = (identity, action, owner, index, of, formerly)
        permit = self._permits.get(asked)
        if permit is not None:
            return permit
        generation = self._generation
        record = await self._find(owner, index)
        standings = await self._standings_of(identity)
        question = Question(identity, standings, action, record, f"{owner}/{index}", of)
        decision = decide(question)
        if record is not None and not formerly:
            _check_name(owner, record, decision)
        if decision.refusal is not None:
            raise decision.refusal
        assert record is not None  # noqa: S101 - decide() refuses what does not exist
        permit = Permit(question, record, decision.reach)
        if generation == self._generation:
            self._keep(asked, permit)
        return permit

    async def authorise_any(self, identity: Identity, action: Action, *, owner: str) -> Sequence[Permit]:
        """
        Give leave for the indexes of an owner in which the identity may do this, somewhere: one at least.

        Raises:
            AuthenticationFailed, PermissionDenied, NotFound, OwnerMoved: As ``authorise`` does.
        """
        records = await self._indexes_of(owner)
        standings = await self._standings_of(identity)
        asked: Sequence[IndexRecord | None] = records or [None]
        questions = [Question(identity, standings, action, record, owner, Extent.SOME_PROJECT) for record in asked]
        decisions = [decide(question) for question in questions]
        for record, decision in zip(records, decisions, strict=False):
            _check_name(owner, record, decision)
        permits = [
            Permit(question, question.index, decision.reach)
            for question, decision in zip(questions, decisions, strict=True)
            if question.index is not None and decision.is_allowed
        ]
        if not permits:
            # The most telling: that of an index of which the identity may know.
            decisions.sort(key=lambda decision: decision.is_known, reverse=True)
            refusal = decisions[0].refusal
            assert refusal is not None  # noqa: S101 - none was allowed
            raise refusal
        return permits

    async def authorise_on_server(self, identity: Identity, action: Action) -> None:
        """
        Return if the identity may do this to what belongs to no owner.

        Raises:
            AuthenticationFailed, PermissionDenied: It may not.
        """
        refusal = decide_on_server(identity, await self._standings_of(identity), action).refusal
        if refusal is not None:
            raise refusal

    async def authorise_owner(self, identity: Identity, action: Action, *, owner: str) -> OwnerRecord:
        """
        Return an owner if the identity may do this to it, with all its indexes.

        Raises:
            AuthenticationFailed, PermissionDenied, NotFound, OwnerMoved: As ``authorise`` does.
        """
        record = await self._database.read(lambda connection: owners.owner_now_or_once(connection, owner))
        place = None if record is None else record.as_place()
        decision = decide(Question(identity, await self._standings_of(identity), action, place, owner))
        if place is not None:
            _check_name(owner, place, decision)
        if isinstance(decision.refusal, NotFound):
            raise NotFound(f"The owner {owner}")
        if decision.refusal is not None:
            raise decision.refusal
        assert record is not None  # noqa: S101 - decide() refuses what does not exist
        return record

    async def owners_open_to(self, identity: Identity, action: Action) -> list[OwnerRecord]:
        """
        Return the owners to which the identity may do this, by name.

        Raises:
            AuthenticationFailed: Nobody is signed in, or the account was closed.
        """
        standings = await self._standings_of(identity)
        closed = decide_on_server(identity, standings, action).refusal
        if isinstance(closed, AuthenticationFailed):
            raise closed

        def work(connection: Connection) -> list[OwnerRecord]:
            found = owners.list_owners(connection)
            return [
                record
                for record in found
                if decide(Question(identity, standings, action, record.as_place(), record.name)).is_allowed
            ]

        return await self._database.read(work)

    def notice(self, event: Event) -> None:
        """Forget what an event changed: what one subject may, or everything, since such changes are rare."""
        if not event.kind.changes_rights:
            return
        self._generation += 1
        self._permits.clear()
        subject = event.detail.partition(" ")[0]
        if event.kind in _OF_ONE_SUBJECT and subject and not subject.startswith(TEAM_PREFIX):
            self._standings.pop(subject, None)
            return
        self._standings.clear()
        if event.kind.value.partition(".")[0] in {"owner", "index", EventKind.OTHER.value}:
            self._indexes.clear()

    def _keep(self, asked: _Asked, permit: Permit) -> None:
        of = permit.question.of
        if isinstance(of, str) and len(of) > _MAX_PROJECT_LENGTH:
            return  # no project is called so, and what is kept stays small
        if len(self._permits) >= _MAX_KEPT:
            # Rare enough: what is asked for now comes again at once.
            self._permits.clear()
        self._permits[asked] = permit

    async def _indexes_of(self, owner: str) -> list[IndexRecord]:
        if len(owner) > _MAX_NAME_LENGTH:
            return []
        # In one statement, found or not: to look each up would take the longer the more a hidden owner has.
        return await self._database.read(lambda connection: owners.indexes_of(connection, owner))

    async def _find(self, owner: str, index: str) -> IndexRecord | None:
        if max(len(owner), len(index)) > _MAX_NAME_LENGTH:
            return None  # and what is kept stays small
        key = (owner.casefold(), index)
        if key in self._indexes:
            self._indexes.move_to_end(key)
            return self._indexes[key]
        generation = self._generation
        record = await self._database.read(
            lambda connection: owners.find_index(connection, owner, index, formerly=True)
        )
        # A change that was noticed while the query ran may be missing from its answer: use it, do not keep it.
        if generation == self._generation:
            self._indexes[key] = record
            if len(self._indexes) > _MAX_KEPT:
                self._indexes.popitem(last=False)
        return record

    async def _standings_of(self, identity: Identity) -> Standings:
        if identity.is_anonymous:
            return Standings(*await self._standing([ANYONE]))
        return Standings(*await self._standing([ANYONE, SIGNED_IN, identity.subject]))

    async def _standing(self, subjects: Sequence[str]) -> list[Standing]:
        missing = [subject for subject in subjects if subject not in self._standings]
        if not missing:
            for subject in subjects:
                self._standings.move_to_end(subject)
            return [self._standings[subject] for subject in subjects]
        generation = self._generation

        def work(connection: Connection) -> dict[str, Standing]:
            return {subject: standing_of(connection, subject) for subject in missing}

        known = {subject: self._standings[subject] for subject in subjects if subject in self._standings}
        read = await self._database.read(work)
        if generation == self._generation:
            self._standings.update(read)
            while len(self._standings) > _MAX_KEPT:
                self._standings.popitem(last=False)
        elif known:
            # What was kept before may be older than the change that was noticed meanwhile.
            return await self._standing(subjects)
        return [(known | read)[subject] for subject in subjects]


def _check_name(owner: str, record: IndexRecord, decision: Decision) -> None:
    if decision.is_known and record.owner.casefold() != owner.casefold():
        raise OwnerMoved(owner, record.owner)
