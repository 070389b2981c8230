"""What the reference tells secret scanners of our tokens is true."""

from __future__ import annotations

from typing import Any

from doc_pages import page, section

from pypiserve.core.api_tokens import new_api_token


def test_the_example_for_scanners_finds_tokens_and_nothing_else() -> None:
    """It finds each of many in a text, and none with a changed character."""
    text = section(page("reference/api-tokens.md"), "## The format")
    code = text.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(code, names)
    tokens = [new_api_token() for _ in range(200)]
    changed = [token[:20] + ("x" if token[20] != "x" else "y") + token[21:] for token in tokens]
    assert (
        names["tokens_in"](" ".join(f'"{token}", ' for pair in zip(tokens, changed, strict=True) for token in pair))
        == tokens
    )
    pattern = text.partition("```text\n")[2].partition("```text\n")[2].partition("\n")[0]
    assert f'r"{pattern}"' in code
