"""Accounts by the thousand: users in a file and in the catalog, teams with roles, API tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import bcrypt
from sqlalchemy import Connection, Table, create_engine, insert, select

from pypiserve.catalog.schema import api_tokens, grants, indexes, owners, team_members, teams, users

__all__ = ["CROWD", "FEW", "PASSWORD", "SMALL_CROWD", "Population", "populate", "token_digest", "user_name"]

PASSWORD = "correct horse battery staple"
"""Of every user."""

_TEAMS_OF_AN_OWNER = 20
_TEAMS_OF_A_USER = 3
_COST = 10  # what ``pypiserve htpasswd`` takes
_ROWS = 5_000
_FIRST_OWNER, _FIRST_TEAM = 1_000, 1
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Population:
    """How many accounts there are."""

    users: int
    teams: int
    tokens: int

    def __str__(self) -> str:
        return f"{self.users:,} users, {self.teams:,} teams, {self.tokens:,} tokens"


FEW = Population(users=10, teams=3, tokens=10)
SMALL_CROWD = Population(users=1_000, teams=100, tokens=10_000)
CROWD = Population(users=10_000, teams=1_000, tokens=100_000)


def user_name(number: int) -> str:
    """Name a user."""
    return f"user{number}"


def token_digest(number: int) -> str:
    """Return the digest by which a token is found."""
    return hashlib.sha256(f"token {number}".encode()).hexdigest()


def populate(catalog: Path, user_file: Path, population: Population) -> None:
    """
    Fill a catalog and a user file.

    Every user is in three teams, each of which may read the index ``main/pypi``. A token belongs to a user.

    Args:
        catalog: The database of a server that has started once.
        user_file: Is written.
        population: How many.
    """
    # One hash for all: to make ten thousand takes a quarter of an hour, and to check one takes as long as another.
    known = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(_COST)).decode()
    user_file.write_text("".join(f"{user_name(number)}:{known}\n" for number in range(population.users)), "utf-8")
    engine = create_engine(f"sqlite:///{catalog}")
    with engine.begin() as connection:
        for table, rows in _tables(connection, population):
            while some := list(islice(rows, _ROWS)):
                connection.execute(insert(table), some)
    engine.dispose()


def _tables(connection: Connection, population: Population) -> Iterator[tuple[Table, Iterator[dict[str, Any]]]]:
    """Give the rows of each table, in the order in which they refer to each other."""
    main = connection.execute(select(owners.c.id).where(owners.c.name_key == "main")).scalar_one()
    index = connection.execute(select(indexes.c.id).where(indexes.c.owner_id == main)).scalar_one()
    everybody, groups = range(population.users), range(population.teams)
    yield users, ({"subject": _subject(number), "created_at": _NOW} for number in everybody)
    yield owners, (_owner(number) for number in range(-(-population.teams // _TEAMS_OF_AN_OWNER)))
    yield teams, (_team(number) for number in groups)
    yield team_members, (row for number in everybody for row in _memberships(number, population.teams))
    yield grants, (_grant(number, main, index) for number in groups)
    yield api_tokens, (_token(number, population.users) for number in range(population.tokens))


def _subject(number: int) -> str:
    return f"htpasswd:{user_name(number)}"


def _owner(number: int) -> dict[str, Any]:
    name = f"owner{number}"
    key = _FIRST_OWNER + number
    kind = {"kind": "organisation", "visibility": "private"}
    return {"id": key, "name": name, "name_key": name, "created_at": _NOW, **kind}


def _team(number: int) -> dict[str, Any]:
    owner = _FIRST_OWNER + number // _TEAMS_OF_AN_OWNER
    return {"id": _FIRST_TEAM + number, "owner_id": owner, "name": f"team{number}", "created_at": _NOW}


def _memberships(number: int, count: int) -> Iterator[dict[str, Any]]:
    for place in range(min(_TEAMS_OF_A_USER, count)):
        team = (number + place * (count // _TEAMS_OF_A_USER)) % count
        yield {"team_id": _FIRST_TEAM + team, "subject": _subject(number), "added_at": _NOW}


def _grant(number: int, owner: int, index: int) -> dict[str, Any]:
    subject = f"team:owner{number // _TEAMS_OF_AN_OWNER}/team{number}"
    where = {"owner_id": owner, "index_id": index, "place": f"{owner}/{index}/"}
    return {"subject": subject, "role": "reader", "team_id": _FIRST_TEAM + number, "created_at": _NOW, **where}


def _token(number: int, user_count: int) -> dict[str, Any]:
    whose = {"owner_subject": _subject(number % user_count), "token_id": f"perf{number}"}
    return {"name": f"token{number}", "secret_sha256": token_digest(number), "created_at": _NOW, **whose}
