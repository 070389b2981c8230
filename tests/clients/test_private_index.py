"""A private index: each client brings its credentials its own way, and says plainly when it has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients.conftest import MakeTool
from clients.consumer import Consumer
from clients.shelf import Shelf
from clients.toolbox import Tool, imported_version, make_environment
from clients.versions import Client, clients, newest

EVERY_PIP = pytest.mark.parametrize("client", clients("pip"), ids=str)
POETRY_SETTINGS = """\
[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "here"
url = "{index}"
priority = "primary"
"""
PDM_SETTINGS = '[[tool.pdm.source]]\nname = "pypi"\nurl = "{index}"\n'
UV_SETTINGS = '[[tool.uv.index]]\nname = "here"\nurl = "{index}"\ndefault = true\n'


@pytest.fixture
def pip(client: Client, tool: MakeTool, tmp_path: Path) -> Tool:
    """A clean environment with that pip, to install into."""
    return tool(client).disposable(tmp_path / "environment")


@pytest.fixture
def with_netrc(private_shelf: Shelf, tmp_path: Path) -> Shelf:
    """The private index, and its token in the ``.netrc`` of the sandbox's home."""
    netrc = tmp_path / "home" / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login __token__ password {private_shelf.server.reader}\n", encoding="utf-8")
    netrc.chmod(0o600)
    return private_shelf


@EVERY_PIP
def test_pip_with_url(pip: Tool, private_shelf: Shelf) -> None:
    """pip sends the credentials of the index URL for pages, metadata and files."""
    index = private_shelf.server.simple_with_token
    installed = pip.run("python", "-m", "pip", "install", "--index-url", index, "demo-app")
    assert installed.succeeded, installed.report
    assert pip.version_of("demo_lib") == "2.0"


@EVERY_PIP
def test_pip_with_netrc(pip: Tool, with_netrc: Shelf) -> None:
    """pip finds the credentials in ``.netrc``."""
    index = with_netrc.server.simple
    installed = pip.run("python", "-m", "pip", "install", "--index-url", index, "demo-app")
    assert installed.succeeded, installed.report
    assert pip.version_of("demo_lib") == "2.0"


@EVERY_PIP
def test_pip_without(pip: Tool, private_shelf: Shelf) -> None:
    """Without credentials pip fails; that it met a 401 it says when asked for details."""
    index = private_shelf.server.simple
    refused = pip.run("python", "-m", "pip", "install", "-vv", "--index-url", index, "demo-app")
    assert not refused.succeeded, refused.report
    assert refused.shows(401), refused.report


def _uv_install(uv: Tool, folder: Path, index: str) -> str:
    """Install from an index with uv and return what was imported, or what uv said when it failed."""
    python = make_environment(folder / "environment")
    installed = uv.run("uv", "pip", "install", "--python", python, "--default-index", index, "demo-app")
    return imported_version(uv.sandbox, python, "demo_lib") if installed.succeeded else installed.report


def test_uv_with_url(tool: MakeTool, private_shelf: Shelf, tmp_path: Path) -> None:
    """uv sends the credentials of the index URL for pages, metadata and files."""
    assert _uv_install(tool(newest("uv")), tmp_path, private_shelf.server.simple_with_token) == "2.0"


def test_uv_with_netrc(tool: MakeTool, with_netrc: Shelf, tmp_path: Path) -> None:
    """uv finds the credentials in ``.netrc`` after the challenge."""
    assert _uv_install(tool(newest("uv")), tmp_path, with_netrc.server.simple) == "2.0"


def test_uv_without(tool: MakeTool, private_shelf: Shelf, tmp_path: Path) -> None:
    """Without credentials uv fails and shows the 401."""
    assert "401 Unauthorized" in _uv_install(tool(newest("uv")), tmp_path, private_shelf.server.simple)


def test_uv_project(tool: MakeTool, private_shelf: Shelf, tmp_path: Path) -> None:
    """uv finds the credentials of a named index in the environment, and its lock has none of them."""
    settings = UV_SETTINGS.format(index=private_shelf.server.simple)
    project = Consumer.starting(tool(newest("uv")), tmp_path / "project", settings)
    variables = {"UV_INDEX_HERE_USERNAME": "__token__", "UV_INDEX_HERE_PASSWORD": private_shelf.server.reader}
    synchronised = project.run("sync", **variables)
    assert synchronised.succeeded, synchronised.report
    assert project.version_of("demo_lib") == "2.0"
    assert private_shelf.server.reader not in project.read("uv.lock")


def test_poetry(tool: MakeTool, private_shelf: Shelf, tmp_path: Path) -> None:
    """poetry finds the credentials of a source in the environment."""
    settings = POETRY_SETTINGS.format(index=private_shelf.server.simple)
    project = Consumer.starting(tool(newest("poetry")), tmp_path / "project", settings)
    reader = private_shelf.server.reader
    variables = {"POETRY_HTTP_BASIC_HERE_USERNAME": "__token__", "POETRY_HTTP_BASIC_HERE_PASSWORD": reader}
    installed = project.run("install", "-n", **variables)
    assert installed.succeeded, installed.report
    assert project.version_of("demo_lib") == "2.0"


def test_poetry_without(tool: MakeTool, private_shelf: Shelf, tmp_path: Path) -> None:
    """Without credentials poetry fails and says that it was not authorised."""
    settings = POETRY_SETTINGS.format(index=private_shelf.server.simple)
    project = Consumer.starting(tool(newest("poetry")), tmp_path / "project", settings)
    refused = project.run("lock", "-n")
    assert not refused.succeeded, refused.report
    assert "Authorization error accessing" in refused.output, refused.report


def test_pdm(tool: MakeTool, private_shelf: Shelf, tmp_path: Path) -> None:
    """PDM takes the credentials in a source's URL from the environment, and its lock has none of them."""
    index = private_shelf.server.simple.replace("//", "//__token__:${PDM_TOKEN}@", 1)
    project = Consumer.starting(tool(newest("pdm")), tmp_path / "project", PDM_SETTINGS.format(index=index))
    installed = project.run("install", "--no-self", PDM_TOKEN=private_shelf.server.reader)
    assert installed.succeeded, installed.report
    assert project.version_of("demo_lib") == "2.0"
    assert private_shelf.server.reader not in project.read("pdm.lock")


def test_pdm_without(tool: MakeTool, private_shelf: Shelf, tmp_path: Path) -> None:
    """Without credentials PDM fails and shows the 401."""
    settings = PDM_SETTINGS.format(index=private_shelf.server.simple)
    project = Consumer.starting(tool(newest("pdm")), tmp_path / "project", settings)
    refused = project.run("lock", "-v")
    assert not refused.succeeded, refused.report
    assert refused.shows(401), refused.report
