"""Scopes of tokens as the catalog keeps them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.catalog.token_scopes import decode_scopes, encode_scopes
from pypiserve.core.identity import Action, Scope

_SCOPES = st.builds(
    Scope,
    owner=st.none() | st.text(min_size=1, max_size=5),
    index=st.none() | st.text(min_size=1, max_size=5),
    projects=st.none() | st.sampled_from(["*", "acme-*"]),
    actions=st.none() | st.frozensets(st.sampled_from(Action)),
)


@given(st.none() | st.lists(_SCOPES, max_size=3).map(tuple))
def test_what_is_kept_comes_back(scopes: tuple[Scope, ...] | None) -> None:
    """Also that there is no limit, and that nothing is admitted."""
    assert decode_scopes(encode_scopes(scopes)) == scopes


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ([{}], (Scope(),)),
        ([{"owner": "acme", "network": "10.0.0.0/8"}], ()),
        ([{"network": "10.0.0.0/8"}, {"owner": "acme"}], (Scope("acme"),)),
        ([{"actions": ["read", "sign"]}], (Scope(actions=frozenset({Action.READ})),)),
        ([{"actions": ["sign"]}], (Scope(actions=frozenset()),)),
    ],
)
def test_a_limit_of_a_newer_version_is_met_by_nothing(kept: list[object], expected: tuple[Scope, ...]) -> None:
    """A scope that says more than this version understands admits nothing, rather than more than was meant."""
    assert decode_scopes(json.dumps(kept)) == expected
