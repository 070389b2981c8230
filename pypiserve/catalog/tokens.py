"""API tokens: only the SHA-256 of each is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, or_, select, update

from pypiserve.catalog import journal
from pypiserve.catalog.schema import api_tokens
from pypiserve.catalog.token_scopes import decode_scopes, encode_scopes
from pypiserve.core.events import Actor, EventKind
from pypiserve.core.identity import Scope

__all__ = [
    "NewRecord",
    "TokenRecord",
    "count_tokens_of",
    "create_token",
    "find_token_by_id",
    "find_token_by_name",
    "find_token_by_secret",
    "had_tokens",
    "list_tokens",
    "note_uses",
    "rename_owner_in_scopes",
    "revoke_token",
    "revoke_tokens_of",
    "tokens_named",
]


@dataclass(frozen=True, kw_only=True)
class NewRecord:
    """
    One API token as it is made.

    Attributes:
        name: What its owner calls it. That of a token that is its own subject must never have been used.
        token_id: What people and the audit call it: 16 hex digits.
        owner_subject: Whose it is; ``None`` when it is its own subject, ``token:NAME``.
        scopes: What it is limited to; ``None`` for no limit.
        not_before: When it begins to work, aware, UTC; ``None`` for at once.
        expires_at: When it ends to; ``None`` for never.
        description: What it is for, in its owner's words.
    """

    name: str
    token_id: str
    owner_subject: str | None = None
    scopes: Sequence[Scope] | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class TokenRecord(NewRecord):
    """
    One API token that was made, without its secret.

    Attributes:
        secret_sha256: What is kept of the secret.
        last_used_at: When it last signed somebody in, to the minute; ``None`` for never.
        created_by: Who made it: a subject, or ``operator``.
    """

    secret_sha256: str = field(repr=False)
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_by: str

    def subject(self, *, token_authenticator: str) -> str:
        """As whom it signs in, given the name of the authenticator of API tokens."""
        return self.owner_subject or f"{token_authenticator}:{self.name}"


def create_token(connection: Connection, new: NewRecord, secret_sha256: str, *, by: Actor, now: datetime) -> None:
    """Insert a token."""
    connection.execute(
        insert(api_tokens).values(
            name=new.name,
            token_id=new.token_id,
            owner_subject=new.owner_subject,
            scopes=encode_scopes(new.scopes),
            not_before=new.not_before,
            expires_at=new.expires_at,
            description=new.description,
            secret_sha256=secret_sha256,
            created_at=now,
            created_by=by.subject,
        )
    )
    _tell(connection, EventKind.TOKEN_CREATED, new, by=by, now=now)


def find_token_by_secret(connection: Connection, secret_sha256: str) -> TokenRecord | None:
    """Look a token up by the SHA-256 of the whole token."""
    return _only(connection, api_tokens.c.secret_sha256 == secret_sha256)


def find_token_by_id(connection: Connection, token_id: str) -> TokenRecord | None:
    """Look a token up by what people and the audit call it."""
    return _only(connection, api_tokens.c.token_id == token_id)


def find_token_by_name(connection: Connection, name: str) -> TokenRecord | None:
    """Look a token that is its own subject up by name, revoked or not."""
    return _only(connection, api_tokens.c.name == name, api_tokens.c.owner_subject.is_(None))


def tokens_named(connection: Connection, name: str) -> list[TokenRecord]:
    """Return all tokens of a name that are not revoked, whosoever they are."""
    return _all(connection, api_tokens.c.name == name, api_tokens.c.revoked_at.is_(None))


def list_tokens(connection: Connection, *, owner_subject: str | None = None) -> list[TokenRecord]:
    """Return all tokens, or those of somebody, by name."""
    return _all(connection, *([] if owner_subject is None else [api_tokens.c.owner_subject == owner_subject]))


def count_tokens_of(connection: Connection, owner_subject: str, *, now: datetime) -> int:
    """Return how many tokens somebody has that are neither revoked nor expired."""
    chosen = select(func.count()).where(
        api_tokens.c.owner_subject == owner_subject,
        api_tokens.c.revoked_at.is_(None),
        or_(api_tokens.c.expires_at.is_(None), api_tokens.c.expires_at > now),
    )
    return int(connection.execute(chosen).scalar_one())


def had_tokens(connection: Connection, owner_subject: str) -> bool:
    """Tell whether there ever was a token of somebody."""
    chosen = select(api_tokens.c.id).where(api_tokens.c.owner_subject == owner_subject).limit(1)
    return connection.execute(chosen).first() is not None


def revoke_token(connection: Connection, token: NewRecord, *, by: Actor, now: datetime) -> bool:
    """Withdraw a token; tell whether it was not withdrawn yet."""
    done = connection.execute(
        update(api_tokens)
        .where(api_tokens.c.token_id == token.token_id, api_tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    if done.rowcount == 0:
        return False
    _tell(connection, EventKind.TOKEN_REVOKED, token, by=by, now=now)
    return True


def revoke_tokens_of(connection: Connection, owner_subject: str, *, now: datetime) -> None:
    """Withdraw all tokens of somebody; the event of why that is tells it."""
    connection.execute(
        update(api_tokens)
        .where(api_tokens.c.owner_subject == owner_subject, api_tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def note_uses(connection: Connection, used_at: Mapping[str, datetime]) -> None:
    """Keep when tokens were last used, by their ids; the later time wins, as several processes tell theirs."""
    at: Any = bindparam("moment", type_=api_tokens.c.last_used_at.type)
    later = or_(api_tokens.c.last_used_at.is_(None), api_tokens.c.last_used_at < at)
    noted = update(api_tokens).where(api_tokens.c.token_id == bindparam("which"), later).values(last_used_at=at)
    connection.execute(noted, [{"which": token_id, "moment": moment} for token_id, moment in used_at.items()])


def rename_owner_in_scopes(connection: Connection, name: str, new_name: str) -> None:
    """Let tokens that are limited to an owner go on to be when it gets another name."""
    chosen = select(api_tokens).where(api_tokens.c.scopes.is_not(None), api_tokens.c.revoked_at.is_(None))
    key = name.casefold()
    for token in map(_record, connection.execute(chosen).all()):
        scopes = [
            replace(scope, owner=new_name) if (scope.owner or "").casefold() == key else scope
            for scope in token.scopes or ()
        ]
        if scopes != list(token.scopes or ()):
            changed = update(api_tokens).where(api_tokens.c.token_id == token.token_id)
            connection.execute(changed.values(scopes=encode_scopes(scopes)))


def _only(connection: Connection, *conditions: ColumnElement[bool]) -> TokenRecord | None:
    row = connection.execute(select(api_tokens).where(*conditions)).one_or_none()
    return None if row is None else _record(row)


def _all(connection: Connection, *conditions: ColumnElement[bool]) -> list[TokenRecord]:
    chosen = select(api_tokens).where(*conditions).order_by(api_tokens.c.name, api_tokens.c.id)
    return [_record(row) for row in connection.execute(chosen)]


def _tell(connection: Connection, kind: EventKind, token: NewRecord, *, by: Actor, now: datetime) -> None:
    # The id after the name, and whose it is at the end, if somebody's.
    words = [token.name, token.token_id, token.owner_subject or ""]
    journal.append(connection, by.does(kind, now, detail=" ".join(words).rstrip()))


def _record(row: Row[Any]) -> TokenRecord:
    return TokenRecord(
        name=row.name,
        token_id=row.token_id,
        owner_subject=row.owner_subject,
        scopes=decode_scopes(row.scopes),
        not_before=row.not_before,
        expires_at=row.expires_at,
        description=row.description,
        secret_sha256=row.secret_sha256,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        created_by=row.created_by,
    )
