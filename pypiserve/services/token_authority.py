"""
Who may manage which tokens and robots: the one place that says so, with the one decision behind it.

- Whoever uses the command line beside the data folder may everything.
- Somebody: tokens that sign in as themselves; with an API token they may see and revoke these, and make none. Else a
  token that leaked would leave others behind.
- Whoever administers a robot, which is its owner's administrators or the server's: its tokens, and the robot.
- Administrators of the server: everybody's tokens.

A credential with scopes reaches no further than these: what it makes, sees and revokes is within them.

A token is as mighty as its subject at the time of its use, whoever made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pypiserve.catalog import owners, robots, tokens
from pypiserve.catalog.database import Connection
from pypiserve.catalog.grants import ROBOT_PREFIX, standing_of
from pypiserve.catalog.owners import IndexRecord, OwnerRecord
from pypiserve.catalog.robots import RobotRecord
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.errors import AuthenticationFailed, NotFound, PermissionDenied, PypiserveError
from pypiserve.core.events import OPERATOR, Actor
from pypiserve.core.identity import ANYONE, SIGNED_IN, Action, Identity, Scope
from pypiserve.services.access import Question, decide, decide_on_server
from pypiserve.services.rights import Standings

__all__ = [
    "BESIDE_THE_DATA",
    "Caretaker",
    "check_administers",
    "check_administers_named",
    "check_may_make",
    "managed_by",
    "robot_in_care",
    "standings_now",
]


@dataclass(frozen=True)
class Caretaker:
    """
    Who manages tokens and robots.

    Attributes:
        actor: As the journal keeps it.
        identity: Whose rights count; ``None`` for whoever uses the command line beside the data folder.
    """

    actor: Actor
    identity: Identity | None


BESIDE_THE_DATA = Caretaker(OPERATOR, None)
"""Whoever uses the command line beside the data folder."""


def check_may_make(
    connection: Connection, maker: Caretaker, subject: str, scopes: Sequence[Scope] | None
) -> tuple[Scope, ...] | None:
    """
    Check that somebody may make a token that signs in as a subject.

    Args:
        connection: Within the transaction that makes it.
        maker: Who.
        subject: ``AUTHENTICATOR:NAME`` or ``robot:NAME``.
        scopes: What the token shall be limited to.

    Returns:
        What it is limited to: that, or the scopes of the maker's credential when nothing was asked for.

    Raises:
        AuthenticationFailed, PermissionDenied: The maker may not.
        NotFound: There is no such robot, or the maker may not know of it.
    """
    refusal = _refusal_to_care(connection, maker, subject)
    if refusal is None and _is_own(maker, subject) and _has_token(connection, maker):
        refusal = _refusal_of_others(connection, maker, subject) and PermissionDenied(
            f"An API token makes no further tokens for {subject}; sign in with a password or a token of the forge, "
            "or ask an administrator"
        )
    if refusal is not None:
        raise refusal
    wanted = None if scopes is None else tuple(scopes)
    held = None if maker.identity is None else maker.identity.scopes
    if held is None:
        return wanted
    if wanted is None:
        return held
    if not _within(wanted, held):
        raise PermissionDenied("This credential is limited to some scopes; a token made with it stays within them")
    return wanted


def managed_by(
    connection: Connection, who: Caretaker, subject: str, found: Sequence[TokenRecord]
) -> list[TokenRecord]:
    """Return those tokens of a subject that somebody may see and revoke; that with which they ask is among them."""
    identity = who.identity
    if identity is None:
        return list(found)
    cares = _refusal_to_care(connection, who, subject) is None
    return [
        token
        for token in found
        if (identity.credential == token.token_id and _is_own(who, subject))
        or (cares and (identity.scopes is None or _within(token.scopes, identity.scopes)))
    ]


def robot_in_care(connection: Connection, who: Caretaker, name: str) -> RobotRecord:
    """
    Look up a robot that somebody administers.

    Raises:
        AuthenticationFailed: Nobody is signed in.
        NotFound: There is none of this name, or none that they administer.
    """
    robot = robots.find_robot(connection, name)
    owner = None
    if robot is not None and robot.owner is not None:
        owner = owners.find_owner(connection, robot.owner)
    refusal = _refusal_to_administer(connection, who, owner)
    if isinstance(refusal, AuthenticationFailed):
        raise refusal
    if robot is None or refusal is not None:
        raise NotFound(f"The robot {name}")
    return robot


def check_administers(connection: Connection, who: Caretaker, owner: OwnerRecord | None) -> None:
    """
    Check that somebody administers an owner, or the server.

    Raises:
        AuthenticationFailed, PermissionDenied, NotFound: As the decision says it of an index.
    """
    refusal = _refusal_to_administer(connection, who, owner)
    if refusal is not None:
        raise refusal


def check_administers_named(connection: Connection, who: Caretaker, owner: str | None) -> None:
    """
    Check that somebody administers the owner of a name, or the server for ``None``.

    An owner that is missing is refused as one of which they may not know.

    Raises:
        AuthenticationFailed, PermissionDenied, NotFound: They do not, or there is no such owner.
    """
    if owner is None or who.identity is None:
        check_administers(connection, who, None)
        return
    record = owners.find_owner(connection, owner) or owners.owner_that_had(connection, owner)
    refusal = decide(_question(connection, who.identity, record, owner)).refusal
    if refusal is not None:
        raise refusal


def standings_now(connection: Connection, identity: Identity) -> Standings:
    """Read what decides for an identity, as it is now."""
    anyone = standing_of(connection, ANYONE)
    if identity.is_anonymous:
        return Standings(anyone)
    return Standings(anyone, standing_of(connection, SIGNED_IN), standing_of(connection, identity.subject))


def _refusal_to_care(connection: Connection, who: Caretaker, subject: str) -> PypiserveError | None:
    if who.identity is None:
        return None
    if _is_own(who, subject):
        # Closed accounts, and nothing else.
        standings = standings_now(connection, who.identity)
        refusal = decide_on_server(who.identity, standings, Action.READ).refusal
        return refusal if standings.is_disabled else None
    return _refusal_of_others(connection, who, subject)


def _refusal_of_others(connection: Connection, who: Caretaker, subject: str) -> PypiserveError | None:
    if not subject.startswith(ROBOT_PREFIX):
        return _refusal_to_administer(connection, who, None)
    try:
        robot_in_care(connection, who, subject.removeprefix(ROBOT_PREFIX))
    except PypiserveError as refusal:
        return refusal
    return None


def _refusal_to_administer(
    connection: Connection, who: Caretaker, owner: OwnerRecord | None
) -> PypiserveError | None:
    if who.identity is None:
        return None
    if owner is None:
        standings = standings_now(connection, who.identity)
        return decide_on_server(who.identity, standings, Action.ADMINISTER_SERVER).refusal
    return decide(_question(connection, who.identity, owner, owner.name)).refusal


def _question(connection: Connection, identity: Identity, owner: OwnerRecord | None, name: str) -> Question:
    # The owner itself, as if it were an index to which none of the grants on single ones apply.
    place = None if owner is None else IndexRecord(0, owner.name, "", owner.visibility, owner.id)
    return Question(identity, standings_now(connection, identity), Action.ADMINISTER, place, name)


def _is_own(who: Caretaker, subject: str) -> bool:
    return who.identity is not None and not who.identity.is_anonymous and who.identity.subject == subject


def _has_token(connection: Connection, who: Caretaker) -> bool:
    """Tell whether somebody is signed in with an API token of ours."""
    credential = who.identity.credential if who.identity else ""
    return bool(credential) and tokens.find_token_by_id(connection, credential) is not None


def _within(scopes: Sequence[Scope] | None, held: Sequence[Scope]) -> bool:
    return scopes is not None and all(any(scope.is_within(outer) for outer in held) for scope in scopes)
