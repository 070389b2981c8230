"""API tokens: only the SHA-256 of each is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pypiserve.catalog import journal
from pypiserve.catalog.schema import api_tokens
from pypiserve.core.events import Actor, EventKind

__all__ = ["TokenRecord", "create_token", "find_token_by_name", "find_token_by_secret", "list_tokens", "revoke_token"]


@dataclass(frozen=True)
class TokenRecord:
    """
    One API token, without its secret.

    Attributes:
        token_id: What people and the audit call it: 16 hex digits.
    """

    name: str
    token_id: str
    secret_sha256: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def create_token(
    connection: Connection,
    name: str,
    secret_sha256: str,
    *,
    token_id: str,
    expires_at: datetime | None,
    by: Actor,
    now: datetime,
) -> None:
    """Insert a token that is its own subject. The name must never have been used (see ``find_token_by_name``)."""
    connection.execute(
        insert(api_tokens).values(
            name=name,
            token_id=token_id,
            secret_sha256=secret_sha256,
            created_at=now,
            created_by=by.subject,
            expires_at=expires_at,
        )
    )
    journal.append(connection, by.does(EventKind.TOKEN_CREATED, now, detail=name))


def find_token_by_secret(connection: Connection, secret_sha256: str) -> TokenRecord | None:
    """Look a token up by the SHA-256 of the whole token."""
    row = connection.execute(select(api_tokens).where(api_tokens.c.secret_sha256 == secret_sha256)).one_or_none()
    return None if row is None else _record(row)


def find_token_by_name(connection: Connection, name: str) -> TokenRecord | None:
    """Look a token that is its own subject up by name, revoked or not."""
    own = api_tokens.c.owner_subject.is_(None)
    row = connection.execute(select(api_tokens).where(api_tokens.c.name == name, own)).one_or_none()
    return None if row is None else _record(row)


def list_tokens(connection: Connection) -> list[TokenRecord]:
    """Return all tokens, by name."""
    return [_record(row) for row in connection.execute(select(api_tokens).order_by(api_tokens.c.name))]


def revoke_token(connection: Connection, name: str, *, by: Actor, now: datetime) -> bool:
    """Withdraw a token that is its own subject; tell whether there was one that was not withdrawn yet."""
    own = api_tokens.c.owner_subject.is_(None)
    done = connection.execute(
        update(api_tokens)
        .where(api_tokens.c.name == name, own, api_tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    if done.rowcount == 0:
        return False
    journal.append(connection, by.does(EventKind.TOKEN_REVOKED, now, detail=name))
    return True


def _record(row: Row[Any]) -> TokenRecord:
    return TokenRecord(row.name, row.token_id, row.secret_sha256, row.created_at, row.expires_at, row.revoked_at)
