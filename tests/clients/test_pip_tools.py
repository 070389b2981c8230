"""pip-tools takes the hashes of pinned requirements from the legacy JSON documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients.conftest import MakeTool
from clients.shelf import Shelf
from clients.versions import Client, clients


@pytest.mark.parametrize("client", clients("pip-tools"), ids=str)
def test_hashes_without_downloads(client: Client, tool: MakeTool, shelf: Shelf, tmp_path: Path) -> None:
    """The hashes of all files of a release are locked, sdists included, and no file is downloaded for that."""
    (tmp_path / "requirements.in").write_text("demo-app\n", encoding="utf-8")
    before = shelf.server.log
    words = ["--generate-hashes", "--no-config", "--index-url", shelf.server.simple, "requirements.in"]
    done = tool(client).run("pip-compile", *words, cwd=tmp_path)
    assert done.succeeded, done.report
    locked = (tmp_path / "requirements.txt").read_text(encoding="utf-8")
    files = [filename for filename, file in shelf.files.items() if f"sha256:{file.sha256}" in locked]
    assert sorted(files) == ["demo_app-1.0-py3-none-any.whl", "demo_lib-2.0-py3-none-any.whl", "demo_lib-2.0.tar.gz"]
    asked = shelf.server.log.removeprefix(before)
    assert "/demo-lib/json 200" in asked
    assert ".tar.gz " not in asked
    assert ".whl " not in asked
