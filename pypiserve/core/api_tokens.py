"""
The spelling of API tokens: ``pypiserve_``, 32 random letters and digits, 6 letters and digits of checksum.

The prefix and the checksum let secret scanners recognise a leaked token without asking us, and let us tell a token
from a password without a look-up. 32 characters of 62 are 190 random bits: a plain SHA-256 keeps them safe at rest.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib

__all__ = ["API_TOKEN_PREFIX", "hash_api_token", "looks_like_api_token", "new_api_token"]

API_TOKEN_PREFIX = "pypiserve_"  # noqa: S105 - what every token begins with
"""What every API token begins with."""

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LENGTH = 32
_CHECKSUM_LENGTH = 6
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
"""Every two digits, by their value: a token is checked with each request."""

_SHAPE = re.compile(rf"{API_TOKEN_PREFIX}[0-9A-Za-z]{{{_RANDOM_LENGTH + _CHECKSUM_LENGTH}}}\Z")


def new_api_token() -> str:
    """Make a token. It is a secret: show it once, and keep only ``hash_api_token`` of it."""
    body = API_TOKEN_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return body + _checksum(body)


def looks_like_api_token(text: str) -> bool:
    """Tell whether the text has the prefix, alphabet, length and checksum of our tokens."""
    if _SHAPE.match(text) is None:
        return False
    body, checksum = text[:-_CHECKSUM_LENGTH], text[-_CHECKSUM_LENGTH:]
    return hmac.compare_digest(_checksum(body), checksum)


def hash_api_token(text: str) -> str:
    """Return the SHA-256 of the whole token, 64 lowercase hex characters: the form in which it is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(body: str) -> str:
    """Write the CRC-32 of the text in base 62, most significant digit first, zero padded."""
    rest, last = divmod(zlib.crc32(body.encode()), len(_PAIRS))
    first, middle = divmod(rest, len(_PAIRS))
    return _PAIRS[first] + _PAIRS[middle] + _PAIRS[last]
