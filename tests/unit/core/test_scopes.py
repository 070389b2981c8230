"""One scope within another: nothing that the inner one admits is beyond the outer one."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from pypiserve.core.identity import Action, Scope
from pypiserve.core.project_patterns import as_project_pattern, includes, matches

_READ = frozenset({Action.READ})


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        (Scope(), Scope()),
        (Scope("acme", "pypi", "x", _READ), Scope()),
        (Scope("ACME"), Scope("acme")),
        (Scope(actions=_READ), Scope(actions=frozenset({Action.READ, Action.PUBLISH}))),
        (Scope("acme", "pypi", "acme-x", _READ), Scope("acme", "pypi", "acme-*", _READ)),
    ],
)
def test_a_narrower_scope_is_within(inner: Scope, outer: Scope) -> None:
    """Each limit of the outer one has one of the inner one that is as narrow."""
    assert inner.is_within(outer)
    assert (inner == outer) or inner.owner == "ACME" or not outer.is_within(inner)


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        (Scope(), Scope("acme")),
        (Scope("other"), Scope("acme")),
        (Scope("acme"), Scope("acme", "pypi")),
        (Scope("acme", "dev"), Scope("acme", "pypi")),
        (Scope(), Scope(projects="*")),
        (Scope(projects="acme*"), Scope(projects="acme-*")),
        (Scope(), Scope(actions=_READ)),
        (Scope(actions=frozenset({Action.PUBLISH})), Scope(actions=_READ)),
    ],
)
def test_a_wider_scope_is_not_within(inner: Scope, outer: Scope) -> None:
    """What the inner one leaves open, the outer one may not limit."""
    assert not inner.is_within(outer)


_PATTERNS = st.text("ab*", min_size=1, max_size=6).map(as_project_pattern)
_NAMES = [NormalizedName("".join(letters)) for size in range(1, 6) for letters in product("abc", repeat=size)]
_SCOPES = st.builds(
    Scope,
    owner=st.sampled_from([None, "acme", "Acme", "other"]),
    index=st.sampled_from([None, "pypi", "dev"]),
    projects=st.none() | _PATTERNS,
    actions=st.none() | st.frozensets(st.sampled_from(Action), min_size=1),
)


@given(_PATTERNS, _PATTERNS)
def test_a_pattern_includes_what_it_stands_for(outer: str, inner: str) -> None:
    """A pattern that is said to include another one matches every name that the other one does."""
    if includes(outer, inner):
        assert [name for name in _NAMES if matches(inner, name) and not matches(outer, name)] == []
    else:
        # With a letter that is in neither, there is a name that tells them apart.
        spelt = NormalizedName(inner.replace("*", "z"))
        assert matches(inner, spelt)
        assert not matches(outer, spelt)


@given(_SCOPES, _SCOPES, st.sampled_from(Action), st.sampled_from(_NAMES))
def test_what_is_within_never_widens(inner: Scope, outer: Scope, action: Action, project: NormalizedName) -> None:
    """Wherever the inner one admits something, the outer one does."""
    if not inner.is_within(outer):
        return
    for owner, index in product((None, "acme", "other"), (None, "pypi", "dev")):
        if inner.admits(action, owner=owner, index=index):
            assert outer.admits(action, owner=owner, index=index)
            assert outer.admits_project(project) >= inner.admits_project(project)
            assert (outer.projects is None) >= (inner.projects is None)
