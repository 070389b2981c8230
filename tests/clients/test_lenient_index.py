"""What lenient indexes take in the old ways, installers install: nothing is kept that is of no use to anybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from raw_zip import FILENAME
from zip_cases import described

from clients.conftest import MakeTool
from clients.sandbox import Sandbox
from clients.server import Server, running_server
from clients.toolbox import Toolbox
from clients.versions import newest


@pytest.fixture(scope="module", params=[0, 8], ids=["stored", "deflated"])
def server(
    request: pytest.FixtureRequest, toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A lenient server with a wheel that has a data descriptor, which readers from the front cannot go by."""
    folder, wheel = tmp_path_factory.mktemp("lenient"), tmp_path_factory.mktemp("described") / FILENAME
    wheel.write_bytes(described(request.param))
    with running_server(folder) as running:
        running.operate("index", "rules", "main/pypi", "validation=lenient")
        to = running.upload()
        words = ["publish", "--publish-url", to.url, "--username", to.username, "--password", to.password, str(wheel)]
        published = Sandbox(folder).run(toolbox.environment(newest("uv")) / "bin" / "uv", *words)
        assert published.succeeded, published.report
        yield running


def test_pip(server: Server, tool: MakeTool, tmp_path: Path) -> None:
    """It goes by the directory at the end of the archive."""
    words = ["--no-deps", "--index-url", server.simple, "--target", str(tmp_path / "target"), "demo"]
    done = tool(newest("pip")).run("python", "-m", "pip", "install", *words)
    assert done.succeeded, done.report
    assert (tmp_path / "target" / "demo" / "a.py").exists()


def test_uv(server: Server, tool: MakeTool, tmp_path: Path) -> None:
    """It unpacks wheels while they come in, and takes a second look at those where that cannot be."""
    words = ["--no-deps", "--default-index", server.simple, "--target", str(tmp_path / "target"), "demo"]
    done = tool(newest("uv")).run("uv", "pip", "install", *words)
    assert done.succeeded, done.report
    assert (tmp_path / "target" / "demo" / "a.py").exists()
