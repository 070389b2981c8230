"""The report: what was measured on what, and its place in the documentation."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from .corpus import FULL, Corpus, Scale
from .load import generator
from .promises import promises_table
from .servers import Server
from .suite import Suite

__all__ = ["ACCOUNTS", "UPLOADS", "Page", "load_average", "opening", "render"]

UPLOADS = "--uploads --write"
ACCOUNTS = "--accounts --write"


def render(suite: Suite, *, servers: Sequence[Server], corpus: Corpus, notes: Sequence[str], load_before: str) -> str:
    """Write the whole report in markdown."""
    scale = corpus.scale
    lines = [
        *opening(servers, scale, full=scale == FULL, load_before=load_before)[:-1],
        f"- Each held {len(corpus.wheels):,} files in {len(corpus.projects) + 1:,} projects at the start.",
        f"- Pages and small files: {generator()}, {scale.load_seconds} s per figure.",
        *(f"- {note}" for note in notes),
        "",
    ]
    return "\n".join([*lines, promises_table(suite.promises), *(table.markdown() for table in suite.tables)])


def opening(servers: Sequence[Server], scale: Scale, *, full: bool, load_before: str) -> list[str]:
    """Write what was measured on what, in lines that end with an empty one."""
    caveat = "" if full else " **Not a full run: these figures only show that the harness works.**"
    today = dt.datetime.now(dt.UTC).date()
    return [
        f"Measured {today:%d %B %Y} on {_machine()}; load {load_before} before and {load_average()} after.{caveat}",
        "",
        f"- Servers: {'; '.join(server.version() for server in servers)}.",
        "- Uploads and large files: the asyncio client of tests/perf.",
        f"- Rounds: {scale.rounds} ({scale.huge_rounds} with the largest file), the servers taking turns in each.",
        "- Figures: medians; in parentheses the lowest and the highest round.",
        "",
    ]


def load_average() -> str:
    """The load average over one, five and fifteen minutes."""
    return ", ".join(f"{value:.2f}" for value in os.getloadavg())


class Page:
    """
    A page of the documentation that has a place for the report between two markers.

    Args:
        path: The page.
        options: Those that the markers name: there is one place for each kind of run.

    Raises:
        ValueError: The page does not have each marker once.
    """

    def __init__(self, path: Path, options: str = "--write") -> None:
        self._path = path
        self._begin = f"<!-- begin: written by python -m tests.perf {options} -->"
        self._end = f"<!-- end: written by python -m tests.perf {options} -->"
        self._before, begin, rest = path.read_text("utf-8").partition(self._begin)
        _, end, self._after = rest.partition(self._end)
        if not begin or not end or self._begin in rest or self._end in self._after:
            raise ValueError(f"{path.name} must have each of the two markers once")

    def write(self, report: str) -> None:
        """Put the report between the markers, and keep the rest."""
        self._path.write_text(f"{self._before}{self._begin}\n\n{report.strip()}\n\n{self._end}{self._after}", "utf-8")


def _machine() -> str:
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        f"{len(os.sched_getaffinity(0))} cores ({_processor()}), {memory_bytes / 2**30:.0f} GiB, "
        f"Linux {platform.release()}, {platform.python_implementation()} {platform.python_version()}"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
