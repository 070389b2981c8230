"""All workloads of a run, in the order in which they do not spoil each other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from .corpus import Corpus
from .files import LargeDownloads, SmallDownloads
from .memory import HugeFile
from .pages import ColdPages, HotPages, UnchangedPages
from .promises import Promise
from .publishing import LargeUploads, SmallUploads
from .servers import Server
from .starting import Starts
from .tables import Table

__all__ = ["Suite", "measure", "say"]


class Workload(Protocol):
    """Something that is measured a round at a time, into a table."""

    table: Table

    async def round(self, number: int) -> None:
        """Measure all servers once."""
        ...


class Suite:
    """
    The workloads over one set of servers.

    Args:
        corpus: What the servers hold.
        servers: They run.
        empty: Makes servers of the same kinds in a new folder, for the starts.
        folder: For the files that are published on the way.
    """

    def __init__(
        self, corpus: Corpus, servers: Sequence[Server], empty: Callable[[Path], Sequence[Server]], folder: Path
    ) -> None:
        self._scale = corpus.scale
        changes = folder / "changes"
        changes.mkdir()
        self._hot = HotPages(corpus, servers)
        self._large = LargeUploads(corpus, servers, changes)
        self._huge = HugeFile(corpus, servers, changes)
        self._reads: list[Workload] = [
            self._hot,
            UnchangedPages(corpus, servers),
            SmallDownloads(corpus, servers),
            LargeDownloads(corpus, servers),
            ColdPages(corpus, servers, changes),
        ]
        self._starts = Starts(corpus, servers, empty, folder / "starts")
        self._writes: list[Workload] = [SmallUploads(corpus, servers, changes), self._large]

    @property
    def tables(self) -> list[Table]:
        """All tables, in the order of the report."""
        return [workload.table for workload in (*self._reads, *self._writes, self._huge, self._starts)]

    @property
    def promises(self) -> list[Promise]:
        """What the figures are held against."""
        hot, large, huge = self._hot.table, self._large.table, self._huge.table
        return [
            Promise("CPU of a hot page of 10 files: at most 2 times a bare Tornado handler's", hot, "ratio", 2),
            Promise("Upload of a large file: at least 3 times pypiserver's rate", large, "ratio", 3, at_least=True),
            Promise("Memory in a huge upload: grows by at most 64 MB", huge, "upload", 64, of_rounds=max),
            Promise("Memory in a huge download: grows by at most 64 MB", huge, "download", 64, of_rounds=max),
        ]

    async def measure(self) -> None:
        """Run all rounds; what fills the servers comes after what depends on how much they hold."""
        for phase in (self._reads, [self._starts], self._writes):
            await measure(phase, self._scale.rounds)
        await measure([self._huge], self._scale.huge_rounds)


def say(text: str) -> None:
    """Tell whoever waits how far the run is."""
    print(text, file=sys.stderr, flush=True)


async def measure(workloads: Sequence[Workload], count: int) -> None:
    """Do some rounds of some workloads."""
    for number in range(count):
        for workload in workloads:
            say(f"round {number + 1} of {count}: {workload.table.title}")
            await workload.round(number)
