"""Reading the documentation: its pages, their tables and their code blocks."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "ROOT", "Block", "all_pages", "blocks", "flat", "page", "section", "tables"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_OPTION = re.compile(r"\A(?::[a-z-]+:[^\n]*\n)+")
_CAPTION = re.compile(r"^:caption: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """
    One code block.

    Attributes:
        page: The page it stands in, relative to the repository.
        language: Such as ``python``.
        caption: Mostly the name of a file; empty without one.
        content: The code.
    """

    page: str
    language: str
    caption: str
    content: str

    def __str__(self) -> str:
        return f"{self.page}: {self.caption or self.language}"


def page(name: str) -> str:
    """Return the text of a page, by its path below ``docs/``."""
    return (DOCS / name).read_text(encoding="utf-8")


def all_pages() -> list[Path]:
    """Return every page of ours, and the README if there is one."""
    pages = [path for path in sorted(DOCS.rglob("*.md")) if not {"_build", "changelog.d"} & set(path.parts)]
    return [*pages, *ROOT.glob("README.md")]


def blocks(folder: str, language: str) -> list[Block]:
    """Return the code blocks of one language in a folder below ``docs/``, or in all pages for the empty name."""
    pages = [path for path in all_pages() if path.is_relative_to(DOCS / folder)] if folder else all_pages()
    return [block for path in pages for block in _blocks_of(path) if block.language == language]


def _blocks_of(path: Path) -> Iterator[Block]:
    for found in _FENCE.finditer(path.read_text(encoding="utf-8")):
        info, body = found["info"].strip(), textwrap.dedent(found["body"])
        options = _OPTION.match(body) if info.startswith("{") else None
        caption = _CAPTION.search(options[0]) if options else None
        language = info.removeprefix("{code-block}").strip()
        content = body[options.end() :].removeprefix("\n") if options else body
        yield Block(str(path.relative_to(ROOT)), language, caption[1] if caption else "", content)


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one of the same level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    start = text.index(f"\n{heading}\n") + len(heading) + 2
    end = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(text, start)
    return text[start : end.start() if end else len(text)]


def tables(text: str) -> list[list[str]]:
    """Return the rows of all tables in a text, without their heads, as cells without backquotes."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    rules = {number for number, row in enumerate(cells) if all(set(cell) <= set(":-") for cell in row)}
    heads = {number - 1 for number in rules}
    return [row for number, row in enumerate(cells) if number not in rules | heads]


def flat(text: str) -> str:
    """Return a text on one line, without the marks of Markdown for code."""
    return " ".join(text.replace("`", "").split())
