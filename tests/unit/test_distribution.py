"""The metadata of our own distribution says what is there."""

from __future__ import annotations

import configparser
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path

import click
import pytest
from packaging.version import Version

import pypiserve
from pypiserve.cli.main import main
from pypiserve.plugin import API_REVISION

_ROOT = Path(__file__).parent.parent.parent
_BUILT_IN = ["disk", "html", "htpasswd", "json", "token"]


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    """Our setup.cfg."""
    config = configparser.ConfigParser()
    config.read(_ROOT / "setup.cfg", encoding="utf-8")
    return config


def _lines(value: str) -> list[str]:
    return [line for line in value.splitlines() if line]


def test_every_package_is_listed(setup_cfg: configparser.ConfigParser) -> None:
    """setup.cfg lists exactly the folders that hold a module, for nothing discovers them."""
    folders = {path.parent.relative_to(_ROOT) for path in (_ROOT / "pypiserve").rglob("*.py")}
    assert set(_lines(setup_cfg["options"]["packages"])) == {".".join(folder.parts) for folder in folders}


def test_every_dependency_has_a_lower_bound_only(setup_cfg: configparser.ConfigParser) -> None:
    """Requirements say from which version on, and leave newer ones to whoever installs."""
    requirements = _lines(setup_cfg["options"]["install_requires"])
    assert [line for line in requirements if line.count(">=") != 1 or set("<~!,") & set(line)] == []


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        # Repeated headers in quadratic time (CVE-2025-67725), injection by reason phrases (CVE-2025-67724), reading
        # behind the end of a buffer (CVE-2026-49854), addresses with any number of arguments (6.5.9).
        ("tornado", "6.5.9"),
    ],
)
def test_versions_with_known_holes_are_not_installed(
    setup_cfg: configparser.ConfigParser, name: str, fixed: str
) -> None:
    """A lower bound is not below the version that repaired what a stranger could use against a server."""
    bounds = dict(line.split(">=") for line in _lines(setup_cfg["options"]["install_requires"]))
    assert Version(bounds[name]) >= Version(fixed)


def test_version_is_that_of_the_metadata() -> None:
    """The version in the code is the version that was installed."""
    assert pypiserve.__version__ == version("pypiserve")


def test_command_is_installed() -> None:
    """``pypiserve`` runs the group of commands."""
    (script,) = entry_points(group="console_scripts", name="pypiserve")
    assert script.load() is main
    assert isinstance(main, click.Group)


@pytest.mark.parametrize("name", _BUILT_IN)
def test_built_in_plugin_is_an_entry_point(name: str) -> None:
    """Each built-in plugin registers as any other does, and states the revision it was written for."""
    (entry,) = entry_points(group="pypiserve", name=name)
    assert entry.load() is import_module(f"pypiserve.builtin.{name}")
    assert entry.load().API_REVISION == API_REVISION


def test_no_other_plugin_is_built_in() -> None:
    """The list above is complete."""
    names = [entry.name for entry in entry_points(group="pypiserve") if entry.value.startswith("pypiserve.")]
    assert sorted(names) == _BUILT_IN
