"""uv resolves, locks, exports and installs from the index."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from clients.conftest import MakeTool
from clients.consumer import Consumer
from clients.shelf import Shelf
from clients.toolbox import Tool, imported_version, make_environment
from clients.versions import newest

WHEEL = "demo_lib-2.0-py3-none-any.whl"


@pytest.fixture
def uv(tool: MakeTool) -> Tool:
    """The client."""
    return tool(newest("uv"))


@pytest.fixture
def project(uv: Tool, shelf: Shelf, tmp_path: Path) -> Consumer:
    """A project whose only index is the one under test."""
    index = f'[[tool.uv.index]]\nname = "here"\nurl = "{shelf.server.simple}"\ndefault = true\n'
    return Consumer.starting(uv, tmp_path / "project", index)


@pytest.mark.parametrize("path", ["/simple/", "/simple", "/api/packages/main/pypi/simple/"])
def test_pip_install(uv: Tool, shelf: Shelf, tmp_path: Path, path: str) -> None:
    """A project comes with its dependency, in the newest version that this Python may have."""
    python = make_environment(tmp_path / "environment")
    index = f"http://{shelf.server.netloc}{path}"
    installed = uv.run("uv", "pip", "install", "--python", python, "--default-index", index, "Demo.App")
    assert installed.succeeded, installed.report
    assert imported_version(uv.sandbox, python, "demo_lib") == "2.0"


def test_pip_install_sdist(uv: Tool, shelf: Shelf, tmp_path: Path) -> None:
    """A project without a wheel is built from its sdist."""
    python = make_environment(tmp_path / "environment")
    words = ["--python", str(python), "--default-index", shelf.server.simple, "demo-sdist"]
    installed = uv.run("uv", "pip", "install", *words)
    assert installed.succeeded, installed.report
    assert imported_version(uv.sandbox, python, "demo_sdist") == "1.0"


def test_require_hashes(uv: Tool, shelf: Shelf, tmp_path: Path) -> None:
    """Files with the hashes of the published files are installed."""
    python = make_environment(tmp_path / "environment")
    pins = tmp_path / "requirements.txt"
    pins.write_text(shelf.requirements("demo_app-1.0-py3-none-any.whl", WHEEL), encoding="utf-8")
    words = ["--python", str(python), "--default-index", shelf.server.simple, "--require-hashes", "-r", str(pins)]
    installed = uv.run("uv", "pip", "install", *words)
    assert installed.succeeded, installed.report
    assert imported_version(uv.sandbox, python, "demo_lib") == "2.0"


def test_exclude_newer(uv: Tool, shelf: Shelf, tmp_path: Path) -> None:
    """A cut-off hides what was published after it."""
    (tmp_path / "requirements.in").write_text("demo-app\n", encoding="utf-8")
    cutoff = shelf.before_2.isoformat().replace("+00:00", "Z")
    words = ["--default-index", shelf.server.simple, "--exclude-newer", cutoff, "requirements.in"]
    compiled = uv.run("uv", "pip", "compile", *words, cwd=tmp_path)
    assert compiled.succeeded, compiled.report
    assert "demo-lib==1.0\n" in compiled.output, compiled.report


def test_add(project: Consumer) -> None:
    """``uv add`` finds a project, locks it and installs it."""
    added = project.run("add", "demo-sdist")
    assert added.succeeded, added.report
    assert '"demo-sdist>=1.0"' in project.read("pyproject.toml")
    assert project.version_of("demo_sdist") == "1.0"


def test_lock(project: Consumer, shelf: Shelf) -> None:
    """The lock has address, digest, size and upload time of each file, and a second look finds nothing to change."""
    locked = project.run("lock")
    checked = project.run("lock", "--check", "--refresh")
    assert locked.succeeded, locked.report
    assert checked.succeeded, checked.report
    packages = tomllib.loads(project.read("uv.lock"))["package"]
    wheel = next(one for one in packages if one["name"] == "demo-lib" and one["version"] == "2.0")["wheels"][0]
    assert wheel["url"] == f"{shelf.server.base}/files/demo-lib/2.0/{WHEEL}"
    assert wheel["hash"] == f"sha256:{shelf.files[WHEEL].sha256}"
    assert wheel["size"] == len(shelf.files[WHEEL].content)
    assert wheel["upload-time"] > shelf.before_2.isoformat()


def test_sync(project: Consumer) -> None:
    """What was locked is installed as locked."""
    project.run("lock")
    synchronised = project.run("sync", "--locked")
    assert synchronised.succeeded, synchronised.report
    assert project.version_of("demo_lib") == "2.0"


def test_pylock(project: Consumer, tmp_path: Path) -> None:
    """A ``pylock.toml`` that uv exports is enough to install from, also in an environment of its own."""
    exported = project.run("export", "--format", "pylock.toml", "--output-file", "pylock.toml")
    assert exported.succeeded, exported.report
    python = make_environment(tmp_path / "other")
    installed = project.run("pip", "install", "--python", str(python), "-r", "pylock.toml")
    assert installed.succeeded, installed.report
    assert imported_version(project.tool.sandbox, python, "demo_lib") == "2.0"


def test_pylock_read_by_pip(project: Consumer, tool: MakeTool, tmp_path: Path) -> None:
    """pip installs from the ``pylock.toml`` that uv exports."""
    exported = project.run("export", "--format", "pylock.toml", "--output-file", "pylock.toml")
    assert exported.succeeded, exported.report
    pip = tool(newest("pip")).disposable(tmp_path / "other")
    words = ["install", "--no-index", "-r", str(project.folder / "pylock.toml")]
    installed = pip.run("python", "-m", "pip", *words)
    assert installed.succeeded, installed.report
    assert pip.version_of("demo_lib") == "2.0"
