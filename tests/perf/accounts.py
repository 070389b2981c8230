"""The benchmark of accounts as one run: many of them, what they cost each page, and a flood of wrong passwords."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from .corpus import FULL, Scale
from .decisions import Decisions
from .load import RATES, measured_load, single
from .population import CROWD, FEW, PASSWORD, SMALL_CROWD, Population, populate, user_name
from .promises import Promise, promises_table
from .readers import FLOOD_RATE, Floods
from .report import load_average, opening
from .servers import HTML, Pypiserve, Server
from .suite import measure, say
from .tables import Column, Table
from .uploads import publish
from .wheels import small_wheel

__all__ = ["compare_accounts"]

_ANONYMOUS = "anonymous"
_PROJECT = "demo"
_FILES = 10
_FLOOD_SECONDS = 10
_SETTINGS = """\
trusted_proxies = ["127.0.0.1"]

[[authenticators]]
kind = "token"

[[authenticators]]
kind = "htpasswd"
file = "users"
"""


class Peopled(Pypiserve):
    """A server with accounts."""

    def __init__(self, folder: Path, population: Population) -> None:
        super().__init__(folder)
        self.population = population
        self.label = str(population)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    async def people(self) -> None:
        """Start it, publish a project, and fill in the accounts."""
        (self.folder / "pypiserve.toml").write_text(_SETTINGS, "utf-8")
        (self.folder / "users").touch()
        await self.prepare()
        wheels = self.folder / "wheels"
        wheels.mkdir()
        async with self.connection() as connection:
            for number in range(_FILES):
                await publish(connection, small_wheel(wheels, _PROJECT, f"1.{number}"), self.authorization)
        self.stop()
        populate(self.data / "catalog.sqlite3", self.folder / "users", self.population)
        await self.start()


class CheckedPages:
    """One page, asked for by nobody in particular and with every kind of credentials."""

    def __init__(self, servers: list[Peopled], seconds: int) -> None:
        self._servers = servers
        self._seconds = seconds
        self.signed_in = [who for who in _credentials(servers[0]) if who != _ANONYMOUS]
        self.table = Table(
            "A page with checked credentials",
            f"One page of {_FILES} files, hot, asked for again and again with credentials that were checked before. "
            "The ratios are of the CPU, within each round.",
            ("accounts", "who asks"),
            (
                *RATES,
                Column("ratio", "times anonymous", 3, spread=True),
                Column("growth", "times with few accounts", 3, spread=True),
            ),
        )

    async def round(self, number: int) -> None:  # noqa: ARG002 - all rounds are alike
        """Measure each server with each credential, the servers taking turns."""
        anonymous: dict[str, float] = {}
        for who in _credentials(self._servers[0]):
            few = 0.0
            for server in self._servers:
                sample = await self._sample(server, _credentials(server)[who])
                sample["ratio"] = sample["cpu"] / anonymous.setdefault(server.label, sample["cpu"])
                few = few or sample["cpu"]
                sample["growth"] = sample["cpu"] / few
                self.table.add((server.label, who), sample)

    async def _sample(self, server: Peopled, headers: Mapping[str, str]) -> dict[str, float]:
        asked = {**HTML.headers, **headers}
        path = server.page_path(_PROJECT)
        expected = await single(server, path, asked)
        return await measured_load(server, path, asked, expected=expected, seconds=self._seconds)


def _credentials(server: Server) -> Mapping[str, Mapping[str, str]]:
    _, token = server.credentials or ("", "")
    return {
        _ANONYMOUS: {},
        "token, Bearer": {"Authorization": f"Bearer {token}"},
        "token, password of `__token__`": _basic("__token__", token),
        "user, bcrypt": _basic(user_name(0), PASSWORD),
    }


def _basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


async def compare_accounts(scale: Scale, folder: Path) -> str:
    """
    Measure and return the report.

    Args:
        scale: How much of everything.
        folder: Empty; the caller removes it.

    Raises:
        WrongAnswer: A server did not start, or answered something else than it should.
    """
    load_before = load_average()
    # However many rounds there are.
    is_full = replace(scale, rounds=FULL.rounds) == FULL
    crowd = CROWD if is_full else SMALL_CROWD
    servers = [Peopled(folder / "few", FEW), Peopled(folder / "crowd", crowd)]
    with ExitStack() as running:
        for server in servers:
            running.enter_context(server.stopping())
            say(f"filling in {server.label}")
            await server.people()
        pages = CheckedPages(servers, scale.load_seconds)
        decisions = Decisions({server.population: server.data for server in servers})
        path, reader = servers[-1].page_path(_PROJECT), _credentials(servers[-1])["user, bcrypt"]
        seconds = _FLOOD_SECONDS if is_full else 2
        floods = Floods(servers[-1], path, reader, users=crowd.users, seconds=seconds)
        for workload in (pages, decisions, floods):
            await measure([workload], scale.rounds)
        lines = opening(servers[-1:], scale, full=scale == FULL, load_before=load_before)
    tables = [workload.table.markdown() for workload in (pages, decisions, floods)]
    return "\n".join([*lines, promises_table(_promises(pages, decisions, floods)), *tables])


def _promises(pages: CheckedPages, decisions: Decisions, floods: Floods) -> list[Promise]:
    crowd = [decisions.crowd]
    return [
        Promise(
            "Page with checked credentials: at most 1.1 times the CPU of an anonymous one",
            pages.table,
            "ratio",
            1.1,
            rows=pages.signed_in,
        ),
        Promise(
            "It does not grow with the accounts: at most 1.1 times the CPU with few",
            pages.table,
            "growth",
            1.1,
            rows=crowd,
        ),
        Promise(
            "Decision that asks the catalog: at most 3 times reading one row", decisions.table, "ratio", 3, rows=crowd
        ),
        Promise(
            "It does not grow with the accounts: at most 1.1 times that with few",
            decisions.table,
            "growth",
            1.1,
            rows=crowd,
        ),
        Promise(
            f"Flood of {FLOOD_RATE} wrong passwords/s: at most 2 times the p99 without",
            floods.table,
            "ratio",
            2,
            rows=floods.labels,
        ),
    ]
