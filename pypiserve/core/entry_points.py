"""
``entry_points.txt``: what installers make commands of.

Spec: Entry points specification (PyPA specifications), "File format".
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator

from pypiserve.core.archive_parts import shown
from pypiserve.core.errors import Problem
from pypiserve.core.reserved_commands import is_reserved_command

__all__ = ["MAX_ENTRY_POINTS_BYTES", "check_entry_points"]

MAX_ENTRY_POINTS_BYTES = 256 * 1024

_SCRIPTS = frozenset({"console_scripts", "gui_scripts"})
_SCRIPT_NAME = re.compile(r"[\w.-]+\Z")
_EXTRAS = r"\[\s*[\w.-]+\s*(?:,\s*[\w.-]+\s*)*\]"
_REFERENCE = re.compile(rf"[\w.]+\s*:\s*[\w.]+\s*(?:{_EXTRAS}\s*)?\Z")


class _CaseSensitive(configparser.ConfigParser):
    optionxform = staticmethod(str)  # type: ignore[assignment] # the documented way to keep the letter case of names


def check_entry_points(content: bytes) -> Iterator[Problem]:
    """
    Find what is wrong with entry points; a script whose name is a path would be written outside its directory.

    Args:
        content: The file, bounded by ``MAX_ENTRY_POINTS_BYTES``.

    Returns:
        Problems with the code ``invalid-entry-points``.
    """
    parser = _CaseSensitive(delimiters=("=",), comment_prefixes=("#", ";"), interpolation=None, strict=True)
    try:
        parser.read_string(content.decode("utf-8"))
    except (UnicodeDecodeError, configparser.Error) as error:
        yield _invalid(f"it cannot be read ({type(error).__name__})")
        return
    # It would count for every other group: readers differ on that, and thousands of groups would take minutes.
    if parser.defaults() or any(group.lower() == "default" for group in parser.sections()):
        yield _invalid("it has a group called DEFAULT")
        return
    for group in parser.sections():
        for name, reference in parser.items(group):
            yield from _entry_problems(group, name, reference)


def _entry_problems(group: str, name: str, reference: str) -> Iterator[Problem]:
    if group in _SCRIPTS and (_SCRIPT_NAME.match(name) is None or set(name) == {"."}):
        yield _invalid(f"the command {shown(name)} has other characters than letters, digits, '.', '_' and '-'")
    if group not in _SCRIPTS:
        return
    if is_reserved_command(name):
        yield _invalid(f"the command {shown(name)} would take the place of the Python interpreter")
    if _REFERENCE.match(reference.strip()) is None:
        yield _invalid(f"{shown(reference)} of the command {shown(name)} is not MODULE:OBJECT")


def _invalid(reason: str) -> Problem:
    return Problem("invalid-entry-points", f"entry_points.txt is wrong: {reason}; correct it and build again")
