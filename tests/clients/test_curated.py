"""pip and uv meet what was yanked, deleted, restored and quarantined by the interface for programs."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from clients.conftest import MakeTool
from clients.server import Server, running_server
from clients.shelf import Shelf, stock
from clients.toolbox import Tool, Toolbox, imported_version, make_environment
from clients.versions import Client, clients, newest

PIPS = pytest.mark.parametrize("client", [*clients("pip")][:: max(1, len([*clients("pip")]) - 1)], ids=str)


@pytest.fixture
def own(toolbox: Toolbox, tmp_path: Path) -> Iterator[Shelf]:
    """A stocked server of this test alone."""
    for folder in ("curated", "built"):
        (tmp_path / folder).mkdir()
    with running_server(tmp_path / "curated") as server:
        yield stock(server, toolbox.environment(newest("uv")), tmp_path / "built")


@pytest.fixture
def pip(client: Client, tool: MakeTool, tmp_path: Path) -> Tool:
    """A clean environment with that pip, to install into."""
    return tool(client).disposable(tmp_path / "environment")


def ask(server: Server, method: str, path: str, body: Mapping[str, str] | None = None) -> int:
    """Send a request below the project ``demo-lib``, as the administrator; return the status."""
    token = next(word for word in server.greeting.split() if word.startswith("pypiserve_"))
    request = urllib.request.Request(
        f"http://{server.netloc}/api/v1/packages/main/pypi/demo-lib{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        status: int = answer.status
    return status


def install(pip: Tool, server: Server, *words: str) -> str:
    """Install with pip, not from its cache; return what it says."""
    options = ("--no-cache-dir", "--index-url", server.simple, "--force-reinstall")
    return pip.run("python", "-m", "pip", "install", *options, *words).output


@PIPS
def test_pip(pip: Tool, own: Shelf) -> None:
    """A yanked release is passed over unless pinned; a deleted one is gone, pinned or not; a restored one is back."""
    server = own.server
    assert ask(server, "PUT", "/2.0/yank", {"reason": "eats data"}) == 204
    install(pip, server, "demo-app")
    assert pip.version_of("demo_lib") == "1.0"
    assert "eats data" in install(pip, server, "demo-lib==2.0")
    assert pip.version_of("demo_lib") == "2.0"
    assert ask(server, "DELETE", "/2.0") == 204
    assert "No matching distribution found for demo-lib==2.0" in install(pip, server, "demo-lib==2.0")
    assert ask(server, "POST", "/2.0/restore") == 200
    assert ask(server, "DELETE", "/2.0/yank") == 204
    install(pip, server, "demo-app")
    assert pip.version_of("demo_lib") == "2.0"


@PIPS
def test_pip_and_whole_projects(pip: Tool, own: Shelf) -> None:
    """A deleted project and a quarantined one have nothing to install."""
    server = own.server
    for method, path, body, back in (
        ("DELETE", "", None, ("POST", "/-/restore", None)),
        ("PUT", "/-/status", {"status": "quarantined"}, ("PUT", "/-/status", {"status": "active"})),
    ):
        assert ask(server, method, path, body) == 204
        assert "No matching distribution found for demo-lib" in install(pip, server, "demo-lib")
        assert ask(server, *back) in {200, 204}
        install(pip, server, "demo-lib")
        assert pip.version_of("demo_lib") == "2.0"


def test_uv(tool: MakeTool, own: Shelf, tmp_path: Path) -> None:
    """So it is with uv."""
    uv, server = tool(newest("uv")), own.server
    python = make_environment(tmp_path / "environment")

    def installed(needs: str) -> str:
        options = ("--python", python, "--no-cache", "--reinstall", "--default-index", server.simple)
        done = uv.run("uv", "pip", "install", *options, needs)
        return imported_version(uv.sandbox, python, "demo_lib") if done.succeeded else "refused"

    assert ask(server, "PUT", "/2.0/yank", {"reason": "eats data"}) == 204
    assert (installed("demo-app"), installed("demo-lib==2.0")) == ("1.0", "2.0")
    assert ask(server, "DELETE", "/2.0") == 204
    assert (installed("demo-app"), installed("demo-lib==2.0")) == ("1.0", "refused")
    assert ask(server, "PUT", "/-/status", {"status": "quarantined"}) == 204
    assert installed("demo-lib") == "refused"
