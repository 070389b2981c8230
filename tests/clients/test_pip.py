"""pip, newest to oldest, installs from the index."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from clients.conftest import MakeTool
from clients.shelf import Shelf
from clients.toolbox import Tool
from clients.versions import Client, clients, newest

EVERY_PIP = pytest.mark.parametrize("client", clients("pip"), ids=str)


@pytest.fixture
def pip(client: Client, tool: MakeTool, tmp_path: Path) -> Tool:
    """A clean environment with that pip, to install into."""
    return tool(client).disposable(tmp_path / "environment")


@pytest.fixture
def newest_pip(tool: MakeTool, tmp_path: Path) -> Tool:
    """A clean environment with the newest pip, to install into."""
    return tool(newest("pip")).disposable(tmp_path / "environment")


@EVERY_PIP
@pytest.mark.parametrize("path", ["/simple/", "/simple", "/api/packages/main/pypi/simple/"])
def test_install(pip: Tool, shelf: Shelf, path: str) -> None:
    """A project comes with its dependency, in the newest version that this Python may have."""
    index = f"http://{shelf.server.netloc}{path}"
    installed = pip.run("python", "-m", "pip", "install", "--index-url", index, "Demo.App")
    assert installed.succeeded, installed.report
    assert pip.version_of("demo_app") == "1.0"
    assert pip.version_of("demo_lib") == "2.0"


@EVERY_PIP
def test_install_sdist(pip: Tool, shelf: Shelf) -> None:
    """A project without a wheel is built from its sdist, in a build environment of pip's own."""
    installed = pip.run("python", "-m", "pip", "install", "--index-url", shelf.server.simple, "demo-sdist")
    assert installed.succeeded, installed.report
    assert pip.version_of("demo_sdist") == "1.0"


@EVERY_PIP
def test_require_hashes(pip: Tool, shelf: Shelf, tmp_path: Path) -> None:
    """Files with the hashes of the published files are installed."""
    requirements = tmp_path / "requirements.txt"
    pins = shelf.requirements("demo_app-1.0-py3-none-any.whl", "demo_lib-1.0-py3-none-any.whl")
    requirements.write_text(pins, encoding="utf-8")
    words = ["install", "--index-url", shelf.server.simple, "--require-hashes", "-r", str(requirements)]
    installed = pip.run("python", "-m", "pip", *words)
    assert installed.succeeded, installed.report
    assert pip.version_of("demo_lib") == "1.0"


@EVERY_PIP
def test_download(pip: Tool, shelf: Shelf, tmp_path: Path) -> None:
    """The downloaded file is the published one, byte by byte."""
    words = ["download", "--index-url", shelf.server.simple, "--dest", str(tmp_path / "files"), "demo-lib==1.0"]
    downloaded = pip.run("python", "-m", "pip", *words)
    assert downloaded.succeeded, downloaded.report
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "files").iterdir()}
    name = "demo_lib-1.0-py3-none-any.whl"
    assert files == {name: shelf.files[name].sha256}


@EVERY_PIP
def test_index_versions(pip: Tool, shelf: Shelf) -> None:
    """``pip index versions`` lists what this Python may install."""
    listed = pip.run("python", "-m", "pip", "index", "versions", "--index-url", shelf.server.simple, "demo-lib")
    assert listed.succeeded, listed.report
    assert "Available versions: 2.0, 1.0\n" in listed.output, listed.report


@EVERY_PIP
def test_unknown_project(pip: Tool, shelf: Shelf) -> None:
    """A project that is not there ends in pip's own words about that."""
    missing = pip.run("python", "-m", "pip", "install", "--index-url", shelf.server.simple, "demo-missing")
    assert not missing.succeeded, missing.report
    assert "No matching distribution found for demo-missing" in missing.output, missing.report


def test_uploaded_prior_to(newest_pip: Tool, shelf: Shelf) -> None:
    """A cut-off hides what was published after it."""
    words = ["--index-url", shelf.server.simple, "--uploaded-prior-to", shelf.before_2.isoformat(), "demo-app"]
    installed = newest_pip.run("python", "-m", "pip", "install", *words)
    assert installed.succeeded, installed.report
    assert newest_pip.version_of("demo_lib") == "1.0"


def test_lock(newest_pip: Tool, shelf: Shelf, tmp_path: Path) -> None:
    """``pip lock`` writes a ``pylock.toml`` that ``pip install`` reads, without asking the index again."""
    lock = tmp_path / "pylock.toml"
    words = ["--index-url", shelf.server.simple, "--output", str(lock), "demo-app"]
    locked = newest_pip.run("python", "-m", "pip", "lock", *words)
    assert locked.succeeded, locked.report
    assert shelf.files["demo_lib-2.0-py3-none-any.whl"].sha256 in lock.read_text(encoding="utf-8")
    installed = newest_pip.run("python", "-m", "pip", "install", "--no-index", "-r", str(lock))
    assert installed.succeeded, installed.report
    assert newest_pip.version_of("demo_lib") == "2.0"


def test_search(newest_pip: Tool, shelf: Shelf) -> None:
    """``pip search`` lists the projects whose names have one of the words, with their latest versions."""
    address = f"{shelf.server.base}/pypi"
    found = newest_pip.run("python", "-m", "pip", "search", "--index", address, "APP", "sdist", "none")
    assert found.succeeded, found.report
    assert [line.split(" - ")[0].strip() for line in found.output.splitlines() if line.startswith("demo")] == [
        "demo-app (1.0)",
        "demo-sdist (1.0)",
    ]
