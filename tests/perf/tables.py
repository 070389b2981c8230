"""Tables: samples of several rounds in, medians in markdown out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Column", "Table"]


@dataclass(frozen=True)
class Column:
    """
    One figure of a table.

    Attributes:
        key: Its name in the samples.
        heading: With the unit.
        digits: Digits after the point.
        spread: Whether the lowest and the highest round stand behind the median.
    """

    key: str
    heading: str
    digits: int = 0
    spread: bool = False

    def cell(self, values: Sequence[float]) -> str:
        """Write the median of a figure's rounds; a dash where nothing was measured."""
        if not values:
            return "-"
        median = self._write(statistics.median(values))
        if not self.spread or len(values) == 1:
            return median
        return f"{median} ({self._write(min(values))} to {self._write(max(values))})"

    def _write(self, value: float) -> str:
        return f"{value:,.{self.digits}f}"


@dataclass
class Table:
    """A table that grows a sample at a time: one row for each label, in the order in which they first came."""

    title: str
    intro: str
    head: tuple[str, ...]
    columns: tuple[Column, ...]
    _samples: dict[tuple[str, ...], list[Mapping[str, float]]] = field(default_factory=dict)

    def add(self, label: tuple[str, ...], sample: Mapping[str, float]) -> None:
        """Take the figures of one round for one row."""
        self._samples.setdefault(label, []).append(sample)

    def values(self, key: str) -> dict[tuple[str, ...], list[float]]:
        """Give the rounds of one figure, for each row that has it."""
        return {
            label: [sample[key] for sample in samples]
            for label, samples in self._samples.items()
            if all(key in sample for sample in samples)
        }

    def markdown(self) -> str:
        """Write the table with its title and the sentence that explains it."""
        rows = [self.head + tuple(column.heading for column in self.columns)]
        rows.append(tuple("---" for _ in self.head) + tuple("---:" for _ in self.columns))
        for label, samples in sorted(self._samples.items(), key=lambda item: self._order(item[0])):
            rows.append(label + tuple(_cell(column, samples) for column in self.columns))
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        return "\n".join([f"### {self.title}", "", self.intro, "", *lines, ""])

    def _order(self, label: tuple[str, ...]) -> tuple[int, ...]:
        """Keep rows of an equal first cell together, otherwise as they came."""
        labels = list(self._samples)
        firsts = [known[0] for known in labels]
        return firsts.index(label[0]), labels.index(label)


def _cell(column: Column, samples: Sequence[Mapping[str, float]]) -> str:
    return column.cell([sample[column.key] for sample in samples if column.key in sample])
