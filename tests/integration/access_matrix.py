"""
Who may do what, as one table: tests ask each of its cells over HTTP, and docs/reference/roles.md shows it.

A cell has three answers, to what is asked of a public, an internal and a private owner; one where they are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["COLUMNS", "TABLE", "VISIBILITIES", "Row", "rows"]

VISIBILITIES = ("public", "internal", "private")
COLUMNS = ("lists", "reads", "publishes", "yanks", "deletes", "administers", "server")

TABLE = """\
| Who | lists | reads | publishes | yanks | deletes | administers | server |
|---|---|---|---|---|---|---|---|
| nobody, without credentials | yes / 401 / 401 | yes / 401 / 401 | 401 | 401 | 401 | 401 | 401 |
| somebody without a role | yes / yes / 404 | yes / yes / 404 | 403 / 403 / 404 | 403 / 403 / 404 | 403 / 403 / 404 | 403 / 403 / 404 | 403 |
| reader | yes | yes | 403 | 403 | 403 | 403 | 403 |
| publisher | yes | yes | yes | yes | 403 | 403 | 403 |
| maintainer | yes | yes | yes | yes | yes | 403 | 403 |
| owner | yes | yes | yes | yes | yes | yes | 403 |
| administrator of the server | yes | yes | yes | yes | yes | yes | yes |
| reader of `acme-*`: these projects | yes / yes / part | yes | 403 | 403 | 403 | 403 | 403 |
| reader of `acme-*`: others | yes / yes / part | yes / yes / 404 | 403 | 403 / 403 / 404 | 403 / 403 / 404 | 403 | 403 |
| publisher of `acme-*`: these projects | yes / yes / part | yes | yes | yes | 403 | 403 | 403 |
| publisher of `acme-*`: others | yes / yes / part | yes / yes / 404 | 403 | 403 / 403 / 404 | 403 / 403 / 404 | 403 | 403 |
| maintainer of `acme-*`: these projects | yes / yes / part | yes | yes | yes | yes | 403 | 403 |
| maintainer of `acme-*`: others | yes / yes / part | yes / yes / 404 | 403 | 403 / 403 / 404 | 403 / 403 / 404 | 403 | 403 |
| owner, with a credential for this place | yes | yes | yes | yes | yes | yes | 403 |
| owner, with a credential for elsewhere | yes / 404 / 404 | yes / 404 / 404 | 403 / 404 / 404 | 403 / 404 / 404 | 403 / 404 / 404 | 403 / 404 / 404 | 403 |
| owner, with a credential for `acme-*`: these projects | yes / part / part | yes | yes | yes | yes | 403 | 403 |
| owner, with a credential for `acme-*`: others | yes / part / part | yes / 404 / 404 | 403 | 403 / 404 / 404 | 403 / 404 / 404 | 403 | 403 |
| owner, with a credential for reading | yes | yes | 403 | 403 | 403 | 403 | 403 |
| owner, with a credential for publishing | yes / 403 / 403 | yes / 403 / 403 | yes | 403 | 403 | 403 | 403 |
| owner, with a credential for yanking | yes / 403 / 403 | yes / 403 / 403 | 403 | yes | 403 | 403 | 403 |
| owner, with a credential for deleting | yes / 403 / 403 | yes / 403 / 403 | 403 | 403 | yes | 403 | 403 |
| owner whose account is disabled | 401 | 401 | 401 | 401 | 401 | 401 | 401 |
| anybody with wrong credentials | 401 | 401 | 401 | 401 | 401 | 401 | 401 |
"""  # noqa: E501 - a row of a table is one line


@dataclass(frozen=True)
class Row:
    """
    What somebody may.

    Attributes:
        who: The words of the table.
        cells: By column and visibility: ``yes``, ``part`` of a list, or the status of a refusal.
    """

    who: str
    cells: Mapping[tuple[str, str], str]


def rows() -> list[Row]:
    """Return the rows of the table."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines()]
    assert tuple(lines[0][1:]) == COLUMNS
    return [Row(who, _cells(cells)) for who, *cells in lines[2:]]


def _cells(texts: list[str]) -> dict[tuple[str, str], str]:
    cells = {}
    for column, text in zip(COLUMNS, texts, strict=True):
        answers = text.split(" / ")
        for visibility, answer in zip(VISIBILITIES, answers if len(answers) > 1 else answers * 3, strict=True):
            cells[column, visibility] = answer
    return cells
