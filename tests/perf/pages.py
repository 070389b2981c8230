"""Project pages: hot in every form, revalidated, and cold after a change."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from .client import Answer, Connection, WrongAnswer, check
from .corpus import Corpus
from .load import RATES, measured_load, percentile, single
from .servers import HTML, Form, Server
from .tables import Column, Table
from .uploads import publish
from .wheels import WheelFile, small_wheel

__all__ = ["ColdPages", "HotPages", "UnchangedPages"]

_YARDSTICK = "bare Tornado handler"


class HotPages:
    """One page asked for again and again, in every form that a server offers."""

    def __init__(self, corpus: Corpus, servers: Sequence[Server]) -> None:
        self._corpus = corpus
        self._servers = servers
        self.table = Table(
            "Project page of 10 files, hot",
            "One page asked for again and again. The ratio is taken within each round.",
            ("form", "server"),
            (
                *RATES,
                Column("ratio", "times the bare handler's CPU", 2, spread=True),
                Column("broken", "failed connections"),
                Column("length", "body, bytes"),
            ),
        )

    async def round(self, number: int) -> None:  # noqa: ARG002 - all rounds are alike
        """Measure each form once on each server."""
        for form in dict.fromkeys(form for server in self._servers for form in server.forms):
            offering = [server for server in self._servers if form in server.forms]
            samples = {server.label: await self._sample(server, form) for server in offering}
            yardstick = samples.get(_YARDSTICK)
            for label, sample in samples.items():
                if yardstick is not None and label != _YARDSTICK:
                    sample["ratio"] = sample["cpu"] / yardstick["cpu"]
                self.table.add((form.label, label), sample)

    async def _sample(self, server: Server, form: Form) -> dict[str, float]:
        path = server.page_path(self._corpus.hot, form)
        answer = await single(server, path, form.headers)
        if (answer.headers.get("content-encoding") == "gzip") is not form.gzip:
            raise WrongAnswer(f"{server.label}: the page is in another encoding than was asked for")
        seconds = self._corpus.scale.load_seconds
        sample = await measured_load(server, path, form.headers, expected=answer, seconds=seconds)
        return sample | {"length": answer.length}


class UnchangedPages:
    """The same page with its ETag."""

    def __init__(self, corpus: Corpus, servers: Sequence[Server]) -> None:
        self._corpus = corpus
        self._servers = [server for server in servers if server.has_etag]
        self.table = Table(
            "The same page, unchanged (`If-None-Match`, answered with 304)",
            "A server that is not listed sends no `ETag` with its pages.",
            ("server",),
            RATES,
        )

    async def round(self, number: int) -> None:  # noqa: ARG002 - all rounds are alike
        """Measure each server once."""
        for server in self._servers:
            path = server.page_path(self._corpus.hot)
            known = await single(server, path, HTML.headers)
            headers = HTML.headers | {"If-None-Match": known.headers["etag"]}
            answer = await single(server, path, headers, status=304)
            seconds = self._corpus.scale.load_seconds
            sample = await measured_load(server, path, headers, expected=answer, seconds=seconds)
            self.table.add((server.label,), sample)


class ColdPages:
    """The first request for a page after its project changed."""

    def __init__(self, corpus: Corpus, servers: Sequence[Server], folder: Path) -> None:
        self._corpus = corpus
        self._servers = [server for server in servers if server.credentials is not None]
        self._folder = folder
        self.table = Table(
            "The same page, cold",
            "The first request after an upload to the project (its eleventh file), one client on a kept connection, "
            f"{corpus.scale.cold_pages} projects per round; beside it the second request.",
            ("server",),
            (
                Column("first_p50", "first: p50, ms", 2, spread=True),
                Column("first_max", "worst, ms", 2),
                Column("second_p50", "second: p50, ms", 2),
            ),
        )

    async def round(self, number: int) -> None:
        """Change some projects, other ones in every round, and ask for their pages."""
        count = self._corpus.scale.cold_pages
        others = list(self._corpus.projects)[1:]
        chosen = [others[(number * count + offset) % len(others)] for offset in range(count)]
        wheels = [small_wheel(self._folder, name, f"2.{number}.{offset}") for offset, name in enumerate(chosen)]
        for server in self._servers:
            self.table.add((server.label,), await self._sample(server, wheels))

    async def _sample(self, server: Server, wheels: Sequence[WheelFile]) -> dict[str, float]:
        first_ms, second_ms = [], []
        async with server.connection() as reader, server.connection() as writer:
            for wheel in wheels:
                await publish(writer, wheel, server.authorization)
                path = server.page_path(wheel.name)
                answer, milliseconds = await _timed(reader, path)
                if wheel.filename.encode() not in check(answer, f"{server.label}: {path}").body:
                    raise WrongAnswer(f"{server.label}: {path} does not list what was just uploaded")
                first_ms.append(milliseconds)
                second_ms.append((await _timed(reader, path))[1])
        return {
            "first_p50": percentile(first_ms, 50),
            "first_max": max(first_ms),
            "second_p50": percentile(second_ms, 50),
        }


async def _timed(connection: Connection, path: str) -> tuple[Answer, float]:
    began = time.perf_counter()
    answer = await connection.get(path, HTML.headers)
    return answer, (time.perf_counter() - began) * 1000
