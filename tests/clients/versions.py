"""Which versions of which clients and projects the tests use: a reader of ``versions.toml``."""

from __future__ import annotations

import platform
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

__all__ = ["Client", "RealProject", "clients", "newest", "real_projects"]


@dataclass(frozen=True)
class Client:
    """
    One version of one client.

    Attributes:
        name: What the tests call it.
        version: Exact.
        requirements: What to install, the client first.
    """

    name: str
    version: str
    requirements: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}-{self.version}"


@dataclass(frozen=True)
class RealProject:
    """
    One version of a project from the world.

    Attributes:
        name: As its authors spell it.
        version: Exact.
        imports: A module that its files install.
        files: ``wheel``, ``sdist`` or both.
        platforms: Further platforms whose wheels are published too.
    """

    name: str
    version: str
    imports: str
    files: tuple[str, ...] = ("wheel",)
    platforms: tuple[str, ...] = ()

    @property
    def pin(self) -> str:
        """The requirement that only this version meets."""
        return f"{self.name}=={self.version}"


def clients(name: str) -> list[Client]:
    """Return the versions of a client that run on this Python, newest first."""
    return [_client(entry) for entry in _table()["client"] if entry["name"] == name and _runs_here(entry)]


def newest(name: str) -> Client:
    """Return the newest version of a client."""
    return clients(name)[0]


def real_projects() -> list[RealProject]:
    """Return the real projects."""
    return [
        RealProject(
            entry["name"],
            entry["version"],
            entry["imports"],
            tuple(entry.get("files", ["wheel"])),
            tuple(entry.get("platforms", [])),
        )
        for entry in _table()["real"]
    ]


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("versions.toml").read_text(encoding="utf-8"))


def _client(entry: dict[str, Any]) -> Client:
    extra = f"[{entry['extra']}]" if "extra" in entry else ""
    requirement = f"{entry.get('distribution', entry['name'])}{extra}=={entry['version']}"
    return Client(entry["name"], entry["version"], (requirement, *entry.get("with", [])))


def _runs_here(entry: dict[str, Any]) -> bool:
    """
    Tell whether a version runs on the running Python.

    One that does not is left out of the parameters: there is nothing to skip, the combination does not exist.
    """
    return platform.python_version() in SpecifierSet(entry.get("python", ""), prereleases=True)
