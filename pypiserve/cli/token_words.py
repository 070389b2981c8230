"""API tokens in words, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pypiserve.catalog.tokens import TokenRecord
from pypiserve.cli.moments import shown
from pypiserve.core.identity import Action, Scope
from pypiserve.core.project_patterns import Reach
from pypiserve.services.token_report import Powers, TokenState, state_of

__all__ = ["limits", "power", "scope_words", "scopes_as_json", "state_words"]


def state_words(token: TokenRecord) -> str:
    """Say whether a token works, and until when."""
    state = state_of(token, now=datetime.now(UTC))
    if state is TokenState.NOT_YET_VALID and token.not_before is not None:
        return f"valid from {shown(token.not_before)} on"
    if state is not TokenState.REVOKED and token.expires_at is not None:
        verb = "expired" if state is TokenState.EXPIRED else "expires"
        return f"{verb} {shown(token.expires_at)}"
    return state.value


def limits(scopes: Sequence[Scope] | None) -> str:
    """Say what a token is limited to."""
    return "no limit" if scopes is None else "; ".join(map(scope_words, scopes)) or "nothing"


def scope_words(scope: Scope) -> str:
    """Write a scope as ``acme/pypi/demo-*: read, publish``, with a star for what is not limited."""
    parts = [scope.owner, scope.index, scope.projects]
    while parts and parts[-1] is None:
        parts.pop()
    place = "/".join(part or "*" for part in parts) or "everywhere"
    return place if scope.actions is None else f"{place}: {', '.join(_in_order(scope.actions))}"


def scopes_as_json(scopes: Sequence[Scope] | None) -> list[dict[str, Any]] | None:
    """Write scopes with the same keys as the interface for programs; ``None`` for no limit."""
    if scopes is None:
        return None
    return [
        {
            "owner": scope.owner,
            "index": scope.index,
            "projects": scope.projects,
            "actions": None if scope.actions is None else _in_order(scope.actions),
        }
        for scope in scopes
    ]


def power(powers: Powers) -> str:
    """Say what may be done in an index: all of it first, then what holds for some projects."""
    of_projects: dict[str, list[str]] = {}
    for action in Action:
        if action in powers.reaches:
            of_projects.setdefault(_projects(powers.reaches[action]), []).append(action.value)
    return "; ".join(", ".join(actions) + where for where, actions in of_projects.items())


def _projects(reach: Reach) -> str:
    if reach.everything:
        return ""
    patterns = {" and ".join(sorted({granted, scoped} - {"*"})) or "*" for granted, scoped in reach.parts}
    return " for " + ", ".join(sorted(patterns))


def _in_order(actions: frozenset[Action]) -> list[str]:
    return [action.value for action in Action if action in actions]
