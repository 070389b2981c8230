"""Fixtures: installed clients, running servers, and projects to install from them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import bcrypt
import pytest

from clients.publishers import Publisher
from clients.sandbox import Sandbox
from clients.server import Server, running_server
from clients.shelf import Shelf, stock
from clients.toolbox import Tool, Toolbox
from clients.versions import Client, newest
from pypiserve.core.identity import BasicCredentials

USER = BasicCredentials("dev@example.com", "pä:ss/w@rd %1")
"""A user whose name and password have what URLs and files of credentials find hard, and Latin-1 can still say."""

SALT = bcrypt.gensalt(4)

MakeTool = Callable[[Client], Tool]


@pytest.fixture(scope="session")
def cache_folder(pytestconfig: pytest.Config) -> Path:
    """A folder that outlives the run: named by PYPISERVE_TEST_TOOLS, or pytest's own cache."""
    named = os.environ.get("PYPISERVE_TEST_TOOLS")
    if named:
        return Path(named)
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("clients")


@pytest.fixture(scope="session")
def toolbox(cache_folder: Path) -> Toolbox:
    """The installed clients."""
    return Toolbox(cache_folder / "tools")


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A home for the processes of this test."""
    home = tmp_path / "home"
    home.mkdir()
    return Sandbox(home)


@pytest.fixture
def tool(toolbox: Toolbox, sandbox: Sandbox) -> MakeTool:
    """Return a client, ready to run."""
    return lambda client: Tool(client, toolbox.environment(client), sandbox)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose index everybody may read."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def private_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose index asks for credentials."""
    with running_server(tmp_path_factory.mktemp("private-server"), "--private") as running:
        yield running


@pytest.fixture(scope="session")
def users_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A private server with a user, ``USER``, who may publish."""
    folder = tmp_path_factory.mktemp("users-server")
    (folder / "users").write_bytes(
        USER.username.encode() + b":" + bcrypt.hashpw(USER.password.encode(), SALT) + b"\n"
    )
    kinds = '[[authenticators]]\nkind = "token"\n[[authenticators]]\nkind = "htpasswd"\nfile = "users"\n'
    (folder / "pypiserve.toml").write_text(kinds)
    with running_server(folder, "--private") as running:
        running.operate("grant", "publisher", f"htpasswd:{USER.username}", "--owner", "main")
        running.secrets.note(USER.password, quote(USER.password, safe=""))
        yield running


@pytest.fixture(scope="session")
def users_shelf(users_server: Server, toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """What there is to install from the server with users."""
    return stock(users_server, toolbox.environment(newest("uv")), tmp_path_factory.mktemp("users-shelf"))


@pytest.fixture(scope="session")
def shelf(server: Server, toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """What there is to install from the server."""
    return stock(server, toolbox.environment(newest("uv")), tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="session")
def private_shelf(private_server: Server, toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """What there is to install from the private server."""
    return stock(private_server, toolbox.environment(newest("uv")), tmp_path_factory.mktemp("private-shelf"))


@pytest.fixture
def publisher(tool: MakeTool, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[Client], Publisher]:
    """Start a project, named after the test, that a client has built and can publish."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return lambda client: Publisher.starting(tool(client), tmp_path / "project", name)
