"""Reason phrases, against what Tornado takes."""

from __future__ import annotations

import http

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import RequestHandler

from pypiserve.web.reason import reason_phrase


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("File already exists", "File already exists"),
        ("'1!2.0+local' is taken: 100% sure; ask #4", "'1!2.0+local' is taken: 100% sure; ask #4"),
        ("one\r\ntwo\n\n  three\t", "one two three"),
        ("needs <name> >=3", "needs (name) )=3"),
        ("naïve café", "naive cafe"),
        ("ﬁle Ⅳ", "file IV"),
        ("\N{FULLWIDTH LESS-THAN SIGN}b\N{FULLWIDTH GREATER-THAN SIGN}", "(b)"),
        ("雪 x", "? x"),
        ("a\0b\x1bc\x7fd\x9be", "a?b?c?d?e"),
        ("", "No reason given"),
        (" \r\n ", "No reason given"),
    ],
)
def test_a_text_becomes_one_plain_line(text: str, expected: str) -> None:
    """What a status line can carry stays, the rest is replaced by something readable."""
    assert reason_phrase(text) == expected


def test_a_long_text_is_trimmed() -> None:
    """A long sentence ends in dots after 200 characters; one of 200 stays whole."""
    assert reason_phrase("x" * 200) == "x" * 200
    assert reason_phrase("x" * 201) == "x" * 197 + "..."
    assert reason_phrase("word " * 1_000_000).endswith("word wo...")


@given(st.text())
def test_tornado_takes_every_phrase(text: str) -> None:
    """Tornado never replaces a phrase by "Unknown", and no phrase can end the status line."""
    phrase = reason_phrase(text)
    handler = RequestHandler.__new__(RequestHandler)  # the status needs neither an application nor a request
    handler.set_status(http.HTTPStatus.BAD_REQUEST, phrase)
    assert handler._reason == phrase
    assert 1 <= len(phrase) <= 200
    assert phrase.isascii()
    assert phrase.isprintable()
