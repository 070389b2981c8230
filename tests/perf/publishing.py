"""Uploads: many small files by one client and by eight, one large file at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from .corpus import Corpus
from .files import check_download
from .load import percentile
from .servers import Server
from .tables import Column, Table
from .uploads import publish, publish_many
from .wheels import WheelFile, large_wheel, small_wheel

__all__ = ["LargeUploads", "SmallUploads"]

_CLIENTS = (1, 8)
_CHECKED = 5


class SmallUploads:
    """Files of 4 KB, each a release of its own, to projects of ten releases."""

    def __init__(self, corpus: Corpus, servers: Sequence[Server], folder: Path) -> None:
        self._scale = corpus.scale
        self._servers = [server for server in servers if server.credentials is not None]
        self._folder = folder
        self.table = Table(
            "Uploads of 4 KB files",
            "Each client sends one after the other on a kept connection: "
            f"{corpus.scale.small_uploads} files per round, or what is done in {corpus.scale.upload_seconds:.0f} s.",
            ("clients", "server"),
            (
                Column("rate", "files/s", 1, spread=True),
                Column("p50", "p50, ms", 1),
                Column("p99", "p99, ms", 1),
                Column("cpu", "CPU ms per file", 1),
                Column("files", "files per round"),
            ),
        )

    async def round(self, number: int) -> None:
        """Publish the same files to each server, first with one client, then with all."""
        for clients in _CLIENTS:
            count = self._scale.small_uploads
            wheels = [
                small_wheel(self._folder, f"upload-{number}-{clients}-{index // 10}", f"1.{index % 10}")
                for index in range(count)
            ]
            for server in self._servers:
                self.table.add((str(clients), server.label), await self._sample(server, wheels, clients))

    async def _sample(self, server: Server, wheels: Sequence[WheelFile], clients: int) -> dict[str, float]:
        before = server.process.usage()
        done = await publish_many(
            server.connection,
            wheels,
            server.authorization,
            clients=clients,
            limit_seconds=self._scale.upload_seconds,
        )
        cpu_seconds = server.process.usage().cpu_seconds - before.cpu_seconds
        for wheel in done.wheels[-_CHECKED:]:
            await check_download(server, await server.file_path(wheel), wheel)
        return {
            "rate": len(done.wheels) / done.seconds,
            "p50": percentile(done.latencies_ms, 50),
            "p99": percentile(done.latencies_ms, 99),
            "cpu": cpu_seconds / len(done.wheels) * 1000,
            "files": len(done.wheels),
        }


class LargeUploads:
    """One large wheel at a time, sent as fast as the server takes it."""

    def __init__(self, corpus: Corpus, servers: Sequence[Server], folder: Path) -> None:
        self._scale = corpus.scale
        self._servers = [server for server in servers if server.credentials is not None]
        self._folder = folder
        self.table = Table(
            f"Upload of {self._scale.large_bytes / 1e6:,.0f} MB",
            "From the first byte of the request to the last of the answer, by which time the file can be installed.",
            ("server",),
            (
                Column("rate", "MB/s", spread=True),
                Column("ratio", "times pypiserver on gunicorn", 2, spread=True),
                Column("cpu", "CPU s per GB", 2),
            ),
        )

    async def round(self, number: int) -> None:
        """Publish one new file to each server, and download it again to see that it is the same."""
        wheel = large_wheel(self._folder, "upload-large", f"1.{number}", size_bytes=self._scale.large_bytes)
        samples: dict[str, dict[str, float]] = {}
        for server in self._servers:
            before = server.process.usage()
            began = time.perf_counter()
            async with server.connection() as connection:
                await publish(connection, wheel, server.authorization)
            seconds = time.perf_counter() - began
            cpu_seconds = server.process.usage().cpu_seconds - before.cpu_seconds
            await check_download(server, await server.file_path(wheel), wheel)
            rate = wheel.size_bytes / seconds / 1e6
            samples[server.label] = {"rate": rate, "cpu": cpu_seconds / wheel.size_bytes * 1e9}
        wheel.path.unlink()
        yardstick = samples.get("pypiserver, gunicorn -w4")
        for label, sample in samples.items():
            if yardstick is not None and label == "pypiserve":
                sample["ratio"] = sample["rate"] / yardstick["rate"]
            self.table.add((label,), sample)
