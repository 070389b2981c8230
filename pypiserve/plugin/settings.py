"""Typed settings of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pypiserve.core.errors import InvalidSetting

__all__ = ["NoSettings", "PluginSettings", "read_table"]


class PluginSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Base of the settings of a kind: one annotated field for each key, with a default unless it must be given.

    Units live in the names (``timeout_seconds``). A field of type ``pathlib.Path`` is taken relative to the
    folder of the settings file. An unknown key or a wrong type stops the start.
    """


class NoSettings(PluginSettings, frozen=True):
    """For kinds that have nothing to set."""


TableT = TypeVar("TableT", bound=msgspec.Struct)


def read_table(table: Mapping[str, Any], into: type[TableT], *, source: str, key: str, folder: Path) -> TableT:
    """
    Convert one table of the settings into its typed form.

    Args:
        table: Keys and values as TOML gives them.
        into: The typed form.
        source: Where the table comes from, for the message: a file name or ``environment``.
        key: Dotted path of the table; empty at the top level.
        folder: What relative paths are relative to.

    Raises:
        InvalidSetting: An unknown key, a missing one, or a value of the wrong type.
    """

    def decode(kind: type, value: Any) -> Any:
        if kind is Path and isinstance(value, str):
            return folder / Path(value).expanduser()
        raise ValueError(f"Expected `{kind.__name__}`, got `{type(value).__name__}`")

    try:
        return msgspec.convert(dict(table), into, dec_hook=decode)
    except msgspec.ValidationError as error:
        raise _explain(str(error), into, source=source, key=key) from None


def _explain(message: str, into: type[msgspec.Struct], *, source: str, key: str) -> InvalidSetting:
    """Turn ``Expected `int`, got `str` - at `$.port``` into file, key and remedy."""
    problem, _, where = message.partition(" - at `$")
    inner = where.rstrip("`").lstrip(".")
    path = ".".join(part for part in (key, inner) if part)
    if problem.startswith("Object contains unknown field"):
        unknown = problem.split("`")[1]
        known = ", ".join(sorted(into.__struct_encode_fields__))
        offer = f"remove it or use one of: {known}" if known else "remove it, there is nothing to set here"
        return InvalidSetting(source, ".".join(filter(None, (path, unknown))), "unknown setting", offer)
    if problem.startswith("Object missing required field"):
        missing = problem.split("`")[1]
        return InvalidSetting(source, ".".join(filter(None, (path, missing))), "missing", "give it a value")
    return InvalidSetting(
        source, path or "(top level)", problem[:1].lower() + problem[1:].replace("`", ""), "correct the value"
    )
