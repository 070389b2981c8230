"""Which releases the environments of this project install."""

from __future__ import annotations

import configparser
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["Pin", "direct_dependencies", "installed_releases"]

_ROOT = Path(__file__).parents[2]


class Pin(NamedTuple):
    """One release of a project, its name normalised."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def direct_dependencies() -> frozenset[str]:
    """Return the normalised names of all projects that ours names itself."""
    named = [*_of_setup(), *_of_tox(), *(requirement for group in _of_clients() for requirement in group)]
    return frozenset(canonicalize_name(Requirement(text).name) for text in named)


def installed_releases() -> list[Pin]:
    """Resolve every environment of its own: the project with its tools, and each client of the tests."""
    groups = [[*_of_setup(), *_of_tox()], *_of_clients()]
    return sorted({pin for group in groups for pin in _resolved(group)})


def _resolved(requirements: list[str]) -> list[Pin]:
    command = ("-m", "uv", "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:")
    done = subprocess.run(
        [sys.executable, *command],
        input="\n".join(requirements),
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
        cwd=_ROOT,
    )
    if done.returncode:
        print(f"left out, it cannot be resolved here: {', '.join(requirements)[:200]}", file=sys.stderr)
        return []
    pinned = [Requirement(line.partition(";")[0]) for line in done.stdout.splitlines() if "==" in line]
    return [Pin(canonicalize_name(one.name), str(one.specifier).removeprefix("==")) for one in pinned]


def _of_setup() -> list[str]:
    options = _ini("setup.cfg")
    texts = (options["options"]["install_requires"], options["options.extras_require"]["testing"])
    return _requirements("\n".join(texts))


def _of_tox() -> list[str]:
    sections = _ini("tox.ini")
    texts = [sections[section]["deps"] for section in sections.sections() if "deps" in sections[section]]
    return sorted(set(_requirements("\n".join(texts))))


def _of_clients() -> list[list[str]]:
    table = tomllib.loads((_ROOT / "tests" / "clients" / "versions.toml").read_text())
    groups = []
    for client in table["client"]:
        extra = f"[{client['extra']}]" if "extra" in client else ""
        name = f"{client.get('distribution', client['name'])}{extra}=={client['version']}"
        groups.append([name, *client.get("with", [])])
    return groups


def _ini(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(_ROOT / name)
    return parser


def _requirements(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "-", "{"))]
