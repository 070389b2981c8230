"""
Content negotiation: which of our representations a request gets.

Spec: RFC 9110 section 12.5; PEP 691, "Version + Format Selection".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Offer", "choose", "choose_encoding", "choose_format"]

_MAX_HEADER_CHARACTERS = 4096
_MAX_ELEMENTS = 64
_TOKEN = r"[!#$%&'*+.^_`|~0-9a-z-]+"  # noqa: S105 - a pattern of RFC 9110, no secret
_MEDIA_RANGE = re.compile(rf"{_TOKEN}/{_TOKEN}")
_CODING = re.compile(_TOKEN)
# More digits than the standard's three, and a missing zero, occur in programs that print floats.
_QVALUE = re.compile(r"(?:[01](?:\.[0-9]{0,9})?|\.[0-9]{1,9})")


@dataclass(frozen=True)
class Offer:
    """
    One representation that the server can send.

    Attributes:
        media_types: Lowercase, without parameters. The first is the type that the answer carries, and the only one
            that wildcards match; the others are further names by which clients ask for it.
    """

    media_types: tuple[str, ...]


def choose(accept: str | None, offers: Sequence[Offer]) -> Offer | None:
    """
    Return the offer that an ``Accept`` header likes best, or ``None`` when it likes none.

    A missing header, and one without any well-formed element, is ``*/*``. Parameters other than ``q`` are not
    looked at.

    Args:
        accept: The header's value as sent; only the first 4 KiB and 64 elements count.
        offers: In the server's order of preference, which decides between equals.
    """
    weights = _weights(accept, _MEDIA_RANGE) or {"*/*": 1.0}
    qualities = [_quality(offer, weights) for offer in offers]
    best = max(qualities, default=0.0)
    return offers[qualities.index(best)] if best > 0 else None


def choose_format(value: str, offers: Sequence[Offer]) -> Offer | None:
    """
    Return the offer that the value of ``?format=`` names, or ``None`` for an unknown one.

    Args:
        value: A media type, already percent-decoded, in any letter case; a blank is a plus sign sent unescaped.
        offers: What there is.
    """
    named = value.replace(" ", "+").lower()
    return next((offer for offer in offers if named in offer.media_types), None)


def choose_encoding(accept_encoding: str | None, offered: Sequence[str]) -> str:
    """
    Return the content coding to use: one of those offered, or ``identity``.

    ``identity`` is also the answer to a header that excludes everything: an unreadable page helps nobody.

    Args:
        accept_encoding: The header's value as sent. A missing one asks for no coding.
        offered: Codings in the server's order of preference, such as ``("gzip",)``.
    """
    weights = _weights(accept_encoding, _CODING)
    if "x-gzip" in weights:  # an old name of the same coding, RFC 9110 section 8.4.1.3
        weights.setdefault("gzip", weights["x-gzip"])
    qualities = {coding: weights.get(coding, weights.get("*", 0.0)) for coding in offered}
    best = max(qualities, key=qualities.__getitem__, default="identity")
    floor = weights.get("identity", 0.0)
    return best if qualities.get(best, 0.0) > 0 and qualities[best] >= floor else "identity"


def _quality(offer: Offer, weights: dict[str, float]) -> float:
    """Weigh an offer by the most specific elements that speak of it; a refusal of the first type stands."""
    sent = offer.media_types[0]
    exact = [weights[media_type] for media_type in offer.media_types if media_type in weights]
    if exact:
        return max(exact) if weights.get(sent) != 0 else 0.0
    return weights.get(sent.partition("/")[0] + "/*", weights.get("*/*", 0.0))


def _weights(header: str | None, pattern: re.Pattern[str]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for element in _elements(header or ""):
        name, *parameters = (part.strip(" \t") for part in element.lower().split(";"))
        weight = _weight(parameters)
        if weight is not None and pattern.fullmatch(name):
            weights[name] = max(weight, weights.get(name, 0.0))
    return weights


def _elements(header: str) -> Iterator[str]:
    if len(header) > _MAX_HEADER_CHARACTERS:
        # Without the element that the cut goes through: half of "q=0.5" says "q=0".
        header = header[:_MAX_HEADER_CHARACTERS].rpartition(",")[0]
    yield from header.split(",", _MAX_ELEMENTS)[:_MAX_ELEMENTS]


def _weight(parameters: Sequence[str]) -> float | None:
    """Return the value of ``q``, 1 without one, ``None`` for a malformed one."""
    text = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    if _QVALUE.fullmatch(text) is None or float(text) > 1:
        return None
    return float(text)
