"""
What the client of a good upload reads: one sentence, and a line for each warning.

Spec: legacy upload API; the body of a success is for people, and clients print it when they are asked to say more.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pypiserve.core.errors import Problem
from pypiserve.services.publishing import Publication
from pypiserve.web.negotiation import Offer, choose

__all__ = ["outcome_of", "success_body"]

_TEXT = Offer(("text/plain", "text/html"))
_JSON = Offer(("application/json",))


def outcome_of(publication: Publication) -> tuple[int, str]:
    """Return the HTTP status and the sentence for a publication."""
    if publication.created:
        return 201, f"Published {publication.filename}"
    if publication.replaced:
        return 200, f"Replaced {publication.filename}"
    return 200, f"Unchanged: {publication.filename} is published with the same content"


def success_body(sentence: str, warnings: Sequence[Problem], accept: str | None) -> tuple[str, bytes]:
    """
    Write the body of a success.

    Args:
        sentence: What was done.
        warnings: What is not quite right with the file.
        accept: The request's ``Accept`` header.

    Returns:
        Media type and bytes.
    """
    if choose(accept, (_TEXT, _JSON)) is _JSON:
        remarks = [{"code": warning.code, "message": warning.message} for warning in warnings]
        return "application/json", (json.dumps({"message": sentence, "warnings": remarks}) + "\n").encode()
    lines = [sentence, *(f"Warning: {_in_one_line(warning.message)} [{warning.code}]" for warning in warnings)]
    return "text/plain; charset=utf-8", ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _in_one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in " ".join(text.split()))
