"""The rules for beginning a project: how many, and under which names. Projects that exist are not asked about."""

from __future__ import annotations

import math
import sys
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from packaging.utils import NormalizedName, canonicalize_name

from pypiserve.catalog import admissions
from pypiserve.catalog.database import Connection
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import InvalidUpload, PypiserveError, TooManyProjects
from pypiserve.core.identity import Identity
from pypiserve.core.index_rules import IndexRules, Validation
from pypiserve.core.names import look_of

__all__ = ["refusal_of_new_project"]

_STANDARD_LIBRARY = frozenset(canonicalize_name(name) for name in sys.stdlib_module_names)
_DAY = timedelta(days=1)


def refusal_of_new_project(
    connection: Connection, index: IndexRecord, identity: Identity, *, name: NormalizedName, now: datetime
) -> PypiserveError | None:
    """Decide whether an identity may begin a project of this name, which the index does not have."""
    return (
        _prohibited(index.rules, name)
        or _standard_library(index.rules, name)
        or _similar(connection, index, name)
        or _too_many(connection, index, identity, now)
    )


def _prohibited(rules: IndexRules, name: NormalizedName) -> PypiserveError | None:
    if not any(fnmatchcase(name, _pattern(text)) for text in rules.prohibited_names):
        return None
    return InvalidUpload.because(
        "prohibited-name", f"No project may be called {name} here; choose another name, or ask an administrator"
    )


def _pattern(text: str) -> str:
    """Names are compared as they are normalised; only ``*`` and ``?`` have a meaning."""
    return canonicalize_name(text).replace("[", "[[]")


def _standard_library(rules: IndexRules, name: NormalizedName) -> PypiserveError | None:
    if not rules.refuse_standard_library_names or rules.validation is Validation.LENIENT:
        return None
    if name not in _STANDARD_LIBRARY:
        return None
    return InvalidUpload.because(
        "standard-library-name", f"{name} is a module of Python's standard library; choose another name"
    )


def _similar(connection: Connection, index: IndexRecord, name: NormalizedName) -> PypiserveError | None:
    if not index.rules.refuse_similar_names or index.rules.validation is Validation.LENIENT:
        return None
    other = admissions.name_that_looks_like(connection, index.id, look_of(name))
    if other is None:
        return None
    # Who may publish may read: the name of the other is no secret.
    return InvalidUpload.because(
        "similar-name", f"{name} looks too much like the project {other}; publish to that one, or choose another name"
    )


def _too_many(connection: Connection, index: IndexRecord, identity: Identity, now: datetime) -> PypiserveError | None:
    limit = index.rules.max_new_projects_per_day
    if limit is None:
        return None
    oldest = admissions.nth_last_beginning(
        connection, index.id, subject=identity.subject, number=limit, since=now - _DAY
    )
    if oldest is None:
        return None
    return TooManyProjects(limit, retry_after_seconds=max(1, math.ceil((oldest + _DAY - now).total_seconds())))
