"""Patterns of project names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from pypiserve.core.names import normalise
from pypiserve.core.project_patterns import as_project_pattern, matches

_NAMES = st.from_regex(r"[ab-]{0,12}", fullmatch=True).map(NormalizedName)
_PATTERNS = st.from_regex(r"[ab*-]{0,8}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("acme-*", "acme-*"), (" Acme_Core ", "acme-core"), ("a.**.b", "a-*-b"), ("*", "*"), ("*-plugin", "*-plugin")],
)
def test_patterns_are_normalised_like_names(text: str, pattern: str) -> None:
    """What a user writes in another spelling means the same projects."""
    assert as_project_pattern(text) == pattern


@pytest.mark.parametrize("text", ["", "-acme", "acme-", "a?", "[ab]", "acme/*", "é*", "a" * 201, "a\nb"])
def test_other_texts_are_no_patterns(text: str) -> None:
    """Only the star has a meaning; what could match no name is refused rather than kept."""
    with pytest.raises(ValueError, match="it has"):
        as_project_pattern(text)


@given(pattern=_PATTERNS, name=_NAMES)
def test_a_star_stands_for_any_run(pattern: str, name: NormalizedName) -> None:
    """The same names match as by the regular expression that the pattern stands for."""
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    assert matches(pattern, name) == bool(re.fullmatch(expression, name))


def test_a_name_without_a_star_is_itself_only() -> None:
    """A grant on one project is not one on those that begin like it."""
    assert matches("acme", normalise("Acme"))
    assert not matches("acme", normalise("acme-tools"))
