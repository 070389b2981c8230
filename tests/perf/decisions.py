"""What a decision costs that must ask the catalog, beside reading one row of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from pypiserve.catalog.database import Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.core.identity import ANONYMOUS, Action, Identity
from pypiserve.services.directory import Directory

from .client import WrongAnswer
from .load import percentile
from .population import Population, token_digest, user_name
from .tables import Column, Table

__all__ = ["Decisions"]

_MOST = 1_000
_ROW = "SELECT name FROM api_tokens WHERE secret_sha256 = ?"
"""As plain as it can be: nothing puts it together, and no object is made of what it finds."""


class Decisions:
    """
    Decisions about people of whom nothing is in memory yet, one after the other.

    Args:
        data: Data folders of servers, by how many accounts they have: few first, a crowd last.
    """

    def __init__(self, data: Mapping[Population, Path]) -> None:
        self._data = data
        self.crowd = str(list(data)[-1])
        self.table = Table(
            "A decision that must ask the catalog",
            "May this user read `main/pypi`? Everybody is asked about for the first time, and has the role by three "
            "teams. Beside it one row is read by its key, an API token by its digest, through the same threads; both "
            "take turns.",
            ("accounts",),
            (
                Column("decision", "decision: p50, µs", spread=True),
                Column("row", "one row: p50, µs", spread=True),
                Column("ratio", "times one row", 2, spread=True),
                Column("growth", "times with few accounts", 2, spread=True),
            ),
        )

    async def round(self, number: int) -> None:  # noqa: ARG002 - all rounds are alike
        """Measure each catalog once."""
        few = 0.0
        for population, folder in self._data.items():
            database = Database(folder / "catalog.sqlite3", Doorbell(folder / "doorbell"))
            try:
                sample = await _sample(database, population)
            finally:
                database.close()
            few = few or sample["decision"]
            self.table.add((str(population),), sample | {"growth": sample["decision"] / few})


async def _sample(database: Database, population: Population) -> dict[str, float]:
    decision_us: list[float] = []
    row_us: list[float] = []
    # A directory knows nobody when it is made; one is enough for a large population, a small one takes many.
    while len(decision_us) < _MOST:
        directory = Directory(database)
        await directory.authorise(ANONYMOUS, Action.READ, owner="main", index="pypi")
        await directory.authorise(Identity("htpasswd", "nobody"), Action.READ, owner="main", index="pypi")
        for number in range(min(population.users, population.tokens, _MOST)):
            who = Identity("htpasswd", user_name(number))

            async def decide(who: Identity = who, directory: Directory = directory) -> object:
                return await directory.authorise(who, Action.READ, owner="main", index="pypi")

            async def read(digest: str = token_digest(number)) -> object:
                return await database.read(lambda connection: connection.exec_driver_sql(_ROW, (digest,)).first())

            decision_us.append(await _timed_us(decide))
            row_us.append(await _timed_us(read))
    decision, row = percentile(decision_us, 50), percentile(row_us, 50)
    return {"decision": decision, "row": row, "ratio": decision / row}


async def _timed_us(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    answer = await work()
    elapsed = time.perf_counter() - began
    if answer is None:
        raise WrongAnswer("the catalog does not have what it was filled with")
    return elapsed * 1e6
