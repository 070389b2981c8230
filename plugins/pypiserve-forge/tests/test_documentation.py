"""The guide and the reference say what the plugin does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from pypiserve.testing import a_context
from pypiserve_forge import github, gitlab, pypiserve_authenticators
from pypiserve_forge.gitea import LEVELS
from pypiserve_forge.settings import ForgeSettings, GitLabSettings

_DOCS = Path(__file__).parents[3] / "docs"
_KINDS = {kind.name: kind for kind in pypiserve_authenticators()}
_GUIDE = (_DOCS / "guides" / "beside-a-forge.md").read_text(encoding="utf-8")
_REFERENCE = (_DOCS / "reference" / "forges.md").read_text(encoding="utf-8")
_BLOCK = re.compile(
    r"^```(?:\{code-block\} )?toml\n(?::caption: pypiserve.toml\n\n)?(.*?)^```$", re.MULTILINE | re.DOTALL
)


def _section(heading: str) -> str:
    return _REFERENCE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _rows(text: str) -> list[list[str]]:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip("`") for cell in row] for row in rows]


def _default(field: inspect.Field) -> str:
    if field.required:
        return "must be given"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "none" if value is None else msgspec.json.encode(value).decode()


def _options(settings: type[msgspec.Struct]) -> dict[str, str]:
    info = inspect.type_info(settings)
    assert isinstance(info, inspect.StructType)
    return {field.encode_name: _default(field) for field in info.fields}


def test_every_option_is_listed() -> None:
    """The reference has each option, with its default, and no other."""
    listed = {row[0]: row[2] for row in _rows(_section("Options of all kinds"))}
    assert set(listed) == {"url", "roles", *_options(ForgeSettings)}
    del listed["url"]
    assert listed == {"roles": "{}", **_options(ForgeSettings)}
    (prefixes,) = (row for row in _rows(_section("The kind `gitlab`")) if row[0] == "token_prefixes")
    assert prefixes[2] == _options(GitLabSettings)["token_prefixes"]
    for kind in ("gitlab", "github"):
        assert f"`url` is `{_options(_KINDS[kind].settings)['url']}` unless given" in _section(f"The kind `{kind}`")


@pytest.mark.parametrize(
    ("heading", "levels"),
    [
        ("The kinds `gitea` and `forgejo`", LEVELS),
        ("The kind `gitlab`", gitlab.LEVELS),
        ("The kind `github`", github.LEVELS),
    ],
)
def test_levels_are_those_of_the_code(heading: str, levels: dict[str, Any]) -> None:
    """Each table of levels has the roles that the code gives."""
    shown = {row[0]: row[1] for row in _rows(_section(heading)) if row[0] in levels and len(row) == 2}
    assert shown == {level: role.value if role else "none" for level, role in levels.items()}


@pytest.mark.parametrize("text", _BLOCK.findall(_GUIDE + _REFERENCE))
async def test_examples_can_be_built(text: str, tmp_path: Path) -> None:
    """Every authenticator of a forge in an example is built; what is no authenticator is one option of them."""
    found = tomllib.loads(text)
    tables = [table for table in found.get("authenticators", []) if table["kind"] in _KINDS]
    if "authenticators" not in found:
        fits = "gitea" if "roles" in found else "github"
        tables = [{"kind": fits, "organisations": ["acme"], "url": "https://forge.example", **found}]
    assert tables
    for table in tables:
        kind = _KINDS[table.pop("kind")]
        authenticator = kind.build(msgspec.convert(table, kind.settings), a_context("forge", tmp_path))
        await authenticator.close()
