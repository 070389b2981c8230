"""What is accepted with a warning is published by every client, and told to who asks for more words."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients.conftest import MakeTool
from clients.listing import listed_digests
from clients.server import Server
from clients.versions import Client, clients
from pypiserve.testing import a_wheel

WARNING = "a direct reference, which public indexes refuse"


def wheel_for(client: Client, folder: Path) -> tuple[str, dict[str, str], Path]:
    """Make a wheel that is good, though public indexes would not take it; return project, digest and file."""
    project = f"warned-{client.name}-{client.version.replace('.', '-')}"
    wheel = a_wheel(project, metadata={"Requires-Dist": "other @ https://example.org/other-1.0.tar.gz"})
    return project, {wheel.filename: wheel.sha256}, wheel.write_to(folder)


@pytest.mark.parametrize("flags", [("--verbose",), ()], ids=["verbose", "quiet"])
@pytest.mark.parametrize("client", clients("twine"), ids=str)
def test_twine(client: Client, flags: tuple[str, ...], tool: MakeTool, server: Server, tmp_path: Path) -> None:
    """It shows the warning with --verbose, and nothing of it without."""
    project, digests, wheel = wheel_for(client, tmp_path)
    to = server.upload()
    words = ["--non-interactive", "--disable-progress-bar", "--repository-url", to.url, "-u", to.username, *flags]
    done = tool(client).run("twine", "upload", *words, "-p", to.password, wheel)
    assert done.succeeded, done.report
    assert (WARNING in " ".join(done.output.split())) == bool(flags), done.report
    assert listed_digests(server, project) == digests


@pytest.mark.parametrize("client", clients("uv"), ids=str)
def test_uv(client: Client, tool: MakeTool, server: Server, tmp_path: Path) -> None:
    """It succeeds, and says nothing of what the answer has beside that."""
    project, digests, wheel = wheel_for(client, tmp_path)
    to = server.upload()
    words = ["--publish-url", to.url, "--username", to.username, "--password", to.password]
    done = tool(client).run("uv", "publish", *words, wheel)
    assert done.succeeded, done.report
    assert "direct reference" not in done.output, done.report
    assert listed_digests(server, project) == digests
