"""What the README tells people to type."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["ROOT", "blocks", "marked_command"]

ROOT = Path(__file__).parent.parent.parent


def marked_command(name: str) -> str:
    """Return the one command between the markers of a name."""
    section = _text().partition(f"<!-- begin {name} -->")[2].partition(f"<!-- end {name} -->")[0]
    (command,) = re.findall(r"^```sh\n(.+)\n```$", section, re.MULTILINE)
    return str(command)


def blocks(language: str, heading: str) -> list[str]:
    """Return the code blocks of a language under a heading."""
    section = _text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def _text() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")
