from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pypiserve import __version__
from pypiserve.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def broken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution whose plugin is not there."""
    info = folder / "demo_broken-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo-broken\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[pypiserve]\nbroken = no_such_module_at_all\n")
    monkeypatch.syspath_prepend(folder)


def plugins(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plugins", *arguments])


def test_table() -> None:
    """Each line has sort, name, distribution, whether it is in use, and a summary."""
    result = plugins()
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in result.stdout.splitlines()]
    ours = f"pypiserve {__version__}"
    assert ["renderer", "html", ours, "in use", "text/html; charset=utf-8"] in cells
    assert ["file store", "disk", ours, "in use"] in [line[:4] for line in cells]
    assert ["authenticator", "htpasswd", ours, "-"] in [line[:4] for line in cells]


def test_in_use_follows_the_settings() -> None:
    """Taking a renderer out of the settings leaves it installed and unused."""
    Path("other.toml").write_text('renderers = ["json"]')
    found = json.loads(plugins("--settings", "other.toml", "--json").stdout)
    renderers = {row["name"]: row["in_use"] for row in found["plugins"] if row["sort"] == "renderer"}
    assert renderers == {"html": False, "json": True}


def test_failures_are_listed(broken: None) -> None:
    """A plugin that cannot be loaded stands at the end, with the reason."""
    result = plugins()
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("failed: Plugin demo-broken 1.2: no_such_module_at_all cannot")


def test_failures_in_json(broken: None) -> None:
    """Programs get the failures as a list of their own."""
    (failure,) = json.loads(plugins("--json").stdout)["failures"]
    assert failure["distribution"] == "demo-broken 1.2"


def test_check_passes_over_what_is_not_needed(broken: None) -> None:
    """A broken plugin that no setting names does not make the check fail."""
    assert CliRunner().invoke(main, ["check"]).exit_code == 0
