"""Where settings come from: the settings file, the environment and the command line, each as one raw table."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pypiserve.core.errors import InvalidSetting
from pypiserve.plugin.settings import UntypedText

__all__ = ["FILE_VARIABLE", "TOKEN_VARIABLE", "Source", "from_environment", "from_file", "from_flags", "variable_for"]

FILE_VARIABLE = "PYPISERVE_SETTINGS"
"""The environment variable that names the settings file."""

TOKEN_VARIABLE = "PYPISERVE_TOKEN"  # noqa: S105 - where a token is looked for
"""The environment variable with an API token, for commands and for whoever keeps one there: no setting."""

_PREFIX = "PYPISERVE_"
_NO_SETTINGS = frozenset({FILE_VARIABLE, TOKEN_VARIABLE})
_TOML_PLACE = re.compile(r" \(at (?P<place>[^()]*)\)\Z")


@dataclass(frozen=True)
class Source:
    """
    One source of settings, not yet checked.

    Attributes:
        name: How messages call it: the file's name, ``environment`` or ``command line``.
        folder: What relative paths are relative to.
        table: Keys and values; text that is not from a TOML file is ``UntypedText``.
        spell: How a key is written there, for messages: ``--listen``, ``PYPISERVE_LISTEN``.
    """

    name: str
    folder: Path
    table: Mapping[str, Any]
    spell: Callable[[str], str] = str


def from_file(file: Path, *, named_by: str) -> Source:
    """
    Read a settings file.

    Args:
        file: The file.
        named_by: The flag or variable that names it, for the message when it cannot be read.

    Raises:
        InvalidSetting: The file cannot be read, or is not TOML.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InvalidSetting(str(file), named_by, problem, "name a file that exists and may be read") from error
    except UnicodeDecodeError as error:
        raise InvalidSetting(str(file), f"byte {error.start}", "not UTF-8", "save the file as UTF-8") from None
    return Source(name=str(file), folder=file.absolute().parent, table=_parse(text, source=str(file)))


def _parse(text: str, *, source: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
    found = _TOML_PLACE.search(message)
    place = found["place"] if found else "end of document"
    if place == "end of document":
        place = f"line {max(1, len(text.splitlines()))}"
    problem = message[: found.start()] if found else message
    raise InvalidSetting(source, place, f"not valid TOML: {problem}", "correct the line")


def from_environment(environment: Mapping[str, str], *, folder: Path) -> Source:
    """
    Collect the ``PYPISERVE_`` variables; two underscores lead into a table (``PYPISERVE_STORE__KIND``).

    Args:
        environment: All variables.
        folder: The folder of the settings file, so that a path means the same in both.

    Raises:
        InvalidSetting: A table is given both as a whole and key by key.
    """
    table: dict[str, Any] = {}
    for variable in sorted(environment):
        if variable.startswith(_PREFIX) and variable not in _NO_SETTINGS:
            keys = variable.removeprefix(_PREFIX).lower().split("__")
            _place(table, keys, UntypedText(environment[variable]), variable=variable)
    return Source(name="environment", folder=folder, table=table, spell=variable_for)


def _place(table: dict[str, Any], keys: list[str], text: UntypedText, *, variable: str) -> None:
    *outer, last = keys
    for key in outer:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise InvalidSetting(
                "environment", variable, "the whole table is given by another variable", "give one of the two"
            )
    table[last] = text


def variable_for(key: str) -> str:
    """Name the environment variable of a setting given by its dotted key."""
    path, bracket, inside = key.partition("[")
    return _PREFIX + path.upper().replace(".", "__") + bracket + inside


def from_flags(flags: Mapping[str, str | bool]) -> Source:
    """Take what was typed on the command line; a relative path is meant from where it was typed."""
    table = {
        flag.replace("-", "_"): UntypedText(value) if isinstance(value, str) else value
        for flag, value in flags.items()
    }
    return Source(name="command line", folder=Path.cwd(), table=table, spell=_flag_for)


def _flag_for(key: str) -> str:
    return "--" + key.replace("_", "-")
