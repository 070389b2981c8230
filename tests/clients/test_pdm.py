"""PDM resolves, locks and installs from the index."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients.conftest import MakeTool
from clients.consumer import Consumer
from clients.shelf import Shelf
from clients.versions import newest


@pytest.fixture
def project(tool: MakeTool, shelf: Shelf, tmp_path: Path) -> Consumer:
    """A project whose only index is the one under test."""
    # A source of this name takes the place of PDM's default one.
    source = f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{shelf.server.simple}"\n'
    return Consumer.starting(tool(newest("pdm")), tmp_path / "project", source)


def test_lock_and_sync(project: Consumer, shelf: Shelf) -> None:
    """The lock has the digests of the published files, and what was locked is installed."""
    locked = project.run("lock")
    assert locked.succeeded, locked.report
    assert shelf.files["demo_lib-2.0-py3-none-any.whl"].sha256 in project.read("pdm.lock")
    synchronised = project.run("sync", "--no-self")
    assert synchronised.succeeded, synchronised.report
    assert project.version_of("demo_lib") == "2.0"


def test_add(project: Consumer) -> None:
    """``pdm add`` finds a project that has an sdist only, builds and installs it."""
    added = project.run("add", "--no-self", "demo-sdist")
    assert added.succeeded, added.report
    assert project.version_of("demo_sdist") == "1.0"


def test_exclude_newer(project: Consumer, shelf: Shelf) -> None:
    """A cut-off hides what was published after it."""
    cutoff = shelf.before_2.isoformat().replace("+00:00", "Z")
    locked = project.run("lock", "--exclude-newer", cutoff)
    assert locked.succeeded, locked.report
    assert shelf.files["demo_lib-1.0-py3-none-any.whl"].sha256 in project.read("pdm.lock")
    assert shelf.files["demo_lib-2.0-py3-none-any.whl"].sha256 not in project.read("pdm.lock")
