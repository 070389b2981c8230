"""Patterns of project names, such as ``acme-*``: what a grant or a credential is limited to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.utils import NormalizedName

__all__ = ["EVERYTHING", "NOTHING", "Reach", "as_project_pattern", "includes", "matches"]

_MAX_LENGTH = 200
_PATTERN = re.compile(r"[a-z0-9*](?:[a-z0-9*-]*[a-z0-9*])?\Z")
_SEPARATORS = re.compile(r"[-_.]+")
_STARS = re.compile(r"\*+")


def as_project_pattern(text: str) -> str:
    """
    Return a pattern in the spelling in which it is compared: as names are normalised, with single stars.

    Args:
        text: Letters, digits, ``-``, ``_``, ``.`` and, for any run of characters, ``*``.

    Raises:
        ValueError: It cannot be the pattern of a project's name; the message says why.

    >>> as_project_pattern("Acme_**")
    'acme-*'
    """
    pattern = _STARS.sub("*", _SEPARATORS.sub("-", text.strip().lower()))
    if len(pattern) > _MAX_LENGTH:
        raise ValueError(f"it has more than {_MAX_LENGTH} characters")
    if _PATTERN.match(pattern) is None:
        raise ValueError("it has letters, digits, '-', '_', '.' and '*', and no separator at either end")
    return pattern


def includes(outer: str, inner: str) -> bool:
    """
    Tell whether one pattern stands for all the names that another one stands for.

    >>> [includes("acme-*", pattern) for pattern in ("acme-*-core", "acme-x", "acme*")]
    [True, True, False]
    """
    # A star of the inner one is a character that stands nowhere in the outer one but under its stars.
    return matches(outer, NormalizedName(inner))


def matches(pattern: str, name: NormalizedName) -> bool:
    """
    Tell whether a normalised name is one of those that a pattern stands for.

    Time grows with the length of the name, whatever the pattern: who grants chooses it, and strangers the name.

    >>> [matches("acme-*", name) for name in ("acme-tools", "acme", "other")]
    [True, False, False]
    """
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *middle, last = rest
    end = len(name) - len(last)
    position = len(first)
    if position > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:
        found = name.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


@dataclass(frozen=True)
class Reach:
    """
    The projects of an index to which somebody may do one thing. Equal reaches see equal lists.

    Attributes:
        everything: Whether it is all projects.
        parts: Otherwise, pairs of a grant's pattern and a scope's pattern, of which one pair must match.
    """

    everything: bool = False
    parts: frozenset[tuple[str, str]] = frozenset()

    def __bool__(self) -> bool:
        return self.everything or bool(self.parts)

    def covers(self, project: NormalizedName) -> bool:
        """Tell whether a project is one of them, by its name alone."""
        return self.everything or any(
            matches(granted, project) and matches(scoped, project) for granted, scoped in self.parts
        )


EVERYTHING = Reach(everything=True)
"""All projects."""

NOTHING = Reach()
"""None."""
