"""Why somebody may do something: the one decision, asked for a subject. Blocking, outside the event loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pypiserve.catalog import owners, teams
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.identity import ANONYMOUS, ANYONE, Action, Identity
from pypiserve.core.names import normalise
from pypiserve.services.access import Decision, Extent, Question, decide
from pypiserve.services.owners import InvalidName, owner_named
from pypiserve.services.token_authority import standings_now

__all__ = ["Explaining", "Explanation"]


@dataclass(frozen=True)
class Explanation:
    """
    The decision, with what led to it.

    Attributes:
        decision: What a request would meet, but for vouched roles and the scopes of its credential.
        teams: The teams that the subject is in, as subjects.
    """

    decision: Decision
    teams: Sequence[str]


class Explaining:
    """Asks as the servers do, from the catalog as it is now."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def explain(self, subject: str, action: Action, target: str) -> Explanation:
        """
        Explain what a subject may do.

        Args:
            subject: ``AUTHENTICATOR:NAME``, or ``anyone`` for a request without credentials.
            action: What it would do.
            target: An owner, ``owner/index`` or ``owner/index/project``.

        Raises:
            InvalidName: The subject or the target is not spelt like one.
            NotFound, OwnerMoved: There is no such owner.
        """
        identity = _identity(subject)
        owner, index, project = [*target.split("/", 2), "", ""][:3]
        try:
            of = normalise(project) if project else Extent.EVERY_PROJECT
        except ValueError as error:
            raise InvalidName(f"{project!r} is no name of a project: {error}") from None

        def work(connection: Connection) -> Explanation:
            place = _place(connection, owner, index)
            standings = standings_now(connection, identity)
            decision = decide(Question(identity, standings, action, place, f"{owner}/{index}".rstrip("/"), of))
            member = () if identity.is_anonymous else teams.teams_of(connection, subject)
            return Explanation(decision, [team.subject for team in member])

        return self._database.read_now(work)


def _identity(subject: str) -> Identity:
    if subject == ANYONE:
        return ANONYMOUS
    authenticator, colon, name = subject.partition(":")
    if not colon or not authenticator or not name:
        raise InvalidName(f"{subject!r} is no subject; write AUTHENTICATOR:NAME, such as htpasswd:alice, or {ANYONE}")
    return Identity(authenticator, name)


def _place(connection: Connection, owner: str, index: str) -> IndexRecord | None:
    record = owner_named(connection, owner)
    if index:
        return owners.find_index(connection, owner, index)
    return record.as_place()
