"""Ids of requests: one in the log, in the answer and in the journal, so that the three can be held together."""

from __future__ import annotations

import re
import secrets

__all__ = ["HEADER", "request_id"]

HEADER = "X-Request-Id"

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def request_id(given: str | None, *, is_trusted: bool) -> str:
    """
    Return the id of a request.

    Args:
        given: What the header of the request says.
        is_trusted: Whether a reverse proxy that we know says it. A stranger could make its requests look like
            somebody else's.
    """
    if given is not None and is_trusted and _SANE.match(given) is not None:
        return given
    return secrets.token_hex(8)
