"""What pypiserve promises of its speed and memory, held against the tables of a run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .tables import Table

__all__ = ["Promise", "promises_table"]


@dataclass(frozen=True)
class Promise:
    """
    A bound on one figure of one table.

    Attributes:
        text: What is promised.
        table: Where the figure stands.
        key: The figure.
        bound: The promised value.
        at_least: Whether the bound is a lower one.
        of_rounds: Makes one value of a row's rounds.
        rows: The servers whose rows count.
    """

    text: str
    table: Table
    key: str
    bound: float
    at_least: bool = False
    of_rounds: Callable[[Sequence[float]], float] = statistics.median
    rows: Sequence[str] = ("pypiserve",)

    def row(self) -> str:
        """Compare the row that is furthest from the promise."""
        values = [
            self.of_rounds(rounds)
            for label, rounds in self.table.values(self.key).items()
            if not set(self.rows).isdisjoint(label)
        ]
        if not values:
            return f"| {self.text} | not measured | - |"
        worst = min(values) if self.at_least else max(values)
        kept = worst >= self.bound if self.at_least else worst <= self.bound
        return f"| {self.text} | {worst:,.2f} | {'kept' if kept else '**not kept**'} |"


def promises_table(promises: Sequence[Promise]) -> str:
    """Write the comparison in markdown."""
    lines = ["### Promises", "", "| promise | measured | |", "| --- | ---: | --- |"]
    return "\n".join([*lines, *(promise.row() for promise in promises), ""])
