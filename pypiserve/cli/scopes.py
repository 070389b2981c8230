"""Scopes of credentials on the command line, as ``owner=acme,project=acme-*,action=read``."""

from __future__ import annotations

import click

from pypiserve.core.identity import Action, Scope
from pypiserve.core.project_patterns import as_project_pattern

__all__ = ["describe_scope", "read_scope"]

_KEYS = ("owner", "index", "project", "action")


def read_scope(text: str) -> Scope:
    """
    Read a scope.

    Args:
        text: ``KEY=VALUE`` with commas between them: owner, index, project (a pattern), and any number of actions.

    Raises:
        click.UsageError: It is not spelt like one.
    """
    found: dict[str, list[str]] = {key: [] for key in _KEYS}
    for part in filter(None, text.split(",")):
        key, _, value = part.strip().partition("=")
        if key not in found or not value or (found[key] and key != "action"):
            raise click.UsageError(f"{text!r} is no scope; write, for example, owner=acme,project=acme-*,action=read")
        found[key].append(value)
    owner, index, project = (next(iter(found[key]), None) for key in _KEYS[:3])
    try:
        actions = frozenset(map(Action, found["action"])) or None
        return Scope(owner, index, None if project is None else as_project_pattern(project), actions)
    except ValueError as error:
        raise click.UsageError(f"{text!r} is no scope: {error}") from None


def describe_scope(scope: Scope) -> str:
    """Say in words what a scope admits."""
    actions = "anything" if scope.actions is None else ", ".join(each for each in Action if each in scope.actions)
    place = f"{scope.owner or '*'}/{scope.index or '*'}/{scope.projects or '*'}"
    return f"{actions} in {place}"
