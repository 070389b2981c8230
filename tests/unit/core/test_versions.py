"""Versions: what parses, which are equal, how they sort."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import VERSION_PATTERN, Version

from pypiserve.core.errors import InvalidUpload
from pypiserve.core.versions import MAX_VERSION_LENGTH, parse_version, same_version, sort_versions, version_key

numbers = st.integers(0, 12).map(str)


@st.composite
def version_texts(draw: st.DrawFn) -> str:
    epoch = draw(st.sampled_from(["", "0!", "1!"]))
    release = ".".join(draw(st.lists(numbers, min_size=1, max_size=4)))
    pre = draw(st.sampled_from(["", "a0", "rc1", "-beta.2", "B2"]))
    post = draw(st.sampled_from(["", ".post0", "-1", ".post1"]))
    dev = draw(st.sampled_from(["", ".dev0", ".DEV0"]))
    local = draw(st.sampled_from(["", "+cu118", "+CU118", "+1", "+01", "+a.b", "+a-b"]))
    return f"{epoch}{release}{pre}{post}{dev}{local}"


@given(version_texts(), version_texts())
def test_equal_versions_and_only_those_have_equal_keys(one: str, other: str) -> None:
    """A key stands for all spellings of a version, and for no other version."""
    first, second = parse_version(one), parse_version(other)

    assert (version_key(first) == version_key(second)) == (first == second)


@given(version_texts())
def test_a_key_is_a_spelling_of_its_version(text: str) -> None:
    """A key parses to the version that it stands for, and is its own key."""
    key = version_key(parse_version(text))

    assert parse_version(key) == parse_version(text)
    assert version_key(parse_version(key)) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [("1.0", "1"), ("1.0.0", "1"), ("v1.0", "1"), ("0!1.0", "1"), ("2!1.0", "2!1"), ("1.0+Local.01", "1+local.1")],
)
def test_keys(text: str, key: str) -> None:
    """Trailing zeros go; epochs and local versions stay."""
    assert version_key(parse_version(text)) == key


def is_version(text: str) -> bool:
    return re.fullmatch(VERSION_PATTERN, text.strip(), re.VERBOSE | re.IGNORECASE) is not None


@given(st.text(max_size=20).filter(lambda text: not is_version(text)))
def test_a_text_that_is_no_version_is_refused_in_one_line(text: str) -> None:
    """Whatever is sent as version, the answer is a version or a sentence of one ASCII line."""
    with pytest.raises(InvalidUpload) as caught:
        parse_version(text)

    assert [problem.code for problem in caught.value.problems] == ["invalid-version"]
    assert str(caught.value).isascii()
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "one", "1.0 ", "\n1.0", "1.0-x", "1.0po\u017ft1", "\u0661.0", "1..0", "1.0\0"])
def test_texts_that_are_no_versions(text: str) -> None:
    """White space, foreign letters and digits are no part of a version."""
    with pytest.raises(InvalidUpload, match="is not a version; write one like"):
        parse_version(text)


def test_an_overlong_version_is_refused_without_repeating_it() -> None:
    """The bound on a version protects the parser and the answer."""
    with pytest.raises(InvalidUpload) as caught:
        parse_version("1" * (MAX_VERSION_LENGTH + 1))

    assert len(str(caught.value)) < MAX_VERSION_LENGTH


@given(st.permutations(["oops", "1.0", "1.0.0", "1.0.dev1", "1!0.1", "0.9", "1.0+local", "1.0.post1", "bad one"]))
def test_sorting_does_not_depend_on_the_order_given(texts: list[str]) -> None:
    """Unparsable texts come first, then versions by PEP 440, equal ones as text."""
    strangers, versions = ["bad one", "oops"], ["0.9", "1.0.dev1", "1.0", "1.0.0", "1.0+local", "1.0.post1", "1!0.1"]

    assert sort_versions(texts) == strangers + versions


@given(st.lists(version_texts(), max_size=8))
def test_versions_are_sorted_as_pep_440_says(texts: list[str]) -> None:
    """The order of the result is the order of the versions."""
    found = [Version(text) for text in sort_versions(texts)]

    assert found == sorted(found)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.0", "1.0.0", True),
        ("1.0", "1.0", True),
        ("1.0", "1.1", False),
        ("odd", "odd", True),
        ("odd", "even", False),
    ],
)
def test_spellings_of_one_version(one: str, other: str, same: bool) -> None:  # noqa: FBT001 - pytest passes by name
    """Spellings are compared as versions, and as text where they are none."""
    assert same_version(one, other) is same_version(other, one) is same
