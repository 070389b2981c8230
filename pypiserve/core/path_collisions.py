"""Paths of one archive that cannot all be files of their own, wherever it is unpacked."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from pypiserve.core.archive_parts import shown, unsafe
from pypiserve.core.errors import Problem

__all__ = ["case_collision", "case_collisions", "check_tree", "fold"]


def fold(path: str) -> str:
    """Return what file systems that do not tell letter case or composition apart make of a path."""
    return unicodedata.normalize("NFC", path).casefold()


def case_collision(first: str, second: str) -> Problem:
    """Build the warning about two paths that are one file on some systems."""
    return Problem(
        "case-collision",
        f"{shown(first)} and {shown(second)} differ in letter case only, and are one file on some systems",
    )


def case_collisions(paths: Iterable[str]) -> Iterator[Problem]:
    """Warn of paths that are one file on some systems."""
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(fold(path), path)
        if other != path:
            yield case_collision(other, path)


def check_tree(paths: Iterable[str]) -> None:
    """
    Refuse a path that is a file and, for another path, a directory.

    With the slash sorted before all else, what is in a directory follows it at once.

    Args:
        paths: Files and directories; those end in a slash.

    Raises:
        InvalidUpload: ``unsafe-archive``.
    """
    for before, path in pairwise(sorted(path.replace("/", "\0") for path in paths)):
        if path.startswith(f"{before}\0") and not before.endswith("\0"):
            raise unsafe(f"{shown(before.replace(chr(0), '/'))} is a file and a directory")
