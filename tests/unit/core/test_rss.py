"""RSS documents."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pypiserve.core.rss import Feed, Item, write_feed

AT = datetime(2026, 3, 1, 9, 5, 7, 123456, tzinfo=UTC)


@given(st.text())
def test_any_text_is_readable(text: str) -> None:
    """Whatever stands in a title or a link, the document can be parsed, and has the text but for what XML forbids."""
    item = Item(text, text, text, text, AT)
    parsed = ET.fromstring(write_feed(Feed(text, text, text, [item])).decode())
    for name in ("channel/title", "channel/item/link", "channel/item/guid"):
        kept = parsed.findtext(name, "")
        assert [each for each in kept if each not in text and each != "\n"] == []
        assert not any(ord(each) < 0x20 and each not in "\t\n\r" for each in kept)


def test_control_characters_and_markup() -> None:
    """Control characters are left out, and markup is text."""
    item = Item("a\x00\x1b[31m<b>&\ufffe\x9f", "https://h/?a=1&b=2", "g", "d", AT)
    document = write_feed(Feed("t", "l", "d", [item])).decode()
    assert "<title>a[31m&lt;b&gt;&amp;</title><link>https://h/?a=1&amp;b=2</link>" in document


def test_dates() -> None:
    """A date is that of RFC 822, in GMT."""
    document = write_feed(Feed("t", "l", "d", [Item("t", "l", "g", "d", AT)])).decode()
    assert "<pubDate>Sun, 01 Mar 2026 09:05:07 GMT</pubDate>" in document
