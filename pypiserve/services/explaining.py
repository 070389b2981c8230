"""Why somebody may do something: the one decision, asked for a subject. Blocking, outside the event loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from packaging.utils import NormalizedName

from pypiserve.catalog import owners, teams, tokens
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.errors import NotFound
from pypiserve.core.identity import ANONYMOUS, ANYONE, Action, Identity, Scope, VouchedRole
from pypiserve.core.names import normalise
from pypiserve.services.access import Decision, Extent, Question, decide
from pypiserve.services.owners import InvalidName, owner_named
from pypiserve.services.token_authority import standings_now

__all__ = ["Brought", "Explaining", "Explanation"]


@dataclass(frozen=True)
class Brought:
    """
    What a request brings along, beside its subject.

    Attributes:
        roles: For which the authenticator vouches.
        scopes: What the credential is limited to; ``None`` for no limit.
        token_id: Id of the API token that it is; its scopes count then.
    """

    roles: Sequence[VouchedRole] = ()
    scopes: Sequence[Scope] | None = None
    token_id: str | None = None


@dataclass(frozen=True)
class Explanation:
    """
    The decision, with what led to it.

    Attributes:
        decision: What a request with good credentials would meet.
        teams: The teams that the subject is in, as subjects.
        scopes: What the credential is limited to; ``None`` for no limit.
        token: The API token that was asked about. It may be revoked or expired: then it is refused before.
    """

    decision: Decision
    teams: Sequence[str]
    scopes: Sequence[Scope] | None = None
    token: TokenRecord | None = field(default=None, repr=False)


class Explaining:
    """Asks as the servers do, from the catalog as it is now."""

    def __init__(self, database: Database, *, token_authenticator: str) -> None:
        self._database = database
        self._token_authenticator = token_authenticator

    def explain(self, subject: str, action: Action, target: str, *, brought: Brought | None = None) -> Explanation:
        """
        Explain what a subject may do.

        Args:
            subject: ``AUTHENTICATOR:NAME``, or ``anyone`` for a request without credentials.
            action: What it would do.
            target: An owner, ``owner/index`` or ``owner/index/project``.
            brought: What the request brings along; nothing unless given.

        Raises:
            InvalidName: The subject or the target is not spelt like one, or the token is somebody else's.
            NotFound, OwnerMoved: There is no such owner, or token.
        """
        given = brought or Brought()
        identity = replace(_identity(subject), roles=tuple(given.roles), scopes=_tuple(given.scopes))
        owner, index, project = [*target.split("/", 2), "", ""][:3]
        of = _project(project) if project else Extent.EVERY_PROJECT

        def work(connection: Connection) -> Explanation:
            token = None if given.token_id is None else self._token(connection, given.token_id, subject)
            asking = identity if token is None else replace(identity, scopes=_tuple(token.scopes))
            place = _place(connection, owner, index)
            standings = standings_now(connection, asking)
            decision = decide(Question(asking, standings, action, place, f"{owner}/{index}".rstrip("/"), of))
            member = () if asking.is_anonymous else teams.teams_of(connection, subject)
            return Explanation(decision, [team.subject for team in member], asking.scopes, token)

        return self._database.read_now(work)

    def _token(self, connection: Connection, token_id: str, subject: str) -> TokenRecord:
        record = tokens.find_token_by_id(connection, token_id)
        if record is None:
            raise NotFound(f"The API token {token_id}")
        whose = record.subject(token_authenticator=self._token_authenticator)
        if whose != subject:
            raise InvalidName(f"With the API token {token_id} one signs in as {whose}, and not as {subject}")
        return record


def _tuple(scopes: Sequence[Scope] | None) -> tuple[Scope, ...] | None:
    return None if scopes is None else tuple(scopes)


def _project(text: str) -> NormalizedName:
    try:
        return normalise(text)
    except ValueError as error:
        raise InvalidName(f"{text!r} is no name of a project: {error}") from None


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
