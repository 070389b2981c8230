"""To whom a role can be given, and who can be in a team: subjects, as people spell them."""

from __future__ import annotations

import re

from pypiserve.catalog import robots, teams, tokens
from pypiserve.catalog.database import Connection
from pypiserve.catalog.grants import ROBOT_PREFIX, TEAM_PREFIX
from pypiserve.catalog.teams import TeamRecord
from pypiserve.core.errors import NotFound
from pypiserve.core.identity import ANYONE, SIGNED_IN
from pypiserve.services.owners import InvalidName, owner_named

__all__ = ["check_spelling", "check_subject", "team_named"]

_MAX_LENGTH = 255
_SUBJECT = re.compile(r"[a-z0-9][a-z0-9._-]*:[^\s:][^\s]*\Z")


def check_spelling(text: str) -> None:
    """
    Check that a text is spelt like the subject of somebody.

    Raises:
        InvalidName: It is not.
    """
    if _SUBJECT.match(text) is None or len(text) > _MAX_LENGTH or text.startswith(TEAM_PREFIX):
        raise InvalidName(
            f"{text!r} is no subject; write AUTHENTICATOR:NAME, such as htpasswd:alice or token:ci, for a role also "
            f"team:OWNER/NAME, {ANYONE} or {SIGNED_IN}"
        )


def check_subject(connection: Connection, text: str, *, token_authenticator: str) -> None:
    """
    Check that a text is the subject of somebody.

    Of identities that other authenticators vouch for nothing is known here; tokens and robots must exist. Whoever
    made one of their name later would find it with more rights than it was given.

    Args:
        connection: To the catalog.
        text: ``AUTHENTICATOR:NAME``, ``token:NAME`` or ``robot:NAME``.
        token_authenticator: Name, in the settings, of the authenticator that recognises our API tokens.

    Raises:
        InvalidName: It is not spelt like one.
        NotFound: There is no such token or robot.
    """
    check_spelling(text)
    authenticator, _, name = text.partition(":")
    if authenticator == token_authenticator and tokens.find_token_by_name(connection, name) is None:
        raise NotFound(f"The API token {name}")
    if text.startswith(ROBOT_PREFIX) and not robots.robot_exists(connection, name):
        raise NotFound(f"The robot {name}")


def team_named(connection: Connection, owner: str, name: str) -> TeamRecord:
    """
    Look a team up.

    Raises:
        NotFound: There is none of this name.
        OwnerMoved: The owner has another name now.
    """
    record = teams.find_team(connection, owner_named(connection, owner).name, name)
    if record is None:
        raise NotFound(f"The team {owner}/{name}")
    return record
