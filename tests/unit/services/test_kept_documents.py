"""Documents are kept within their bound, and dropped when their project changes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from packaging.utils import NormalizedName

from pypiserve.core.events import Event, EventKind
from pypiserve.services.json_api import Links
from pypiserve.services.kept_documents import DocumentKey, KeptDocuments
from pypiserve.services.pages import Page, make_page


def key(project: str = "demo", version: str | None = None, origin: str = "https://here") -> DocumentKey:
    """Name a document of ``main/pypi``."""
    return DocumentKey(("main", "pypi", NormalizedName(project)), version, Links(origin))


def page() -> Page:
    """Make a page of 1124 bytes, as they are counted."""
    return make_page("application/json", b"x" * 100, 1)


def event(kind: EventKind = EventKind.FILE_PUBLISHED, project: str | None = "demo", index: str = "pypi") -> Event:
    """Make an event."""
    return Event(1, datetime(2026, 1, 1, tzinfo=UTC), kind, "x", owner="main", index=index, project=project)


def test_the_least_recently_used_goes_first() -> None:
    """The bound holds whatever hosts and versions are asked for."""
    kept = KeptDocuments(max_bytes=3 * page().size_bytes)
    for origin in ("a", "b", "c"):
        kept.keep(key(origin=origin), page(), generation=0)
    kept.find(key(origin="a"))
    kept.keep(key(version="1.0"), page(), generation=0)
    assert len(kept) == 3
    assert kept.find(key(origin="b")) is None
    assert kept.find(key(origin="a")) is not None


def test_what_is_too_large_is_not_kept() -> None:
    """Nor does it push others out; with no room, nothing is kept."""
    kept = KeptDocuments(max_bytes=page().size_bytes - 1)
    kept.keep(key(), page(), generation=0)
    assert len(kept) == 0


def test_long_hosts_are_not_kept() -> None:
    """The bound is one on all memory, and what a client may send as a host is longer than a document."""
    kept = KeptDocuments(max_bytes=1 << 20)
    kept.keep(key(origin="http://" + "a" * 60_000), page(), generation=0)
    assert len(kept) == 0


def test_the_same_again_counts_once() -> None:
    """Two requests at once may both write a document."""
    kept = KeptDocuments(max_bytes=2 * page().size_bytes)
    kept.keep(key("other"), page(), generation=0)
    for _ in range(3):
        kept.keep(key(), page(), generation=0)
    assert kept.find(key("other")) is not None


@pytest.mark.parametrize(
    ("event", "left"),
    [
        (event(), ["other"]),
        (event(EventKind.PROJECT_STATUS_CHANGED), ["other"]),
        (event(index="else"), ["demo", "demo", "other"]),
        (event(EventKind.TOKEN_CREATED, project=None), ["demo", "demo", "other"]),
        (event(EventKind.OTHER, project=None), []),
    ],
)
def test_events_drop_documents(event: Event, left: list[str]) -> None:
    """All documents of the project go, in every form, and no others; what nobody understands takes all."""
    kept = KeptDocuments(max_bytes=1 << 20)
    keys = [key("demo"), key("demo", "1.0"), key("other")]
    for each in keys:
        kept.keep(each, page(), generation=kept.generation)
    kept.notice(event)
    assert [each.project[2] for each in keys if kept.find(each) is not None] == left


def test_what_was_begun_before_an_event_is_not_kept() -> None:
    """It may tell of how things were."""
    kept = KeptDocuments(max_bytes=1 << 20)
    generation = kept.generation
    kept.notice(event())
    kept.keep(key(), page(), generation=generation)
    assert len(kept) == 0
