"""Options that several commands share: they choose the settings."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from pypiserve.settings import Settings, read_settings

__all__ = ["read_again", "with_settings"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_FLAGS: Mapping[str, Decorator] = {
    "data": click.option("--data", metavar="FOLDER", help="Folder of the database and the files."),
    "listen": click.option("--listen", metavar="HOST:PORT", help="Address to serve on."),
    "private": click.option(
        "--private", is_flag=True, default=None, help="Ask for credentials to read the root index."
    ),
    "workers": click.option(
        "--workers", metavar="N", help="Processes that serve; 0 for one on each core, at most 8."
    ),
}


def with_settings(
    *flags: str,
) -> Callable[[Callable[Concatenate[Settings, Parameters], Result]], Callable[..., Result]]:
    """
    Give a command ``--settings FILE`` and some flags that set single settings, and hand it the settings.

    The command gets the ``Settings`` as its first argument, and its own options by name.

    Args:
        flags: Which of ``data``, ``listen``, ``private`` and ``workers``; the first two unless some are named.
    """
    chosen = flags or ("data", "listen")

    def decorate(command: Callable[Concatenate[Settings, Parameters], Result]) -> Callable[..., Result]:
        @functools.wraps(command)
        def wrapper(*args: Any, settings_file: Path | None, **options: Any) -> Result:
            given = {flag: value for flag in chosen if (value := options.pop(flag)) is not None}
            settings = read_settings(file=settings_file, environment=os.environ, flags=given)
            return command(settings, *args, **options)

        decorated: Callable[..., Result] = wrapper
        for flag in reversed(chosen):
            decorated = _FLAGS[flag](decorated)
        return _SETTINGS_FILE(decorated)

    return decorate


def read_again() -> Settings:
    """Read the settings of the running command again, from the same sources, as they are now."""
    given = click.get_current_context().params
    flags = {flag: given[flag] for flag in _FLAGS if given.get(flag) is not None}
    return read_settings(file=given["settings_file"], environment=os.environ, flags=flags)


_SETTINGS_FILE = click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file; ./pypiserve.toml if it is there.",
)
