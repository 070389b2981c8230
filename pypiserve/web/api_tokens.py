"""``/api/v1/tokens``: API tokens, one's own, and those of robots and others for who looks after them."""

from __future__ import annotations

from typing import Any

from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.identity import Scope
from pypiserve.services.token_terms import TokenTerms
from pypiserve.web.api_admin import CareHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import signed_in
from pypiserve.web.shapes import MadeToken, NewToken, Token, TokenQuery, TokenScope, TokensQuery

__all__ = ["TokenHandler", "TokensHandler"]


class TokensHandler(CareHandler):
    """The tokens of somebody; making one."""

    @signed_in
    @operation(list[Token], query=TokensQuery)
    async def get(self) -> None:
        """List your tokens or those of somebody whom you look after, by name, revoked ones too."""
        query, tokens, by = self.read_query(TokensQuery), self.services.accounts.tokens, self.caretaker
        subject = query.subject or self.identity.subject
        found = await self.do(lambda: tokens.list_all(by=by) if query.everybody else tokens.list_of(subject, by=by))
        self.send_part(found, lambda record: Token(**_facts(record, tokens.subject_of(record))), query)

    head = get

    @signed_in
    @operation(MadeToken, status=201, body=NewToken)
    async def post(self) -> None:
        """Make a token and tell it, this once."""
        new, by = self.read_body(NewToken), self.caretaker
        terms = TokenTerms(_scopes(new), new.not_before, new.expires_at, new.description)
        subject = new.subject or self.identity.subject
        made = await self.do(lambda: self.services.accounts.tokens.create(new.name, subject, terms, by=by))
        self.send_json(MadeToken(token=made.secret, **_facts(made.record, made.subject)), status=201)


class TokenHandler(CareHandler):
    """One token, by its id or its name."""

    @signed_in
    @operation(query=TokenQuery)
    async def delete(self, token: str) -> None:
        """Withdraw a token at once, on every process of the server."""
        subject, by = self.read_query(TokenQuery).subject, self.caretaker
        await self.do(lambda: self.services.accounts.tokens.revoke(token, subject=subject, by=by))
        self.send_nothing()


def _scopes(new: NewToken) -> tuple[Scope, ...] | None:
    if new.scopes is None:
        return None
    return tuple(
        Scope(each.owner, each.index, each.projects, None if each.actions is None else frozenset(each.actions))
        for each in new.scopes
    )


def _facts(record: TokenRecord, subject: str) -> dict[str, Any]:
    scopes = None if record.scopes is None else [_scope(each) for each in record.scopes]
    return {
        "id": record.token_id,
        "name": record.name,
        "subject": subject,
        "scopes": scopes,
        "not_before": record.not_before,
        "expires_at": record.expires_at,
        "description": record.description,
        "created_at": record.created_at,
        "created_by": record.created_by,
        "revoked_at": record.revoked_at,
        "last_used_at": record.last_used_at,
    }


def _scope(scope: Scope) -> TokenScope:
    actions = None if scope.actions is None else sorted(scope.actions)
    return TokenScope(owner=scope.owner, index=scope.index, projects=scope.projects, actions=actions)
