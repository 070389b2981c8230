"""The reference of a settings table, made from the table itself so that it cannot drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from pypiserve.settings.sources import variable_for
from pypiserve.settings.table import InstanceSettings, Listen

__all__ = ["SettingRow", "describe"]

_TYPE_NAMES: Sequence[tuple[type[inspect.Type], str]] = (
    (inspect.BoolType, "boolean"),
    (inspect.IntType, "integer"),
    (inspect.StrType, "string"),
    (inspect.CustomType, "path"),
    (inspect.NoneType, "none"),
)


@dataclass(frozen=True)
class SettingRow:
    """
    One setting, for people.

    Attributes:
        key: As written in the settings file.
        type: ``string``, ``integer``, ``array of strings``, ``table``, ``one of: a, b`` and the like.
        default: As TOML, or ``none``.
        variable: The environment variable that sets it.
        meaning: One sentence.
    """

    key: str
    type: str
    default: str
    variable: str
    meaning: str


def describe(table: type[msgspec.Struct]) -> list[SettingRow]:
    """Describe every field of a table, in order."""
    found = inspect.type_info(table)
    fields = found.fields if isinstance(found, inspect.StructType) else ()
    return [
        SettingRow(
            key=field.encode_name,
            type=_type_name(field.type),
            default=_default(field),
            variable=variable_for(field.encode_name),
            meaning=_meaning(field.type),
        )
        for field in fields
    ]


def _meaning(found: inspect.Type) -> str:
    if isinstance(found, inspect.Metadata):
        return str((found.extra_json_schema or {}).get("description", ""))
    return ""


def _type_name(found: inspect.Type) -> str:
    if isinstance(found, inspect.Metadata):
        return _type_name(found.type)
    if isinstance(found, inspect.UnionType):
        return " or ".join(_type_name(member) for member in found.types)
    if isinstance(found, inspect.LiteralType):
        return f"one of: {', '.join(map(str, found.values))}"
    if isinstance(found, inspect.CollectionType):
        return f"array of {_type_name(found.item_type)}s"
    if isinstance(found, inspect.StructType):
        return "string" if found.cls is Listen else "table"
    return next(name for kind, name in _TYPE_NAMES if isinstance(found, kind))


def _default(field: inspect.Field) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return _as_toml(field.default_factory())
    return _as_toml(field.default)


def _as_toml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, InstanceSettings):
        return f'{{ kind = "{value.kind}" }}'
    if isinstance(value, tuple):
        return f"[{', '.join(map(_as_toml, value))}]"
    return f'"{value}"' if isinstance(value, str | Path | Listen) else str(value)
