"""Every block of TOML is TOML, and every settings file that a page shows is accepted as one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from doc_pages import Block, blocks

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
    if block.page.startswith("docs/guides/"):
        assert pick(settings, load_plugins(settings.plugins)).store.instance == settings.store
