"""Typed settings of plugins."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pypiserve.core.errors import InvalidSetting
from pypiserve.plugin._field_types import choices_at, keys_at, takes_text

__all__ = ["NoSettings", "PluginSettings", "UntypedText", "parse_text", "read_table"]


class PluginSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Base of the settings of a kind: one annotated field for each key, with a default unless it must be given.

    Units live in the names (``timeout_seconds``). A field of type ``pathlib.Path`` is taken relative to the
    folder of the settings file. An unknown key or a wrong type stops the start.
    """


class NoSettings(PluginSettings, frozen=True):
    """For kinds that have nothing to set."""


class UntypedText(str):
    """
    A value from the environment or the command line, before it is known what its setting expects.

    A setting that is text takes it as it stands; every other reads it as a TOML value (``true``, ``10``,
    ``["a", "b"]``).
    """

    __slots__ = ()


TableT = TypeVar("TableT", bound=msgspec.Struct)


def read_table(table: Mapping[str, Any], into: type[TableT], *, source: str, key: str, folder: Path) -> TableT:
    """
    Convert one table of the settings into its typed form.

    No message shows a value, for it may be a secret, unless it is a choice among fixed words.

    Args:
        table: Keys and values as TOML gives them; values may be ``UntypedText``.
        into: The typed form.
        source: Where the table comes from, for the message: a file name or ``environment``.
        key: Dotted path of the table; empty at the top level.
        folder: What relative paths are relative to.

    Raises:
        InvalidSetting: An unknown key, a missing one, or a value of the wrong type.
    """
    typed = _with_values(table, into, source=source, key=key)

    def decode(kind: type, value: Any) -> Any:
        if kind is Path and isinstance(value, str):
            return _as_path(value, folder)
        raise ValueError(f"Expected `{getattr(kind, '__name__', kind)}`, got `{type(value).__name__}`")

    try:
        return msgspec.convert(typed, into, dec_hook=decode)
    except msgspec.ValidationError as error:
        raise _explain(str(error), into, source=source, key=key) from None


def _with_values(
    table: Mapping[str, Any], into: type[msgspec.Struct], *, source: str, key: str, path: str = ""
) -> dict[str, Any]:
    """Replace text from the environment by what the table expects at its place, at every depth."""
    typed: dict[str, Any] = {}
    for name, value in table.items():
        here = f"{path}.{name}"
        if isinstance(value, Mapping):
            typed[name] = _with_values(value, into, source=source, key=key, path=here)
        elif not isinstance(value, UntypedText):
            typed[name] = value
        elif takes_text(into, here):
            typed[name] = str(value)
        else:
            typed[name] = parse_text(value, source=source, key=_join(key, here[1:]))
    return typed


def parse_text(text: str, *, source: str, key: str) -> Any:
    """
    Read text as a TOML value.

    Raises:
        InvalidSetting: It is none.
    """
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        parsed = {}
    if list(parsed) != ["value"]:  # A line break in the text would smuggle further keys in.
        raise InvalidSetting(source, key, "not a TOML value", 'write it as in TOML: true, 10, ["a", "b"]')
    return parsed["value"]


def _as_path(text: str, folder: Path) -> Path:
    if not text or "\0" in text:
        raise ValueError("Expected a path, got an empty text or one with a NUL character")
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:  # pathlib's word for a home folder that nobody has
        raise ValueError("The path begins with ~ and that user has no home folder") from None


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _explain(message: str, into: type[msgspec.Struct], *, source: str, key: str) -> InvalidSetting:
    """Turn ``Expected `int`, got `str` - at `$.port``` into file, key and remedy."""
    problem, _, where = message.partition(" - at `$")
    inner = where.rstrip("`")
    path = _join(key, inner.lstrip("."))
    if problem.startswith("Object contains unknown field"):
        unknown = problem.partition("`")[2].removesuffix("`")
        return InvalidSetting(
            source, _join(path, unknown), "unknown setting", _nearest(unknown, keys_at(into, inner))
        )
    if problem.startswith("Object missing required field"):
        missing = problem.partition("`")[2].removesuffix("`")
        return InvalidSetting(source, _join(path, missing), "missing", "give it a value")
    choices = ", ".join(choices_at(into, inner))
    remedy = f"use one of: {choices}" if choices else "correct the value"
    said = problem[:1].lower() + problem[1:].replace("`object`", "table").replace("`", "")
    return InvalidSetting(source, path or "(top level)", said, remedy)


def _nearest(unknown: str, known: Sequence[str]) -> str:
    if not known:
        return "remove it, there is nothing to set here"
    near = difflib.get_close_matches(unknown, known, n=1)
    if near:
        return f"did you mean {near[0]}? Otherwise remove it"
    return f"remove it or use one of: {', '.join(sorted(known))}"
