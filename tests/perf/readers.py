"""What readers of pages feel: requests at a steady rate, while somebody floods the server with wrong passwords."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping

from .client import Answer, WrongAnswer
from .load import percentile
from .servers import HTML, Server
from .tables import Column, Table

__all__ = ["FLOOD_RATE", "Floods"]

FLOOD_RATE = 200
"""Wrong passwords per second."""

_READERS = 8
_READER_RATE = 25
_WARM_UP_SECONDS = 1.0
_QUIET = "none"
_FLOODS = {
    f"{FLOOD_RATE} wrong passwords/s from one address": 0,
    f"{FLOOD_RATE} wrong passwords/s from 4,000 addresses": 4_000,
}


class Floods:
    """
    Readers with checked credentials, without a flood and with one.

    Args:
        server: It runs, trusts ``X-Forwarded-For`` of the loopback address and has users in a file.
        path: Of a page.
        headers: The readers' credentials.
        users: How many users it has.
        seconds: How long each is measured.
    """

    def __init__(self, server: Server, path: str, headers: Mapping[str, str], *, users: int, seconds: float) -> None:
        self._server = server
        self._path = path
        self._headers = {**HTML.headers, **headers}
        self._users = users
        self._seconds = seconds
        self.labels = list(_FLOODS)
        self.table = Table(
            "Readers during a flood of wrong passwords",
            f"{_READERS} readers, each {_READER_RATE} pages a second, signed in by a user's password (bcrypt, cost "
            "10). The flood comes from a process of its own, every password another one. The last columns say how it "
            "was answered.",
            ("flood",),
            (
                Column("p50", "page: p50, ms", 2, spread=True),
                Column("p99", "p99, ms", 2, spread=True),
                Column("ratio", "times p99 without", 2, spread=True),
                Column("401", "401"),
                Column("429", "429"),
                Column("503", "503"),
            ),
        )

    async def round(self, number: int) -> None:  # noqa: ARG002 - all rounds are alike
        """Measure without a flood, and with each."""
        quiet = await self._read()
        self.table.add((_QUIET,), quiet)
        for label, addresses in _FLOODS.items():
            sample, counts = await self._read_during(addresses)
            more = {"ratio": sample["p99"] / quiet["p99"]}
            self.table.add(
                (label,), sample | more | {str(code): counts.get(str(code), 0) for code in (401, 429, 503)}
            )

    async def _read_during(self, addresses: int) -> tuple[dict[str, float], Mapping[str, int]]:
        words = [self._server.port, self._path, FLOOD_RATE, self._seconds + 3, addresses, self._users]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.perf.flooding", *map(str, words), stdout=asyncio.subprocess.PIPE
        )
        try:
            await asyncio.sleep(1.5)  # it has started, and its first burst was answered
            sample = await self._read()
            output, _ = await asyncio.wait_for(process.communicate(), self._seconds + 60)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return sample, json.loads(output)

    async def _read(self) -> dict[str, float]:
        latencies_ms: list[float] = []
        began = time.perf_counter() + _WARM_UP_SECONDS

        async def reader(first: int) -> None:
            async with self._server.connection() as connection:
                # The worker that this connection leads to has perhaps not met the password.
                _checked(await connection.get(self._path, self._headers))
                for turn in range(int(_READER_RATE * self._seconds)):
                    due = began + (turn + first / _READERS) / _READER_RATE
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                    sent = time.perf_counter()
                    _checked(await connection.get(self._path, self._headers))
                    latencies_ms.append((time.perf_counter() - sent) * 1000)

        await asyncio.gather(*(reader(first) for first in range(_READERS)))
        return {"p50": percentile(latencies_ms, 50), "p99": percentile(latencies_ms, 99)}


def _checked(answer: Answer) -> None:
    if answer.status != 200:
        raise WrongAnswer(f"a reader who was in was answered {answer.status} during the flood")
