"""poetry resolves, locks and installs from the index."""

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
    settings = f"""\
[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "here"
url = "{shelf.server.simple}"
priority = "primary"
"""
    return Consumer.starting(tool(newest("poetry")), tmp_path / "project", settings)


def test_lock_and_sync(project: Consumer, shelf: Shelf) -> None:
    """The lock has the digests of the published files, and what was locked is installed."""
    locked = project.run("lock", "-n")
    assert locked.succeeded, locked.report
    assert shelf.files["demo_lib-2.0-py3-none-any.whl"].sha256 in project.read("poetry.lock")
    assert shelf.files["demo_lib-2.0.tar.gz"].sha256 in project.read("poetry.lock")
    synchronised = project.run("sync", "-n")
    assert synchronised.succeeded, synchronised.report
    assert project.version_of("demo_lib") == "2.0"


def test_add(project: Consumer) -> None:
    """``poetry add`` finds a project that has an sdist only, builds and installs it."""
    added = project.run("add", "-n", "demo-sdist")
    assert added.succeeded, added.report
    assert project.version_of("demo_sdist") == "1.0"


def test_search(project: Consumer) -> None:
    """``poetry search`` finds projects in the project list."""
    found = project.run("search", "-n", "demo-a")
    assert found.succeeded, found.report
    assert "demo-app" in found.output, found.report
