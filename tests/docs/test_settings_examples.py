"""Every block of TOML is TOML, and every settings file that a page shows is accepted as one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from doc_pages import Block, blocks

from pypiserve import __version__
from pypiserve.cli.main import main
from pypiserve.picks import pick
from pypiserve.plugin._loading import load_plugins
from pypiserve.settings import read_settings

_TOML = blocks("", "toml")
_SETTINGS = [block for block in _TOML if block.caption == "pypiserve.toml"]


@pytest.mark.parametrize("block", _TOML, ids=str)
def test_toml_is_toml(block: Block) -> None:
    """It parses, and says something."""
    assert tomllib.loads(block.content)


@pytest.mark.parametrize("block", _SETTINGS, ids=str)
def test_settings_files_are_accepted(block: Block, tmp_path: Path) -> None:
    """The server reads it; what it asks of the plugins that come along is what they take."""
    file = tmp_path / "pypiserve.toml"
    file.write_text(block.content, encoding="utf-8")
    settings = read_settings(file=file, environment={}, flags={})
    assert settings.source == str(file)
    # The plugin for forges is not here; its own tests build what that page shows.
    if block.page.startswith("docs/guides/") and block.page != "docs/guides/beside-a-forge.md":
        assert pick(settings, load_plugins(settings.plugins)).store.instance == settings.store


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the settings file of the guide."""
    block = next(block for block in _SETTINGS if block.page.endswith("guides/configuration.md"))
    (tmp_path / "pypiserve.toml").write_text(block.content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_output_of_check_is_real(example: Path) -> None:
    """The guide shows what `pypiserve check` prints for its settings file."""
    shown = next(block.content for block in blocks("guides", "console") if "pypiserve check " in block.content)
    printed = CliRunner().invoke(main, ["check", "--settings", "pypiserve.toml"]).output
    assert printed.replace(f"(pypiserve {__version__})", "(pypiserve 0.1.0)") == shown.partition("\n")[2]
    assert sorted(path.name for path in example.iterdir()) == ["pypiserve.toml"]


def test_the_refusal_is_real(example: Path) -> None:
    """So does the sentence about a misspelt key."""
    file = example / "pypiserve.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("listen", "lisen"), encoding="utf-8")
    shown = next(block.content for block in blocks("guides", "text") if block.content.startswith("Error: "))
    refused = CliRunner().invoke(main, ["check", "--settings", "pypiserve.toml"])
    assert (refused.exit_code, refused.output) == (2, shown)
