"""
What the head of a request says about its body.

Spec: RFC 9112, section 6 (message body); RFC 9110, section 10.1.1 (``Expect``).
"""

from __future__ import annotations

from tornado.httputil import HTTPHeaders

__all__ = ["declared_bytes", "has_body", "read_expectations", "waits_for_permission"]

_CONTINUE = "100-continue"
_LENGTH_DIGITS = 18


def declared_bytes(headers: HTTPHeaders) -> int:
    """Return the declared length; 0 when none is declared, or one that cannot be read."""
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and len(length) <= _LENGTH_DIGITS else 0


def has_body(headers: HTTPHeaders) -> bool:
    """Tell whether a body will be read; a head that contradicts itself ends the connection before that."""
    if "Transfer-Encoding" not in headers:
        return declared_bytes(headers) > 0
    return headers["Transfer-Encoding"].lower() == "chunked" and "Content-Length" not in headers


def waits_for_permission(headers: HTTPHeaders) -> bool:
    """Tell whether the client sends its body only after "100 Continue"."""
    return headers.get("Expect", "") == _CONTINUE


def read_expectations(headers: HTTPHeaders, version: str) -> None:
    """
    Write the head of a request as Tornado understands it, before Tornado comes to its body.

    Args:
        headers: Changed in place.
        version: ``HTTP/1.1`` or ``HTTP/1.0``.
    """
    # Tornado knows one spelling, and says "100 Continue" to clients of HTTP/1.0 too, who do not know it.
    if headers.get("Expect", "").lower() == _CONTINUE:
        del headers["Expect"]
        if version != "HTTP/1.0":
            headers["Expect"] = _CONTINUE
    length = headers.get("Content-Length", "")
    if length.isdecimal() and len(length) > _LENGTH_DIGITS:
        # More than any body has; Python reads no number of thousands of digits, and Tornado takes it for none.
        headers["Content-Length"] = "9" * _LENGTH_DIGITS
