"""API tokens that are their own subject, ``token:NAME``, with a role of their own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from pypiserve.catalog import grants, tokens
from pypiserve.catalog.database import Connection
from pypiserve.catalog.tokens import NewRecord, TokenRecord
from pypiserve.core.api_tokens import hash_api_token
from pypiserve.core.events import Actor
from pypiserve.core.identity import Role
from pypiserve.services.grants import PlaceNames, check_role, place_of
from pypiserve.services.owners import NameTaken
from pypiserve.services.token_terms import TokenTerms, checked_name

__all__ = ["OwnToken", "insert_own_token", "insert_token"]


@dataclass(frozen=True)
class OwnToken:
    """
    A token that is its own subject, as it is asked for.

    Attributes:
        name: Never used before.
        token_authenticator: Name of the authenticator that recognises API tokens.
        role: What it is given.
        at: Where.
        terms: Checked.
    """

    name: str
    token_authenticator: str
    role: Role
    at: PlaceNames
    terms: TokenTerms

    @property
    def subject(self) -> str:
        """The spelling that grants use."""
        return f"{self.token_authenticator}:{self.name}"


def insert_own_token(connection: Connection, own: OwnToken, secret: str, *, by: Actor, now: datetime) -> TokenRecord:
    """
    Insert a token that is its own subject, with its role, within a transaction.

    Raises:
        InvalidName, NameTaken, NotFound, OwnerMoved, RoleMisplaced: As ``Tokens.create_own`` does.
    """
    checked_name(own.name)
    check_role(own.role, grantee=own.subject, on_server=own.at.owner is None)
    if tokens.find_token_by_name(connection, own.name) is not None:
        raise NameTaken(f"A token {own.name} exists or existed; choose another name")
    place = place_of(connection, own.at)
    made = insert_token(connection, own.name, None, own.terms, secret, by=by, now=now)
    grants.grant_role(connection, place, grantee=own.subject, role=own.role, team_id=None, by=by, now=now)
    return made


def insert_token(
    connection: Connection,
    name: str,
    owner_subject: str | None,
    terms: TokenTerms,
    secret: str,
    *,
    by: Actor,
    now: datetime,
) -> TokenRecord:
    """Insert a token with a new id, and return what is kept of it."""
    new = NewRecord(
        name=name,
        token_id=secrets.token_hex(8),
        owner_subject=owner_subject,
        scopes=terms.scopes,
        not_before=terms.not_before,
        expires_at=terms.expires_at,
        description=terms.description,
    )
    tokens.create_token(connection, new, hash_api_token(secret), by=by, now=now)
    made = tokens.find_token_by_id(connection, new.token_id)
    assert made is not None  # noqa: S101 - it was inserted in this transaction
    return made
