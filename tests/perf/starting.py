"""Start: the time from the command to the first correct answer, and the memory taken then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from .corpus import Corpus
from .servers import Server
from .tables import Column, Table

__all__ = ["Starts"]


class Starts:
    """Starts in an empty folder, and on what the servers were filled with."""

    def __init__(
        self, corpus: Corpus, servers: Sequence[Server], empty: Callable[[Path], Sequence[Server]], folder: Path
    ) -> None:
        self._corpus = corpus
        self._servers = [server for server in servers if server.has_files]
        self._empty = empty
        self._folder = folder
        self._files = f"{len(corpus.wheels):,} files"
        self.table = Table(
            "Start",
            "From the command to the first page: a new server's list of projects, a project's page of a filled one.",
            ("holding", "server"),
            (Column("seconds", "first answer after, s", 2, spread=True), Column("resident", "resident then, MB", 0)),
        )

    async def round(self, number: int) -> None:
        """Start each server once in a new folder, and once more where it was filled."""
        folder = self._folder / str(number)
        folder.mkdir(parents=True)
        for server in self._empty(folder):
            if not server.has_files:
                continue
            with server.stopping():
                await self._started(server, "nothing", "/simple/")
        for server in self._servers:
            server.stop()
            await self._started(server, self._files, server.page_path(self._corpus.hot))

    async def _started(self, server: Server, holding: str, path: str) -> None:
        seconds = await server.start(path)
        resident = server.process.usage().resident_bytes
        self.table.add((holding, server.label), {"seconds": seconds, "resident": resident / 1e6})
