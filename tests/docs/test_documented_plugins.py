"""
The plugins that the documentation shows are whole.

Their code is taken from the pages; their own tests, which inherit the contracts, pass; and files are published to and
installed from servers that use them.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doc_pages import blocks

from pypiserve.core.identity import Role
from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

_PATIENCE_SECONDS = 300
_PLUGINS = {"a-file-store.md": "sqlite_store", "an-authenticator.md": "tokenfile"}


@pytest.fixture(params=_PLUGINS)
def distribution(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with the files of one documented distribution."""
    return _write(request.param, tmp_path / "distribution")


def _write(page: str, folder: Path) -> Path:
    folder.mkdir()
    for language in ("python", "toml"):
        for block in blocks("plugin-authors", language):
            if block.page.endswith(page) and block.caption not in {"", "pypiserve.toml"}:
                (folder / block.caption).write_text(block.content, encoding="utf-8")
    return folder


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Both distributions, in reach of ``import`` for the time of a test."""
    for number, page in enumerate(_PLUGINS):
        monkeypatch.syspath_prepend(_write(page, tmp_path / str(number)))
    yield tmp_path
    for module in _PLUGINS.values():
        sys.modules.pop(module, None)


def _run(*words: str | Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )


def test_its_own_tests_pass(distribution: Path) -> None:
    """The documented tests, contract and whole server included, pass as they stand, and nothing is left out."""
    ran = _run("pytest", "-q", "-p", "no:cacheprovider", folder=distribution)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "passed" in ran.stdout
    assert "skipped" not in ran.stdout


def test_it_is_found_when_it_is_installed(distribution: Path) -> None:
    """With the documented entry point in the metadata of an installed distribution the plugin is listed."""
    project = tomllib.loads((distribution / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = distribution / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    installed.mkdir()
    identity = f"Name: {project['name']}\nVersion: {project['version']}\n"
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\n{identity}", encoding="utf-8")
    points = "\n".join(f"{name} = {value}" for name, value in project["entry-points"]["pypiserve"].items())
    (installed / "entry_points.txt").write_text(f"[pypiserve]\n{points}\n", encoding="utf-8")
    listed = _run("pypiserve", "plugins", folder=distribution)
    assert f"{project['name']} {project['version']}" in listed.stdout, listed.stdout + listed.stderr


def test_publish_and_install(importable: Path, make_server: Callable[[str], ServerUnderTest], tmp_path: Path) -> None:
    """With both plugins in one server, a wheel is published with a token of the file and installed with pip."""
    token = "site-" + "0" * 8
    (importable / "tokens").write_text(f"alice {hashlib.sha256(token.encode()).hexdigest()}\n", encoding="utf-8")
    server = make_server(f"""
private = true
plugins = ["sqlite_store", "tokenfile"]
store = {{ kind = "sqlite" }}
authenticators = [{{ kind = "token" }}, {{ kind = "tokenfile", name = "site", file = "{importable / "tokens"}" }}]
""")
    with server.catalog() as catalog:
        catalog.accounts.grant("site:alice", Role.PUBLISHER, owner="main")
    assert server.publish(a_wheel("demo-app", "1.0"), token=token).status == 201
    index = f"http://alice:{token}@{server.host}:{server.port}/simple/"
    into = tmp_path / "installed"
    words: list[str | Path] = ["--isolated", "--no-cache-dir", "--disable-pip-version-check", "--target", into]
    installed = _run(
        "pip", "install", *words, "--index-url", index, "demo-app", folder=tmp_path, NO_PROXY=server.host
    )
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert (into / "demo_app" / "__init__.py").exists()
