"""Tokens that are kept in memory: what is forgotten when, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from token_parts import ALICE, accounts, database, populated

from pypiserve.catalog import journal
from pypiserve.catalog.database import Database
from pypiserve.core.api_tokens import hash_api_token
from pypiserve.core.identity import Scope
from pypiserve.services.accounts import Accounts
from pypiserve.services.token_lookup import TokenLookup
from pypiserve.services.token_terms import TokenTerms

__all__ = ["accounts", "database", "populated"]

Change = Callable[[Accounts], object]


@pytest.mark.parametrize(
    ("change", "forgotten"),
    [
        (lambda accounts: accounts.tokens.create("new", ALICE.subject, TokenTerms()), []),
        (lambda accounts: accounts.grants.list_all(), []),
        (lambda accounts: accounts.robots.set_disabled("ci", disabled=True), []),
        (lambda accounts: accounts.tokens.revoke("laptop"), ["laptop"]),
        (lambda accounts: accounts.robots.delete("ci"), ["laptop", "job"]),
        (lambda accounts: accounts.owners.rename("acme", "corp"), ["laptop", "job"]),
    ],
    ids=["made", "read", "disabled", "revoked", "deleted", "renamed"],
)
async def test_what_a_change_is_about_is_read_again(
    accounts: Accounts, database: Database, change: Change, forgotten: list[str]
) -> None:
    """And nothing else: with many tokens, those that come and go must not slow the others."""
    made = {"laptop": accounts.tokens.create("laptop", ALICE.subject, TokenTerms([Scope("acme")]))}
    made["job"] = accounts.tokens.create("job", "robot:ci", TokenTerms())
    lookup = TokenLookup(database)
    digests = {name: hash_api_token(token.secret) for name, token in made.items()}
    for digest in digests.values():
        await lookup.find(digest)
    before = database.read_now(journal.head)
    change(accounts)
    for event in database.read_now(lambda connection: journal.since(connection, before)):
        lookup.notice(event)
    statements: list[Any] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *facts: statements.append(facts[2]))
    read_again = []
    for name, digest in digests.items():
        statements.clear()
        await lookup.find(digest)
        read_again += [name] if statements else []
    assert read_again == forgotten
