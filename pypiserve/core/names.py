"""
Names: of projects, of owners and of indexes.

Spec: Names and normalization (PyPA specifications), PEP 503.
"""

from __future__ import annotations

import re
from typing import NewType

from packaging.utils import NormalizedName, canonicalize_name

__all__ = [
    "RESERVED_OWNER_NAMES",
    "IndexName",
    "NormalizedName",
    "OwnerName",
    "as_index_name",
    "as_owner_name",
    "is_project_name",
    "look_of",
    "normalise",
]

OwnerName = NewType("OwnerName", str)
"""The name of a user or an organisation, as written at its creation; compare with ``casefold()``."""

IndexName = NewType("IndexName", str)
"""The name of one index of an owner, lowercase."""

RESERVED_OWNER_NAMES = frozenset(
    {"api", "files", "legacy", "mirror", "packages", "pypi", "rpc2", "rss", "simple", "static", "stats", "-", "_"}
)
"""First path segments that the server needs for itself."""

MAX_NAME_LENGTH = 200
"""Longest project name accepted; file systems and databases end at 255 bytes for a file name."""

_PROJECT = re.compile(r"^([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)
_LOOKS = str.maketrans("lio", "110")
_OWNER = re.compile(r"^[A-Z0-9]([A-Z0-9._-]{0,62}[A-Z0-9])?\Z", re.IGNORECASE | re.ASCII)
_INDEX = re.compile(r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?\Z", re.ASCII)


def is_project_name(text: str) -> bool:
    """Tell whether the text is a valid project name, in any spelling."""
    return len(text) <= MAX_NAME_LENGTH and _PROJECT.match(text) is not None


def normalise(name: str) -> NormalizedName:
    """
    Return the normalised form of a project name: runs of ``-``, ``_`` and ``.`` become one ``-``, lower case.

    Raises:
        ValueError: The text is not a valid project name.
    """
    if not is_project_name(name):
        raise ValueError(
            "a project name has letters, digits, '-', '_' and '.', and begins and ends with a letter or digit"
        )
    return canonicalize_name(name)


def look_of(name: NormalizedName) -> str:
    """
    Return what a project name looks like: names that people take for each other have equal looks.

    Separators count for nothing, ``l`` and ``i`` look like ``1``, and ``o`` like ``0``, as on PyPI.
    """
    return name.replace("-", "").translate(_LOOKS)


def as_owner_name(text: str) -> OwnerName:
    """
    Check the name of an owner.

    Raises:
        ValueError: The text is no owner name, or is one that the server keeps for itself.
    """
    if text.casefold() in RESERVED_OWNER_NAMES:
        raise ValueError(f"{text!r} is reserved and cannot be the name of an owner")
    if _OWNER.match(text) is None:
        raise ValueError(
            "an owner name has 1 to 64 letters, digits, '-', '_' and '.', and begins and ends with a letter or digit"
        )
    return OwnerName(text)


def as_index_name(text: str) -> IndexName:
    """
    Check the name of an index.

    Raises:
        ValueError: The text is no index name.
    """
    if _INDEX.match(text) is None:
        raise ValueError(
            "an index name has 1 to 64 lowercase letters, digits, '-', '_' and '.', "
            "and begins and ends with a letter or digit"
        )
    return IndexName(text)
