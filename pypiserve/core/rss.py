"""Writing RSS 2.0. Spec: RSS 2.0.11; XML 1.0, section 2.2, for the characters that a document may have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape

__all__ = ["Feed", "Item", "write_feed"]

# Not even as references may these stand in a document.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Item:
    """
    One entry.

    Attributes:
        link: Absolute.
        guid: What tells it from all other entries, in whatever feed; need not be an address.
        published_at: Aware, UTC.
    """

    title: str
    link: str
    guid: str
    description: str
    published_at: datetime


@dataclass(frozen=True)
class Feed:
    """
    A channel.

    Attributes:
        link: Absolute.
        items: Newest first.
    """

    title: str
    link: str
    description: str
    items: Sequence[Item]


def write_feed(feed: Feed) -> bytes:
    """Return the document, as UTF-8; equal feeds have equal documents."""
    head = _elements(title=feed.title, link=feed.link, description=feed.description, language="en")
    items = "".join(
        f"<item>{_elements(title=item.title, link=item.link)}"
        f'<guid isPermaLink="false">{_text(item.guid)}</guid>'
        f"{_elements(description=item.description, pubDate=format_datetime(item.published_at, usegmt=True))}"
        "</item>\n"
        for item in feed.items
    )
    start = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0">\n'
    return f"{start}<channel>{head}\n{items}</channel>\n</rss>\n".encode()


def _elements(**texts: str) -> str:
    return "".join(f"<{name}>{_text(text)}</{name}>" for name, text in texts.items())


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("", text))
