"""The reference of the settings lists what the code reads."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from doc_pages import page, section, tables
from msgspec import inspect

from pypiserve.plugin import Kind
from pypiserve.plugin._loading import load_plugins
from pypiserve.settings import SettingRow, describe_settings


def _kinds() -> list[Kind[Any, Any]]:
    plugins = load_plugins()
    offers = [
        *plugins.file_stores.values(),
        *plugins.authenticators.values(),
        *plugins.upload_policies.values(),
        *plugins.read_policies.values(),
        *plugins.subscribers.values(),
    ]
    return [offer.thing for offer in offers if offer.origin.startswith("pypiserve.builtin.")]


def _line(row: SettingRow) -> str:
    default = "none" if row.default == "none" else f"`{row.default}`"
    return f"| `{row.key}` | {row.type} | {default} | {row.meaning} |"


def test_every_setting_is_listed() -> None:
    """The table has one line for each setting, in the order of the code and with its words."""
    text = section(page("reference/settings.md"), "## All settings")
    expected = [_line(row) for row in describe_settings()]
    assert [line for line in text.splitlines() if line.startswith("| `")] == expected


def test_variables_are_named_as_the_page_says() -> None:
    """The environment variable of each setting is its name in capitals after the prefix."""
    assert [row.variable for row in describe_settings()] == [
        f"PYPISERVE_{row.key.upper()}" for row in describe_settings()
    ]


@pytest.mark.parametrize("kind", _kinds(), ids=lambda kind: kind.name)
def test_every_option_of_a_kind_is_listed(kind: Kind[Any, Any]) -> None:
    """The section of a kind that comes along lists its options and their defaults."""
    sort = "store" if kind.name == "disk" else "authenticator"
    rows = tables(section(page("reference/settings.md"), f"### The {sort} `{kind.name}`"))
    info = inspect.type_info(kind.settings)
    assert isinstance(info, inspect.StructType)
    assert [row[0] for row in rows] == [f"`{field.encode_name}`" for field in info.fields]
    assert [row[2].strip("`") for row in rows] == [_default(field) for field in info.fields]


def _default(field: inspect.Field) -> str:
    if field.required:
        return "must be given"
    return "none" if field.default is None else msgspec.json.encode(field.default).decode().removesuffix(".0")
