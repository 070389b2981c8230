"""The reference of index rules has every rule, in the words of the source."""

from __future__ import annotations

from typing import get_type_hints

from doc_pages import page

from pypiserve.core.index_rules import IndexRules

_PAGE = "reference/index-rules.md"


def test_every_rule_is_described() -> None:
    """Each rule has a row, in order, with its description; there are no others."""
    rows = [line for line in page(_PAGE).splitlines() if line.startswith("| `")]
    hints = get_type_hints(IndexRules, include_extras=True)
    assert [row.split("`")[1] for row in rows] == list(IndexRules.__struct_fields__)
    for row, hint in zip(rows, hints.values(), strict=True):
        assert any(row.endswith(f"| {meta.description} |") for meta in hint.__metadata__)
