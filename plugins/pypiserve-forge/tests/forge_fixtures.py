"""Fixtures: the fake forges, and authenticators that ask them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forge_process import Forges, running_forges
from people import GITEA, GITHUB, GITLAB
from pypiserve.testing import Clock, a_clock, a_context
from pypiserve_forge import pypiserve_authenticators
from pypiserve_forge.authenticator import ForgeAuthenticator
from pypiserve_forge.building import build

__all__ = ["BuildBeside", "MakeAuthenticator", "Table", "build_beside", "clock", "forges", "forges_process", "make"]

MakeAuthenticator = Callable[..., ForgeAuthenticator]

Table = tuple[str, dict[str, Any]]
"""A kind and its settings."""

BuildBeside = Callable[[Table, Table], None]


@pytest.fixture(scope="session")
def forges_process() -> Iterator[Forges]:
    """The process."""
    with running_forges() as forges:
        yield forges


@pytest.fixture
def forges(forges_process: Forges) -> Forges:
    """The forges as each test finds them."""
    forgejo = {**GITEA, "tells_tokens": False}
    forges_process.begin(gitea=GITEA, forgejo=forgejo, gitlab=GITLAB, github=GITHUB)
    return forges_process


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still, on the first of January 2026."""
    return a_clock()


class _Seconds:
    """The same clock as a number."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self) -> float:
        return self._clock().timestamp()


@pytest.fixture
async def make(forges: Forges, clock: Clock, tmp_path: Path) -> AsyncIterator[MakeAuthenticator]:
    """Return a function that builds the authenticator of a kind, named like it; for the organisation ``acme``, and
    for strangers too."""
    kinds = {kind.name: kind for kind in pypiserve_authenticators()}
    built: list[ForgeAuthenticator] = []

    def make_one(kind: str, **settings: Any) -> ForgeAuthenticator:
        table = {"url": getattr(forges, kind).url, "organisations": ["acme"], "members_only": False, **settings}
        context = a_context(kind, tmp_path, now=clock)
        authenticator = build(kinds[kind].settings(**table), context, monotonic=_Seconds(clock))
        built.append(authenticator)
        return authenticator

    yield make_one
    for authenticator in built:
        await authenticator.close()


@pytest.fixture
async def build_beside(tmp_path: Path) -> BuildBeside:
    """Return a function that builds an authenticator ``a`` beside the settings of another, ``b``."""
    kinds = {kind.name: kind for kind in pypiserve_authenticators()}

    def typed(table: Table) -> Any:
        kind, settings = table
        return kinds[kind].settings(**{"url": "https://forge.example", "organisations": ["acme"], **settings})

    def build_one(one: Table, other: Table) -> None:
        build(typed(one), replace(a_context("a", tmp_path), other_authenticators={"b": typed(other)}))

    return build_one
