"""One run: make and fill the servers, measure, render the report, leave nothing behind."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .corpus import Scale, build_corpus
from .peers import BareTornado, Nginx, Pypiserver, PypiserverGunicorn, install_pypiserver
from .report import load_average, render
from .servers import Pypiserve, Server
from .suite import Suite, say

__all__ = ["NAMES", "Plan", "run"]

NAMES = ("pypiserve", "pypiserver", "nginx", "tornado")
_NGINX_MISSING = "**nginx is missing here** (Debian: `nginx-light`), so its rows are missing as well."


@dataclass(frozen=True)
class Plan:
    """
    What to run.

    Attributes:
        scale: How much of everything.
        names: The servers, out of ``NAMES``.
        cache: Folder that keeps the peers' environments from run to run.
    """

    scale: Scale
    names: frozenset[str]
    cache: Path


async def run(plan: Plan, folder: Path) -> str:
    """
    Measure everything and return the report.

    Args:
        plan: What to run.
        folder: Empty; the caller removes it.

    Raises:
        WrongAnswer: A server did not start, or answered something else than it should.
    """
    load_before = load_average()
    python = install_pypiserver(plan.cache / "pypiserver") if "pypiserver" in plan.names else None
    corpus = build_corpus(folder / "corpus", plan.scale)
    servers = _servers(plan.names, folder, python)
    with ExitStack() as running:
        for server in servers:
            running.enter_context(server.stopping())
            say(f"filling {server.label}")
            await server.fill(corpus)
        suite = Suite(corpus, servers, lambda empty: _servers(plan.names, empty, python), folder)
        await suite.measure()
    notes = [_NGINX_MISSING] if "nginx" in plan.names and shutil.which("nginx") is None else []
    return render(suite, servers=servers, corpus=corpus, notes=notes, load_before=load_before)


def _servers(names: frozenset[str], folder: Path, python: Path | None) -> Sequence[Server]:
    """Make the servers, first those that others copy their pages from."""
    servers: list[Server] = [Pypiserve(folder / "pypiserve")] if "pypiserve" in names else []
    if python is not None:
        servers.append(PypiserverGunicorn(folder / "pypiserver-gunicorn", python))
        servers.append(Pypiserver(folder / "pypiserver-default", python))
    nginx = shutil.which("nginx")
    if "nginx" in names and nginx is not None:
        servers.append(Nginx(folder / "nginx", servers[0], nginx))
    if "tornado" in names:
        servers.append(BareTornado(folder / "tornado", servers[0]))
    return servers
