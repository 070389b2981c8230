"""What a hostile or malformed upload is, for the corpus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

__all__ = ["HostileCase", "each"]


@dataclass(frozen=True)
class HostileCase:
    """
    One upload that a strict index must refuse.

    Attributes:
        name: What is wrong, in kebab-case; unique in its family.
        filename: The file name that it comes under.
        content: Builds the file.
        codes: The code of every problem that must be told, and of no other.
        fields: Form fields to add or replace.
        lenient: The same for a lenient index; ``None`` where that makes no difference.
    """

    name: str
    filename: str
    content: Callable[[], bytes]
    codes: tuple[str, ...]
    fields: Mapping[str, str | list[str]] = field(default_factory=dict)
    lenient: tuple[str, ...] | None = None

    @property
    def lenient_codes(self) -> tuple[str, ...]:
        """Codes that a lenient index must tell; none if it takes the file."""
        return self.codes if self.lenient is None else self.lenient


def each(*families: list[HostileCase]) -> list[object]:
    """Return the cases as parameters for pytest, each under its name."""
    return [pytest.param(case, id=case.name) for family in families for case in family]
