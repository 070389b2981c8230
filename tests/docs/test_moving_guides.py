"""The script that the guides to moving give fetches every file of an old index, and keeps no other bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from doc_pages import blocks

from pypiserve.testing import a_wheel, an_sdist
from pypiserve.testing.server import ServerUnderTest

_FILES = [a_wheel("Demo.Thing", "1.0"), an_sdist("Demo.Thing", "1.0"), a_wheel("other", "1.10+local.1")]
_PATIENCE_SECONDS = 60


@pytest.fixture
def old(make_server: Callable[[str], ServerUnderTest]) -> ServerUnderTest:
    """A private index at Gitea's addresses, with files."""
    server = make_server("private = true")
    assert [server.publish(built).status for built in _FILES] == [201] * len(_FILES)
    return server


def _fetch(old: ServerUnderTest, folder: Path, *, login: str) -> list[str]:
    """Run the script of the guide; return what it prints."""
    script = next(block for block in blocks("guides", "python") if block.caption == "fetch_files.py")
    ran = subprocess.run(
        [sys.executable, "-c", script.content, f"{old.url}/api/packages/main/pypi/simple/", str(folder)],
        input="Demo.Thing\nother\n",
        env={**os.environ, "OLD_INDEX_LOGIN": login, "NO_PROXY": old.host},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_every_file_is_fetched(old: ServerUnderTest, tmp_path: Path) -> None:
    """The files are there with their bytes, and a second run fetches none."""
    lines = _fetch(old, tmp_path / "files", login=f"alice:{old.token}")
    assert [line.endswith(" fetched") for line in lines] == [True] * len(_FILES)
    fetched = {file.name: file.read_bytes() for file in (tmp_path / "files").iterdir()}
    assert fetched == {built.filename: built.content for built in _FILES}
    again = _fetch(old, tmp_path / "files", login=f"alice:{old.token}")
    assert [line.endswith(" is there already") for line in again] == [True] * len(_FILES)


def test_a_refusal_is_told(old: ServerUnderTest, tmp_path: Path) -> None:
    """Without credentials each project is named with the reason, and nothing is kept."""
    lines = _fetch(old, tmp_path / "files", login="")
    assert [line.partition(" cannot be read: ")[0] for line in lines] == ["Demo.Thing", "other"]
    assert list((tmp_path / "files").iterdir()) == []


def test_damaged_bytes_are_not_kept(old: ServerUnderTest, tmp_path: Path) -> None:
    """A file whose bytes are not those of its link is named and left out; the others are fetched."""
    stored = next(path for path in old.folder.rglob(f"*{_FILES[0].sha256[4:]}*") if path.is_file())
    stored.chmod(0o600)
    stored.write_bytes(bytes(len(_FILES[0].content)))
    lines = _fetch(old, tmp_path / "files", login=f"alice:{old.token}")
    damaged = [line for line in lines if line.endswith(" does not have the digest of its link")]
    assert [_FILES[0].filename in line for line in damaged] == [True]
    assert {file.name for file in (tmp_path / "files").iterdir()} == {built.filename for built in _FILES[1:]}
