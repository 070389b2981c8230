"""What an API token is asked to be: its name, its time, and what it is limited to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pypiserve.core.errors import PypiserveError
from pypiserve.core.identity import Scope
from pypiserve.core.names import as_index_name, as_owner_name
from pypiserve.core.project_patterns import as_project_pattern
from pypiserve.services.owners import InvalidName

__all__ = ["InvalidToken", "TokenTerms", "checked_name", "checked_terms"]

MAX_SCOPES = 32
MAX_DESCRIPTION = 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")


class InvalidToken(PypiserveError):
    """No token can be as it was asked for."""

    code = "invalid-token"


@dataclass(frozen=True)
class TokenTerms:
    """
    How a token shall be.

    Attributes:
        scopes: What it is limited to: one of these must admit what is done; ``None`` for no limit. At most 32.
        not_before: When it begins to work, aware; ``None`` for at once.
        expires_at: When it ends to, aware; ``None`` for never.
        description: What it is for, one line of at most 500 characters.
    """

    scopes: Sequence[Scope] | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    description: str = ""


def checked_name(name: str) -> str:
    """
    Return the name of a token if it can be one.

    Raises:
        InvalidName: It cannot.
    """
    if _NAME.match(name) is None:
        raise InvalidName(f"{name!r} is no name for a token: it has 1 to 64 letters, digits, '.', '_', '@' and '-'")
    return name


def checked_terms(terms: TokenTerms, *, now: datetime) -> TokenTerms:
    """
    Return the terms in the spelling in which they are kept.

    Whether there is an owner or index of a scope's name is not looked up: that is not everybody's business.

    Raises:
        InvalidName: What a scope names cannot be an owner, an index or a pattern of projects.
        InvalidToken: They contradict themselves, or are too long.
    """
    if any(moment is not None and moment.tzinfo is None for moment in (terms.not_before, terms.expires_at)):
        raise InvalidToken("A time without an offset from UTC means another moment elsewhere; give it one")
    if terms.expires_at is not None and terms.expires_at <= now:
        raise InvalidToken("The token would have expired already; choose a later time")
    if None not in (terms.not_before, terms.expires_at) and terms.not_before >= terms.expires_at:  # type: ignore[operator] # neither is None
        raise InvalidToken("The token would expire before it begins; choose a later end or an earlier beginning")
    if len(terms.description) > MAX_DESCRIPTION or not terms.description.isprintable():
        raise InvalidToken(f"The description of a token is one line of at most {MAX_DESCRIPTION} characters")
    if terms.scopes is None:
        return terms
    if not 0 < len(terms.scopes) <= MAX_SCOPES:
        raise InvalidToken(f"A token has 1 to {MAX_SCOPES} scopes, or none for no limit")
    return replace(terms, scopes=tuple(_checked_scope(scope) for scope in terms.scopes))


def _checked_scope(scope: Scope) -> Scope:
    if scope.actions is not None and not scope.actions:
        raise InvalidToken("A scope without an action admits nothing; name one, or none for all")
    try:
        return Scope(
            None if scope.owner is None else as_owner_name(scope.owner),
            None if scope.index is None else as_index_name(scope.index),
            None if scope.projects is None else as_project_pattern(scope.projects),
            scope.actions,
        )
    except ValueError as error:
        raise InvalidName(f"A scope names what cannot be: {error}") from None
