"""What an API token is, and what it may do now. Blocking, outside the event loop."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pypiserve.catalog import owners
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.identity import Action, Identity
from pypiserve.core.project_patterns import Reach
from pypiserve.services.access import decide_on_server
from pypiserve.services.rights import Standings, claims_in, rights_of
from pypiserve.services.token_authority import standings_now

__all__ = ["Powers", "TokenReport", "TokenReports", "TokenState", "state_of"]


class TokenState(enum.StrEnum):
    """Whether a token signs somebody in."""

    VALID = "valid"
    REVOKED = "revoked"
    NOT_YET_VALID = "not yet valid"
    EXPIRED = "expired"
    DISABLED = "disabled"
    """Its account is."""


@dataclass(frozen=True)
class Powers:
    """
    What a token may do in an index, beyond what everybody may.

    Attributes:
        index: ``owner/index``.
        reaches: To which projects, by what may be done; what may not be done at all is left out.
    """

    index: str
    reaches: Mapping[Action, Reach]


@dataclass(frozen=True)
class TokenReport:
    """
    All that can be said of a token.

    Attributes:
        token: What is kept of it.
        subject: As whom it signs in.
        state: Whether it does.
        powers: What it may do, by index; nothing when it signs nobody in.
        administers_server: Whether it may do what belongs to no owner.
    """

    token: TokenRecord
    subject: str
    state: TokenState
    powers: Sequence[Powers]
    administers_server: bool


class TokenReports:
    """Asks as the servers do, from the catalog as it is now."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], token_authenticator: str) -> None:
        self._database = database
        self._now = now
        self._token_authenticator = token_authenticator

    def report(self, token: TokenRecord) -> TokenReport:
        """Tell what a token is, and what it may do."""
        subject = token.subject(token_authenticator=self._token_authenticator)
        authenticator, _, name = subject.partition(":")
        scopes = None if token.scopes is None else tuple(token.scopes)
        identity = Identity(authenticator, name, scopes=scopes, credential=token.token_id)

        def work(connection: Connection) -> TokenReport:
            standings = standings_now(connection, identity)
            state = state_of(token, now=self._now())
            if state is TokenState.VALID and standings.is_disabled:
                state = TokenState.DISABLED
            if state is not TokenState.VALID:
                return TokenReport(token, subject, state, (), administers_server=False)
            found = [_powers(index, identity, standings) for index in _indexes(connection)]
            server = decide_on_server(identity, standings, Action.ADMINISTER_SERVER)
            powers = [powers for powers in found if powers.reaches]
            return TokenReport(token, subject, state, powers, administers_server=server.is_allowed)

        return self._database.read_now(work)


def state_of(token: TokenRecord, *, now: datetime) -> TokenState:
    """Tell whether a token is good, but for its account; in the order in which a sign-in looks."""
    if token.revoked_at is not None:
        return TokenState.REVOKED
    if token.not_before is not None and token.not_before > now:
        return TokenState.NOT_YET_VALID
    if token.expires_at is not None and token.expires_at <= now:
        return TokenState.EXPIRED
    return TokenState.VALID


def _indexes(connection: Connection) -> Iterator[IndexRecord]:
    for owner, name in owners.list_indexes(connection):
        index = owners.find_index(connection, owner, name)
        if index is not None:
            yield index


def _powers(index: IndexRecord, identity: Identity, standings: Standings) -> Powers:
    reaches: dict[Action, Reach] = {}
    for action in Action:
        # What is about an owner takes roles and scopes that are not limited to one of its indexes.
        place = replace(index, id=0, name="") if action is Action.ADMINISTER else index
        claims = [claim for claim in claims_in(place, identity, standings) if not claim.is_everybodys]
        reach = rights_of(identity, action, claims, owner=place.owner, index=place.name or None)
        if reach and action is not Action.ADMINISTER_SERVER:
            reaches[action] = reach
    return Powers(index.path, reaches)
