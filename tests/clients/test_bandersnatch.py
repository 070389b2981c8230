"""bandersnatch copies an index, and afterwards what has changed, with the configuration of the guide."""

from __future__ import annotations

import configparser
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clients.conftest import MakeTool
from clients.server import Server, running_server
from clients.shelf import publish_all
from clients.toolbox import Tool
from clients.versions import Client, clients, newest
from pypiserve.testing import BuiltFile, a_wheel, an_sdist

_GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "mirroring-with-bandersnatch.md"


@dataclass(frozen=True)
class Mirror:
    """
    A folder that bandersnatch keeps like an index.

    Attributes:
        tool: bandersnatch.
        folder: Has its configuration and what it copies.
    """

    tool: Tool
    folder: Path

    @classmethod
    def of(cls, server: Server, tool: Tool, folder: Path, *, method: str) -> Mirror:
        """Write the configuration that the guide has, for a server without TLS."""
        folder.mkdir()
        configuration = configparser.ConfigParser()
        configuration.read_string(_GUIDE.read_text(encoding="utf-8").split("```ini\n")[1].split("```")[0])
        settings = configuration["mirror"]
        assert settings["master"].endswith("/api/packages/main/pypi/mirror")
        settings["master"] = f"{server.base}/mirror"
        settings["directory"] = str(folder)
        settings["allow-non-https"] = "true"
        settings["api-method"] = method
        with (folder / "bandersnatch.conf").open("w", encoding="utf-8") as file:
            configuration.write(file)
        return cls(tool, folder)

    def run(self) -> str:
        """Bring the mirror up to date, and return what bandersnatch said."""
        return self._run("bandersnatch.conf", "mirror")

    def clean(self, *words: str) -> None:
        """Run a command that works on the folder only. It wants an address with TLS, and asks nobody there."""
        text = (self.folder / "bandersnatch.conf").read_text(encoding="utf-8")
        (self.folder / "offline.conf").write_text(text.replace("http://", "https://"), encoding="utf-8")
        self._run("offline.conf", *words)

    def _run(self, configuration: str, *words: str) -> str:
        # It would send requests for 127.0.0.1 to a proxy too; the configuration names no other host.
        done = self.tool.run("bandersnatch", "-c", self.folder / configuration, *words, HTTPS_PROXY="")
        assert done.succeeded, done.report
        assert "Traceback" not in done.output, done.report
        return done.output

    def files(self) -> dict[str, str]:
        """Return the SHA-256 of each copied file, by its path below ``packages/``."""
        packages = self.folder / "web" / "packages"
        return {
            str(path.relative_to(packages)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in packages.rglob("*")
            if path.is_file()
        }

    def page(self, project: str) -> dict[str, Any]:
        """Return the files on a project's page, by name."""
        page = self.folder / "web" / "simple" / project / "index.v1_json"
        return {file["filename"]: file for file in json.loads(page.read_text(encoding="utf-8"))["files"]}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of its own: a mirror has all of an index."""
    folder = tmp_path / "server"
    folder.mkdir()
    with running_server(folder) as running:
        yield running


def _placed(*files: BuiltFile) -> dict[str, str]:
    """Return where a mirror has files, with their digests."""
    places: dict[str, str] = {}
    for file in files:
        name, version = file.filename.removesuffix(".tar.gz").split("-")[:2]
        places[f"main/pypi/{name}/{version}/{file.filename}"] = file.sha256
    return places


@pytest.mark.parametrize("method", ["xmlrpc", "simple"])
@pytest.mark.parametrize("client", clients("bandersnatch"), ids=str)
def test_a_mirror_follows(client: Client, method: str, server: Server, tool: MakeTool, tmp_path: Path) -> None:
    """The first run copies all, and the next ones what was published, yanked and deleted since."""
    uv = tool(newest("uv")).environment
    first = [a_wheel("alpha", "1.0"), an_sdist("alpha", "1.0"), a_wheel("beta", "1.0")]
    publish_all(server, uv, tmp_path / "first", first)
    mirror = Mirror.of(server, tool(client), tmp_path / "mirror", method=method)
    mirror.run()
    assert mirror.files() == _placed(*first)
    assert set(mirror.page("alpha")) == {"alpha-1.0-py3-none-any.whl", "alpha-1.0.tar.gz"}

    second = [a_wheel("alpha", "2.0"), a_wheel("gamma", "1.0")]
    publish_all(server, uv, tmp_path / "second", second)
    assert "2 packages to sync" in mirror.run()
    assert mirror.files() == _placed(*first, *second)

    server.operate("yank", "beta", "1.0", "--reason", "broken")
    server.operate("delete", "alpha", "1.0", "--file", "alpha-1.0.tar.gz", "--yes")
    server.operate("delete", "gamma", "--yes")
    mirror.run()
    assert set(mirror.page("alpha")) == {"alpha-1.0-py3-none-any.whl", "alpha-2.0-py3-none-any.whl"}
    assert mirror.page("beta")["beta-1.0-py3-none-any.whl"]["yanked"]
    assert "0 packages to sync" in mirror.run()


def test_cleaning_a_mirror(server: Server, tool: MakeTool, tmp_path: Path) -> None:
    """What was deleted stays in the folder, until the commands that the guide names remove it."""
    kept, gone, doomed = a_wheel("alpha", "1.0"), an_sdist("alpha", "1.0"), a_wheel("beta", "1.0")
    publish_all(server, tool(newest("uv")).environment, tmp_path / "files", [kept, gone, doomed])
    mirror = Mirror.of(server, tool(newest("bandersnatch")), tmp_path / "mirror", method="xmlrpc")
    mirror.run()
    server.operate("delete", "alpha", "1.0", "--file", gone.filename, "--yes")
    server.operate("delete", "beta", "--yes")
    mirror.run()
    assert mirror.files() == _placed(kept, gone, doomed)
    assert set(mirror.page("beta")) == {doomed.filename}
    mirror.clean("delete", "beta")
    assert not (mirror.folder / "web" / "simple" / "beta").exists()
    assert mirror.files() == _placed(kept, gone)
    mirror.clean("verify", "--delete")
    assert mirror.files() == _placed(kept)
