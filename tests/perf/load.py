"""Load on one address: wrk when the machine has it, and a generator of our own that needs nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .client import Answer, WrongAnswer, check
from .servers import Server
from .tables import Column

__all__ = ["CONNECTIONS", "RATES", "generator", "measured_load", "percentile", "single"]

CONNECTIONS = 32
RATES = (
    Column("rate", "req/s", spread=True),
    Column("p50", "p50, ms", 2),
    Column("p99", "p99, ms", 2),
    Column("cpu", "CPU ms per request", 4),
)
_IDLE_SECONDS = 20
_IDLE_CPU_SECONDS = 0.02
_WRK_SCRIPT = Path(__file__).with_name("wrk_report.lua")


@dataclass(frozen=True)
class Load:
    """What a run measured; ``broken`` counts connections that failed and requests that got no answer in time."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    broken: int


def generator() -> str:
    """Name the load generator that this machine has."""
    if shutil.which("wrk"):
        return f"wrk, 1 thread, {CONNECTIONS} keep-alive connections"
    return f"asyncio client of tests/perf, {CONNECTIONS} connections (wrk is missing: fast servers look slower)"


def percentile(values: Sequence[float], percent: int) -> float:
    """Take a percentile; of few values, the largest stands for the high ones."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


async def single(server: Server, path: str, headers: Mapping[str, str], *, status: int = 200) -> Answer:
    """Ask once, and stop the run when the answer has another status."""
    async with server.connection() as connection:
        return check(await connection.get(path, headers), f"{server.label}: {path}", status=status)


async def measured_load(
    server: Server, path: str, headers: Mapping[str, str], *, expected: Answer, seconds: int
) -> dict[str, float]:
    """
    Ask for one path as fast as the server answers, and return the figures that ``RATES`` shows.

    Args:
        server: It runs.
        path: Address without host.
        headers: Sent with every request.
        expected: The checked answer that all the others must equal in status and length.
        seconds: How long.

    Raises:
        WrongAnswer: Some answers had another status or length.
    """
    run = _wrk if shutil.which("wrk") else _own
    before = server.process.usage()
    load = await run(server, path, headers, seconds, expected)
    cpu_seconds = server.process.usage().cpu_seconds - before.cpu_seconds
    await _idle(server)
    return {
        "rate": load.requests / load.seconds,
        "p50": load.p50_ms,
        "p99": load.p99_ms,
        "cpu": cpu_seconds / load.requests * 1000,
        "broken": load.broken,
    }


async def _idle(server: Server) -> None:
    """Wait for a slow server to work off the requests that nobody waits for any more; the next one needs the CPU."""
    deadline = time.monotonic() + _IDLE_SECONDS
    used = -1.0
    while time.monotonic() < deadline and (now := server.process.usage().cpu_seconds) > used + _IDLE_CPU_SECONDS:
        used = now
        await asyncio.sleep(0.2)


async def _wrk(server: Server, path: str, headers: Mapping[str, str], seconds: int, expected: Answer) -> Load:
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "-s", str(_WRK_SCRIPT)]
    options += [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    process = await asyncio.create_subprocess_exec(
        "wrk", *options, f"http://127.0.0.1:{server.port}{path}", stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds + 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    report = json.loads(output.decode().partition("REPORT ")[2])
    if not report["requests"]:
        raise WrongAnswer(f"{server.label}: not one answer of {path} in {seconds} s")
    if report["bad"]:
        raise WrongAnswer(f"{server.label}: {report['bad']} of {report['requests']} answers of {path} were errors")
    # wrk counts what it read; answers cut off by the end of the run are the only excuse for a difference.
    difference = report["bytes"] - report["requests"] * expected.wire_bytes
    if abs(difference) > (CONNECTIONS + report["broken"]) * expected.wire_bytes:
        raise WrongAnswer(f"{server.label}: the answers of {path} had other lengths than {expected.wire_bytes}")
    return Load(report["requests"], report["seconds"], report["p50_ms"], report["p99_ms"], report["broken"])


async def _own(server: Server, path: str, headers: Mapping[str, str], seconds: int, expected: Answer) -> Load:
    latencies_ms: list[float] = []
    broken = 0
    began = time.perf_counter()

    async def client() -> None:
        nonlocal broken
        async with server.connection() as connection:
            while (sent := time.perf_counter()) < began + seconds:
                try:
                    answer = await connection.get(path, headers)
                except (ConnectionError, TimeoutError):
                    broken += 1
                    continue
                if (answer.status, answer.length) != (expected.status, expected.length):
                    raise WrongAnswer(f"{server.label}: {path} answered {answer.status} with {answer.length} bytes")
                latencies_ms.append((time.perf_counter() - sent) * 1000)

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(client())
    elapsed = time.perf_counter() - began
    return Load(len(latencies_ms), elapsed, percentile(latencies_ms, 50), percentile(latencies_ms, 99), broken)
