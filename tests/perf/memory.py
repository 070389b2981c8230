"""Memory: what a server takes, and how far it grows while one huge file goes in and out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from .client import WrongAnswer, check
from .corpus import Corpus
from .sampling import Growth
from .servers import Server
from .tables import Column, Table
from .uploads import publish
from .wheels import WheelFile, large_wheel

__all__ = ["HugeFile"]


class HugeFile:
    """One upload and one download of a huge file, with the memory sampled before and during each."""

    def __init__(self, corpus: Corpus, servers: Sequence[Server], folder: Path) -> None:
        self._size_bytes = corpus.scale.huge_bytes
        self._servers = [server for server in servers if server.credentials is not None]
        self._folder = folder
        size = f"{self._size_bytes / 1e6:,.0f} MB"
        self.table = Table(
            f"Memory while {size} go in and out",
            "Resident memory of all processes of the server, every 50 ms; growth is the highest value during the "
            "transfer less the highest of the half second before. Both transfers are checked by SHA-256.",
            ("server",),
            (
                Column("before", "before the upload, MB", 0),
                Column("upload", "grew in the upload by, MB", 1, spread=True),
                Column("download", "grew in the download by, MB", 1, spread=True),
                Column("peak", "peak (VmHWM), MB", 0),
            ),
        )

    async def round(self, number: int) -> None:
        """Send a new file to each server and get it back."""
        wheel = large_wheel(self._folder, "upload-huge", f"1.{number}", size_bytes=self._size_bytes)
        for server in self._servers:
            self.table.add((server.label,), await self._sample(server, wheel))
        wheel.path.unlink()

    async def _sample(self, server: Server, wheel: WheelFile) -> dict[str, float]:
        async with server.connection() as connection, Growth(server.process) as up:
            await publish(connection, wheel, server.authorization)
        path = await server.file_path(wheel)
        digest = hashlib.sha256()
        async with server.connection() as connection, Growth(server.process) as down:
            check(await connection.get(path, sink=digest.update), f"{server.label}: {path}")
        if digest.hexdigest() != wheel.sha256:
            raise WrongAnswer(f"{server.label}: {path} is not the file that was published")
        return {
            "before": up.before_bytes / 1e6,
            "upload": up.bytes / 1e6,
            "download": down.bytes / 1e6,
            "peak": server.process.usage().peak_bytes / 1e6,
        }
