"""Downloads: a small file again and again, a large one four times at once."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence

from .client import Answer, WrongAnswer, check
from .corpus import Corpus
from .load import RATES, measured_load, single
from .sampling import Growth
from .servers import Server
from .tables import Column, Table
from .wheels import WheelFile

__all__ = ["LargeDownloads", "SmallDownloads", "check_download"]

_READERS = 4


class SmallDownloads:
    """One small wheel asked for again and again."""

    def __init__(self, corpus: Corpus, servers: Sequence[Server]) -> None:
        self._scale = corpus.scale
        self._wheel = corpus.projects[corpus.hot][0]
        self._servers = [server for server in servers if server.has_files]
        self.table = Table("File of 4 KB", "One wheel asked for again and again.", ("server",), RATES)

    async def round(self, number: int) -> None:  # noqa: ARG002 - all rounds are alike
        """Measure each server once."""
        for server in self._servers:
            path = await server.file_path(self._wheel)
            await check_download(server, path, self._wheel)
            answer = await single(server, path, {})
            sample = await measured_load(server, path, {}, expected=answer, seconds=self._scale.load_seconds)
            self.table.add((server.label,), sample)


class LargeDownloads:
    """One large wheel, read by several clients at once."""

    def __init__(self, corpus: Corpus, servers: Sequence[Server]) -> None:
        self._wheel = corpus.large
        self._servers = [server for server in servers if server.has_files]
        self.table = Table(
            f"File of {self._wheel.size_bytes / 1e6:,.0f} MB, {_READERS} downloads at once",
            "One client process reads all of them, and takes a core itself.",
            ("server",),
            (
                Column("rate", "MB/s", spread=True),
                Column("cpu", "CPU s per GB", 2),
                Column("growth", "memory grew by, MB", 1),
            ),
        )

    async def round(self, number: int) -> None:  # noqa: ARG002 - all rounds are alike
        """Measure each server once."""
        for server in self._servers:
            path = await server.file_path(self._wheel)
            await check_download(server, path, self._wheel)
            self.table.add((server.label,), await self._sample(server, path))

    async def _sample(self, server: Server, path: str) -> dict[str, float]:
        async with Growth(server.process) as growth:
            before = server.process.usage()
            began = time.perf_counter()
            answers = await asyncio.gather(*(_discard(server, path) for _ in range(_READERS)))
            seconds = time.perf_counter() - began
            cpu_seconds = server.process.usage().cpu_seconds - before.cpu_seconds
        if any((answer.status, answer.length) != (200, self._wheel.size_bytes) for answer in answers):
            raise WrongAnswer(f"{server.label}: {path} came short under load")
        total = self._wheel.size_bytes * _READERS
        return {"rate": total / seconds / 1e6, "cpu": cpu_seconds / total * 1e9, "growth": growth.bytes / 1e6}


async def check_download(server: Server, path: str, wheel: WheelFile) -> None:
    """Download a file once, and stop the run when it is not the one that was published."""
    digest = hashlib.sha256()
    async with server.connection() as connection:
        check(await connection.get(path, sink=digest.update), f"{server.label}: {path}")
    if digest.hexdigest() != wheel.sha256:
        raise WrongAnswer(f"{server.label}: {path} is not the file that was published")


async def _discard(server: Server, path: str) -> Answer:
    async with server.connection() as connection:
        return await connection.get(path, sink=len)
