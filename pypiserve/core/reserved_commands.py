"""Names of commands that are Python's own: a wheel that brings one replaces the interpreter of its environment."""

from __future__ import annotations

import re

__all__ = ["is_reserved_command"]

_RESERVED = re.compile(r"(?:pythonw?(?:3(?:\.[0-9]{1,3}t?)?)?|graalpy|pypy[23]?)(?:\.py)?(?:\.exe)?\Z", re.IGNORECASE)


def is_reserved_command(name: str) -> bool:
    """
    Tell whether a command has the name of an interpreter, on any system.

    >>> [is_reserved_command(name) for name in ("python", "Python3.12.exe", "pypy3", "python-config", "pythonic")]
    [True, True, True, False, False]
    """
    return _RESERVED.match(name) is not None
