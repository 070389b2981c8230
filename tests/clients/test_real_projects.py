"""Files of well-known projects: published with twine and with uv, and installed from the server alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pypi_simple import ACCEPT_HTML_ONLY, ACCEPT_JSON_ONLY, PyPISimple

from clients.conftest import MakeTool
from clients.listing import pages
from clients.projects import Project
from clients.publishers import Publisher
from clients.real_files import digests_by_project, fetched_files, metadata_of, pins
from clients.sandbox import Finished, Sandbox
from clients.server import Server, running_server
from clients.toolbox import Tool, Toolbox, make_environment
from clients.versions import newest, real_projects

EVERY_MODULE = [*(project.imports for project in real_projects()), "demo_epoch", "demo_local"]
IMPORT_ALL = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; print('imported')"


@dataclass(frozen=True)
class Filled:
    """A server to which one client published all files."""

    client: str
    server: Server
    files: list[Path]


@pytest.fixture(scope="module", params=["twine", "uv"])
def filled(
    request: pytest.FixtureRequest, toolbox: Toolbox, cache_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    """A server of its own with all files, published by the newest version of the client."""
    folder = tmp_path_factory.mktemp("real")
    project = Project(folder, "")
    files = fetched_files(toolbox, cache_folder)
    (folder / "dist").mkdir()
    for path in files:
        (folder / "dist" / path.name).symlink_to(path)
    client = newest(request.param)
    tool = Tool(client, toolbox.environment(client), Sandbox(folder))
    with running_server(folder) as server:
        published = Publisher(tool, project).publish(server.upload())
        assert published.succeeded, published.report
        yield Filled(client.name, server, files)


def test_published(filled: Filled) -> None:
    """Every file is listed with its digest, in both forms."""
    for accept in (ACCEPT_JSON_ONLY, ACCEPT_HTML_ONLY):
        listed = {
            name: {package.filename: package.digests["sha256"] for package in page.packages}
            for name, page in pages(filled.server, accept).items()
        }
        assert listed == digests_by_project(filled.files)


def test_large_file(filled: Filled) -> None:
    """One of the files has over 20 MB, so that clients and server handle it in pieces."""
    assert max(path.stat().st_size for path in filled.files) > 20_000_000


def test_core_metadata(filled: Filled) -> None:
    """Every wheel has its core metadata beside it, the bytes that are inside the wheel."""
    served = {}
    with PyPISimple(filled.server.simple) as client:
        for page in pages(filled.server, ACCEPT_JSON_ONLY).values():
            for package in page.packages:
                if package.has_metadata:
                    served[package.filename] = client.get_package_metadata_bytes(package, verify=True)
    wheels = [path for path in filled.files if path.suffix == ".whl"]
    assert {path.name: served.get(path.name) for path in wheels} == {path.name: metadata_of(path) for path in wheels}


def test_install(filled: Filled, tool: MakeTool, tmp_path: Path) -> None:
    """All projects are installed with verified hashes into a clean environment, and can be imported."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(pins(filled.files), encoding="utf-8")
    sandbox, python, installed = _install(
        filled, tool, tmp_path / "environment", "--require-hashes", "-r", str(requirements)
    )
    assert installed.succeeded, installed.report
    imported = sandbox.run(python, "-W", "ignore", "-c", IMPORT_ALL, *EVERY_MODULE)
    assert imported.output == "imported\n", imported.report


def test_install_sdists(filled: Filled, tool: MakeTool, tmp_path: Path) -> None:
    """Pure sdists are built and installed, with build backends that come from the server too."""
    names = ["docopt", "six", "idna"]
    flags = [flag for name in names for flag in ("--no-binary", name)]
    sandbox, python, installed = _install(filled, tool, tmp_path / "environment", "--no-deps", *flags, *names)
    assert installed.succeeded, installed.report
    imported = sandbox.run(python, "-W", "ignore", "-c", IMPORT_ALL, *names)
    assert imported.output == "imported\n", imported.report


def _install(filled: Filled, tool: MakeTool, folder: Path, *what: str) -> tuple[Sandbox, Path, Finished]:
    """Install into a clean environment: with uv what uv published, with pip what twine published."""
    index = ["--index-url", filled.server.simple]
    if filled.client == "uv":
        uv = tool(newest("uv"))
        python = make_environment(folder)
        return uv.sandbox, python, uv.run("uv", "pip", "install", "--python", python, *index, *what)
    pip = tool(newest("pip")).disposable(folder)
    installed = pip.run("python", "-m", "pip", "install", "--no-compile", *index, *what)
    return pip.sandbox, folder / "bin" / "python", installed
