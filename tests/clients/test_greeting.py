"""What `pypiserve serve` prints works as it stands, pasted into a shell or into the clients' files."""

from __future__ import annotations

import shlex
import textwrap
from pathlib import Path

import pytest

from clients.conftest import MakeTool
from clients.server import Server
from clients.versions import newest
from pypiserve.testing import a_wheel


@pytest.fixture(params=["server", "private_server"])
def greeted(request: pytest.FixtureRequest) -> Server:
    """A server that greeted its operator: one that everybody may read, and one that asks for the token."""
    server: Server = request.getfixturevalue(request.param)
    return server


def block(server: Server, first: str, last: str) -> str:
    """Return the lines of a file in the greeting, from its first to its last."""
    start = server.greeting.index(first)
    end = server.greeting.index("\n", server.greeting.index(last, start))
    return textwrap.dedent("    " + server.greeting[start:end]) + "\n"


def command(server: Server, client: str) -> list[str]:
    """Return the words of the command line that begins so; the last one is left to the test."""
    (line,) = [line.strip() for line in server.greeting.splitlines() if line.strip().startswith(f"{client} ")]
    return shlex.split(line)[:-1]


def wheel(folder: Path, server: Server, name: str) -> str:
    """Write a wheel of a project that no other test publishes, and return its path."""
    netloc = server.netloc.replace(":", "-").replace(".", "-")
    return str(a_wheel(f"greeted-{name}-{netloc}", "1.0").write_to(folder))


def published(server: Server, tool: MakeTool, folder: Path, name: str) -> str:
    """Publish a project with the line for twine, and return its name."""
    _, *arguments = command(server, "twine upload")
    path = wheel(folder, server, name)
    done = tool(newest("twine")).run("twine", *arguments, path)
    assert done.succeeded, done.report
    return Path(path).name.partition("-1.0")[0].replace("_", "-")


def test_the_line_for_uv_publish_works(greeted: Server, tool: MakeTool, tmp_path: Path) -> None:
    """Pasted, it publishes. It names no files: uv finds them in dist/."""
    (line,) = [line for line in greeted.greeting.splitlines() if line.strip().startswith("uv publish ")]
    dist = tmp_path / "dist"
    dist.mkdir()
    wheel(dist, greeted, "by-uv")
    _, *arguments = shlex.split(line)
    done = tool(newest("uv")).run("uv", *arguments, cwd=tmp_path)
    assert done.succeeded, done.report


def test_pypirc_works(greeted: Server, tool: MakeTool, tmp_path: Path) -> None:
    """Written to ~/.pypirc, it lets twine publish with the name of the repository alone."""
    twine = tool(newest("twine"))
    (twine.sandbox.home / ".pypirc").write_text(block(greeted, "[distutils]", "password = "), encoding="utf-8")
    done = twine.run("twine", "upload", "--repository", "main", wheel(tmp_path, greeted, "by-pypirc"))
    assert done.succeeded, done.report


@pytest.mark.parametrize("client", ["pip", "uv"])
def test_the_lines_to_install_work(greeted: Server, tool: MakeTool, tmp_path: Path, client: str) -> None:
    """Pasted, they install what the line for twine published."""
    project = published(greeted, tool, tmp_path, f"line-{client}")
    installed = tool(newest(client)).disposable(tmp_path / "environment")
    words = command(greeted, "pip install" if client == "pip" else "uv pip install")
    # A script named pip belongs to the environment that was copied.
    line = ["python", "-m", *words] if client == "pip" else words
    done = installed.run(*line, project, VIRTUAL_ENV=str(installed.environment))
    assert done.succeeded, done.report
    assert installed.version_of(project.replace("-", "_")) == "1.0"


def test_pip_conf_works(greeted: Server, tool: MakeTool, tmp_path: Path) -> None:
    """As pip's configuration file, it is all that pip needs."""
    project = published(greeted, tool, tmp_path, "pip-conf")
    configuration = tmp_path / "pip.conf"
    configuration.write_text(block(greeted, "[global]", "index-url = "), encoding="utf-8")
    pip = tool(newest("pip")).disposable(tmp_path / "environment")
    done = pip.run("python", "-m", "pip", "install", project, PIP_CONFIG_FILE=str(configuration))
    assert done.succeeded, done.report


def test_uv_toml_works(greeted: Server, tool: MakeTool, tmp_path: Path) -> None:
    """As uv's configuration file, it is all that uv needs to install, and where `--index main` publishes to."""
    project = published(greeted, tool, tmp_path, "uv-toml")
    configuration = tmp_path / "uv.toml"
    configuration.write_text(block(greeted, "[[index]]", "default = true"), encoding="utf-8")
    uv = tool(newest("uv")).disposable(tmp_path / "environment")
    configured = str(configuration)
    done = uv.run("uv", "pip", "install", project, UV_CONFIG_FILE=configured, VIRTUAL_ENV=str(uv.environment))
    assert done.succeeded, done.report
    again = wheel(tmp_path, greeted, "index")
    sent = uv.run("uv", "publish", "--index", "main", "--token", greeted.token, again, UV_CONFIG_FILE=configured)
    assert sent.succeeded, sent.report
