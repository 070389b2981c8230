"""
Versions: parsing, the key under which equal versions meet, and their order.

Spec: Version specifiers (PyPA specifications), PEP 440.
"""

from __future__ import annotations

from collections.abc import Iterable

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from pypiserve.core.errors import InvalidUpload

__all__ = ["MAX_VERSION_LENGTH", "parse_version", "same_version", "sort_versions", "version_key"]

MAX_VERSION_LENGTH = 200
"""Longest version accepted, in characters."""


def parse_version(text: str) -> Version:
    """
    Parse a version; local versions and epochs are welcome.

    Args:
        text: The version as somebody wrote it, of any length.

    Raises:
        InvalidUpload: ``invalid-version``, with one line that says what a version looks like.
    """
    version = _parsed(text)
    if version is not None:
        return version
    if len(text) > MAX_VERSION_LENGTH:
        reason = f"the version is longer than {MAX_VERSION_LENGTH} characters"
    else:
        reason = f"{text!a} is not a version"
    raise InvalidUpload.because("invalid-version", f"{reason}; write one like 1.2.3, 1.0rc1 or 1.0+local (PEP 440)")


def version_key(version: Version) -> str:
    """Return the text that is the same for versions that are equal, and only for those: 1.0 and 1.0.0 give ``1``."""
    return canonicalize_version(version, strip_trailing_zero=True)


def same_version(first: str, second: str) -> bool:
    """Tell whether two spellings mean one version; texts that are no versions are compared as they are."""
    if first == second:
        return True
    one, other = _parsed(first), _parsed(second)
    return one is not None and one == other


def sort_versions(texts: Iterable[str]) -> list[str]:
    """
    Sort versions by PEP 440, and equal ones as text.

    Texts that are no versions (old mirrors have some) come first, sorted as text.
    """
    parsed = [(_parsed(text), text) for text in texts]
    strangers = sorted(text for version, text in parsed if version is None)
    versions = sorted((version, text) for version, text in parsed if version is not None)
    return strangers + [text for _, text in versions]


def _parsed(text: str) -> Version | None:
    # packaging takes white space around it, and letters that only fold to ASCII ones; versions end up in addresses.
    if len(text) > MAX_VERSION_LENGTH or not text.isascii() or text != text.strip():
        return None
    try:
        return Version(text)
    except InvalidVersion:
        return None
