"""The info object has every key of PyPI's, with its conventions for what is missing."""

from __future__ import annotations

from pypiserve.core.legacy_info import describe


def test_nothing_said() -> None:
    """Lists and objects without content are null; classifiers are an empty list."""
    info = describe({})
    assert info.pop("classifiers") == []
    assert info.pop("downloads") == {"last_day": -1, "last_month": -1, "last_week": -1}
    assert set(info.values()) == {None}


def test_everything_said() -> None:
    """Fields of many values are lists, and links have their labels."""
    info = describe(
        {
            "author-email": ("a@example.com",),
            "home-page": ("https://example.com",),
            "project-url": ("Docs, https://example.com/docs,1", "no label"),
            "provides-extra": ("tests",),
            "requires-dist": ("idna>=3", 'six; extra == "tests"'),
        }
    )
    assert info["author_email"] == "a@example.com"
    assert info["project_urls"] == {"Homepage": "https://example.com", "Docs": "https://example.com/docs,1"}
    assert info["provides_extra"] == ["tests"]
    assert info["requires_dist"] == ["idna>=3", 'six; extra == "tests"']
