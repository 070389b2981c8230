"""Names of projects, owners and indexes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from pypiserve.core.names import (
    MAX_NAME_LENGTH,
    RESERVED_OWNER_NAMES,
    as_index_name,
    as_owner_name,
    is_project_name,
    look_of,
    normalise,
)

project_names = st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9._-]{0,40}[A-Za-z0-9])?\Z")


@given(project_names)
def test_normalising_twice_changes_nothing_more(name: str) -> None:
    """A normalised name is its own normalised form, and a valid project name."""
    once = normalise(name)

    assert normalise(once) == once
    assert is_project_name(once)


@given(st.lists(st.text("abcXYZ019", min_size=1, max_size=5), min_size=1, max_size=5), st.data())
def test_runs_of_separators_collapse(words: list[str], data: st.DataObject) -> None:
    """However words are joined by dots, hyphens and underscores, the name is the same."""
    separators = st.text("-_.", min_size=1, max_size=4)
    written = words[0] + "".join(data.draw(separators) + word for word in words[1:])

    assert normalise(written) == "-".join(words).lower()


@given(st.text(max_size=30))
def test_any_text_is_either_a_name_or_refused(text: str) -> None:
    """What is taken for a name normalises as packaging does it; everything else is a ValueError."""
    if is_project_name(text):
        assert normalise(text) == canonicalize_name(text, validate=True)
    else:
        with pytest.raises(ValueError, match="a project name has"):
            normalise(text)


@pytest.mark.parametrize("text", ["", "-a", "a-", ".a", "a b", "a/b", "é", "a\n", "\u017f", "\u212a", "a" * 201])
def test_texts_that_are_no_project_names(text: str) -> None:
    """Empty, overlong and non-ASCII texts, and those with separators at an end, are no project names."""
    assert not is_project_name(text)


def test_the_longest_project_name() -> None:
    """A project name may be as long as the bound says."""
    assert normalise("a" * MAX_NAME_LENGTH) == "a" * MAX_NAME_LENGTH


def test_what_is_reserved() -> None:
    """No owner has the name of a path at the host's root, today's or one that Gitea and PyPI taught clients."""
    of_the_host = {"api", "packages", "-", "_"}
    of_an_index = {"files", "legacy", "mirror", "pypi", "rpc2", "rss", "simple", "static", "stats"}
    assert of_the_host | of_an_index == RESERVED_OWNER_NAMES


@pytest.mark.parametrize("name", sorted(RESERVED_OWNER_NAMES))
def test_reserved_owner_names(name: str) -> None:
    """First path segments of the server are no owner names, in any letter case."""
    for spelling in (name, name.upper()):
        with pytest.raises(ValueError, match="is reserved"):
            as_owner_name(spelling)


@pytest.mark.parametrize("name", ["a", "main", "My.Team_1", "x" * 64, "simple-tools"])
def test_owner_names(name: str) -> None:
    """An owner name is kept as written."""
    assert as_owner_name(name) == name


@pytest.mark.parametrize("name", ["", ".a", "a.", "..", "a/b", "a b", "x" * 65, "ä", "a\n"])
def test_texts_that_are_no_owner_names(name: str) -> None:
    """Paths, spaces, overlong and non-ASCII texts are no owner names."""
    with pytest.raises(ValueError, match="an owner name has"):
        as_owner_name(name)


@pytest.mark.parametrize("name", ["pypi", "staging", "a", "nightly-2.0", "x" * 64])
def test_index_names(name: str) -> None:
    """An index name is lowercase and kept as written."""
    assert as_index_name(name) == name


@pytest.mark.parametrize("name", ["", "PyPI", "-a", "a/", "x" * 65, "a\n"])
def test_texts_that_are_no_index_names(name: str) -> None:
    """Upper case, paths and overlong texts are no index names."""
    with pytest.raises(ValueError, match="an index name has"):
        as_index_name(name)


@pytest.mark.parametrize(
    ("one", "other"), [("foo-bar", "foobar"), ("pil1ow", "pillow"), ("f00", "foo"), ("xii", "x1l")]
)
def test_names_that_look_alike(one: str, other: str) -> None:
    """Separators do not count, and neither do letters that people take for digits."""
    assert look_of(normalise(one)) == look_of(normalise(other))


@pytest.mark.parametrize(("one", "other"), [("foo", "fo"), ("a-b", "a-c"), ("x2", "xz")])
def test_names_that_look_different(one: str, other: str) -> None:
    """Nothing else is taken for the same."""
    assert look_of(normalise(one)) != look_of(normalise(other))
