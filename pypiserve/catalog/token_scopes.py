"""
How the scopes of API tokens are kept: a JSON list of objects, each with what it is limited to.

What this version does not understand is taken for a limit that nothing meets: a newer one wrote it, and meant one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pypiserve.core.identity import Action, Scope

__all__ = ["decode_scopes", "encode_scopes"]

_KEYS = frozenset({"owner", "index", "projects", "actions"})


def encode_scopes(scopes: Sequence[Scope] | None) -> str | None:
    """Write scopes for the catalog; ``None`` for no limit."""
    return None if scopes is None else json.dumps([_as_object(scope) for scope in scopes])


def decode_scopes(text: str | None) -> tuple[Scope, ...] | None:
    """Read what ``encode_scopes`` wrote; ``None`` for no limit."""
    if text is None:
        return None
    return tuple(_as_scope(found) for found in json.loads(text) if _KEYS.issuperset(found))


def _as_object(scope: Scope) -> dict[str, Any]:
    facts = {
        "owner": scope.owner,
        "index": scope.index,
        "projects": scope.projects,
        "actions": None if scope.actions is None else [action for action in Action if action in scope.actions],
    }
    return {name: value for name, value in facts.items() if value is not None}


def _as_scope(found: dict[str, Any]) -> Scope:
    actions = found.get("actions")
    known = None if actions is None else frozenset(action for action in Action if action in actions)
    return Scope(found.get("owner"), found.get("index"), found.get("projects"), known)
