"""Reason phrases: twine and pip show them to people, so they carry the first sentence of a refusal."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["reason_phrase"]

_MAX_CHARACTERS = 200
_MAX_EXAMINED_CHARACTERS = 2000
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def reason_phrase(text: str) -> str:
    """
    Make a sentence fit for the status line of an answer.

    Tornado replaces a phrase with ``<`` or a control character by "Unknown", and writes the others as UTF-8, while
    clients read Latin-1. So only printable ASCII is left: accents go, angle brackets become round ones, other
    characters become ``?``.

    Args:
        text: Any text; the body of the answer carries it in full.

    Returns:
        One line of 1 to 200 characters.
    """
    plain = unicodedata.normalize("NFKD", text[:_MAX_EXAMINED_CHARACTERS])
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    line = " ".join(plain.split()).translate({ord("<"): "(", ord(">"): ")"})
    line = _UNPRINTABLE.sub("?", line)
    if len(line) > _MAX_CHARACTERS:
        line = line[: _MAX_CHARACTERS - 3].rstrip() + "..."
    return line or "No reason given"
