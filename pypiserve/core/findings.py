"""Problems and warnings of one file, collected while it is looked at, so that all of them are told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from pypiserve.core.errors import InvalidUpload, Problem

__all__ = ["Findings"]

T = TypeVar("T")

_MAX_FINDINGS = 50


class Findings:
    """Collects problems and warnings in order, each of them once."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._warnings: dict[Problem, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the file is refused for."""
        return tuple(self._problems)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is not quite right, and not refused."""
        return tuple(self._warnings)

    def refuse(self, problems: Iterable[Problem]) -> None:
        """
        Add problems.

        Raises:
            InvalidUpload: There are so many of them that more would help nobody.
        """
        self._problems |= dict.fromkeys(problems)
        if len(self._problems) >= _MAX_FINDINGS:
            self.raise_problems()

    def warn(self, warnings: Iterable[Problem]) -> None:
        """Add warnings; those over the bound are dropped."""
        for warning in warnings:
            if len(self._warnings) < _MAX_FINDINGS:
                self._warnings[warning] = None

    def attempt(self, check: Callable[[], T]) -> T | None:
        """Run a check; when it raises ``InvalidUpload``, add its problems as ``refuse`` does, and return ``None``."""
        try:
            return check()
        except InvalidUpload as error:
            self.refuse(error.problems)
            return None

    def raise_problems(self) -> None:
        """
        Refuse the file if there is a problem.

        Raises:
            InvalidUpload: With all problems.
        """
        if self._problems:
            raise InvalidUpload(*tuple(self._problems)[:_MAX_FINDINGS])
