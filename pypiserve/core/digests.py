"""Digests of files, checked once where they come in."""

from __future__ import annotations

import hashlib
import re
from typing import NewType

__all__ = ["Sha256", "as_sha256", "sha256_of"]

Sha256 = NewType("Sha256", str)
"""A SHA-256 digest as 64 lowercase hex characters."""

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def as_sha256(text: str) -> Sha256:
    """
    Check and convert the text form of a SHA-256 digest.

    Args:
        text: 64 hex characters in any letter case.

    Raises:
        ValueError: The text is not a SHA-256 digest in hex.
    """
    lowered = text.lower()
    if _SHA256.match(lowered) is None:
        raise ValueError("a SHA-256 digest has 64 hex digits")
    return Sha256(lowered)


def sha256_of(content: bytes) -> Sha256:
    """Return the SHA-256 digest of bytes in memory."""
    return Sha256(hashlib.sha256(content).hexdigest())
