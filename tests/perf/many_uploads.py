"""The comparison of uploads: 500 small files by eight clients, and one of a gigabyte beside a bare script."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from .client import WrongAnswer
from .corpus import Scale
from .files import check_download
from .load import percentile
from .sampling import Growth
from .servers import Server
from .tables import Column, Table
from .uploads import publish, publish_many
from .wheels import WheelFile, large_wheel, small_wheel

__all__ = ["BARE", "OURS", "GigabyteUploads", "ManyUploads"]

BARE = "bare script: write, SHA-256, fsync"
_CLIENTS = 8
_CHECKED = 5
OURS = ("pypiserve", "pypiserve, bcrypt account")
_CHUNK_BYTES = 1 << 20


class ManyUploads:
    """Small files by eight clients, each file a release of its own, ten releases to a project."""

    def __init__(self, scale: Scale, servers: Sequence[Server], folder: Path) -> None:
        self._scale = scale
        self._servers = servers
        self._folder = folder
        self.table = Table(
            f"Uploads of {scale.many_uploads} files of 4 KB by {_CLIENTS} clients",
            "Each client sends one after the other on a kept connection; a server is given "
            f"{scale.upload_seconds:.0f} s in each round. A ratio is ours by the peer's, within each round.",
            ("server",),
            (
                Column("rate", "files/s", 1, spread=True),
                Column("rate_ratio", "pypiserve with a token: times its files/s", 2, spread=True),
                Column("p50", "p50, ms", 1),
                Column("p99", "p99, ms", 1, spread=True),
                Column("p99_ratio", "pypiserve with a token: times its p99", 2, spread=True),
                Column("cpu", "CPU ms per file", 1),
                Column("peak", "peak memory, MB", 0),
                Column("files", "files per round"),
            ),
        )

    async def round(self, number: int) -> None:
        """Publish the same files to each server."""
        wheels = [
            small_wheel(self._folder, f"many-{number}-{index // 10}", f"1.{index % 10}")
            for index in range(self._scale.many_uploads)
        ]
        samples = {server.label: await self._sample(server, wheels) for server in self._servers}
        ours = samples.get(OURS[0])
        for label, sample in samples.items():
            if ours is not None and label not in OURS:
                sample["rate_ratio"] = ours["rate"] / sample["rate"]
                sample["p99_ratio"] = ours["p99"] / sample["p99"]
            self.table.add((label,), sample)

    async def _sample(self, server: Server, wheels: Sequence[WheelFile]) -> dict[str, float]:
        before = server.process.usage()
        done = await publish_many(
            server.connection,
            wheels,
            server.authorization,
            clients=_CLIENTS,
            limit_seconds=self._scale.upload_seconds,
            path=server.upload_path,
        )
        after = server.process.usage()
        for wheel in done.wheels[-_CHECKED:]:
            await check_download(server, await server.file_path(wheel), wheel)
        return {
            "rate": len(done.wheels) / done.seconds,
            "p50": percentile(done.latencies_ms, 50),
            "p99": percentile(done.latencies_ms, 99),
            "cpu": (after.cpu_seconds - before.cpu_seconds) / len(done.wheels) * 1000,
            "peak": after.peak_bytes / 1e6,
            "files": len(done.wheels),
        }


class GigabyteUploads:
    """One huge wheel at a time, beside what it takes one script to write and hash the same bytes."""

    def __init__(self, scale: Scale, servers: Sequence[Server], folder: Path) -> None:
        self._size_bytes = scale.huge_bytes
        self._servers = servers
        self._folder = folder
        self.table = Table(
            f"Upload of {self._size_bytes / 1e6:,.0f} MB",
            "From the first byte of the request to the last of the answer. The bare script reads the same file, "
            "writes it, computes its SHA-256 in the same pass and syncs it. Memory as in the table below.",
            ("server",),
            (
                Column("rate", "MB/s", spread=True),
                Column("bare", "of the bare script's rate", 2, spread=True),
                Column("cpu", "CPU s per GB", 2),
                Column("growth", "memory grew by, MB", 1, spread=True),
                Column("peak", "peak memory, MB", 0),
            ),
        )

    async def round(self, number: int) -> None:
        """Publish one new file to each server, and download it again to see that it is the same."""
        wheel = large_wheel(self._folder, "upload-gigabyte", f"1.{number}", size_bytes=self._size_bytes)
        bare = await asyncio.to_thread(_write_and_hash, wheel, self._folder / "bare")
        self.table.add((BARE,), {"rate": bare, "bare": 1.0})
        for server in self._servers:
            sample = await _sample(server, wheel)
            self.table.add((server.label,), {**sample, "bare": sample["rate"] / bare})
        wheel.path.unlink()


async def _sample(server: Server, wheel: WheelFile) -> dict[str, float]:
    before = server.process.usage()
    async with server.connection() as connection, Growth(server.process) as growth:
        began = time.perf_counter()
        await publish(connection, wheel, server.authorization, path=server.upload_path)
        seconds = time.perf_counter() - began
    after = server.process.usage()
    await check_download(server, await server.file_path(wheel), wheel)
    return {
        "rate": wheel.size_bytes / seconds / 1e6,
        "cpu": (after.cpu_seconds - before.cpu_seconds) / wheel.size_bytes * 1e9,
        "growth": growth.bytes / 1e6,
        "peak": after.peak_bytes / 1e6,
    }


def _write_and_hash(wheel: WheelFile, target: Path) -> float:
    """Copy a file, hash it in the same pass and sync it; return the rate in MB/s."""
    began = time.perf_counter()
    digest = hashlib.sha256()
    with wheel.path.open("rb") as source, target.open("wb", buffering=0) as sink:
        while chunk := source.read(_CHUNK_BYTES):
            sink.write(chunk)
            digest.update(chunk)
        os.fsync(sink.fileno())
    seconds = time.perf_counter() - began
    target.unlink()
    if digest.hexdigest() != wheel.sha256:
        raise WrongAnswer("the bare script has read another file")
    return wheel.size_bytes / seconds / 1e6
