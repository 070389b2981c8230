"""Where a command of administrators works: beside a data folder, or on a running server with ``--url``."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from pypiserve.cli.options import with_settings
from pypiserve.cli.remote import RemoteCatalog
from pypiserve.compose import OfflineCatalog
from pypiserve.settings import TOKEN_VARIABLE, Settings

__all__ = ["Place", "with_place"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_URL = click.option(
    "--url",
    metavar="URL",
    help="A running server instead of a data folder; its token is in PYPISERVE_TOKEN.",
)


@dataclass(frozen=True)
class Place:
    """
    Where to work.

    Attributes:
        settings: Of this machine.
        url: Of a running server; ``None`` for the data folder of the settings.
    """

    settings: Settings
    url: str | None

    @property
    def root_index(self) -> str:
        """The root index of the settings; empty for another server, whose settings are not known here."""
        return self.settings.root_index if self.url is None else ""

    def open(self) -> OfflineCatalog | RemoteCatalog:
        """
        Open the catalog, or make ready to ask the server.

        Raises:
            ConfigurationError: There is no catalog in the data folder.
            click.UsageError: The address or the token cannot be one.
        """
        return OfflineCatalog(self.settings) if self.url is None else RemoteCatalog(self.url, _token())


def with_place(
    command: Callable[Concatenate[Place, Parameters], Result],
) -> Callable[..., Result]:
    """Give a command ``--url`` and what chooses the data folder, and hand it the place as its first argument."""

    def wrapper(settings: Settings, /, *args: Any, url: str | None, **options: Any) -> Result:
        return command(Place(settings, url), *args, **options)

    # Its name and its words, and what was noted of its options before.
    functools.update_wrapper(wrapper, command)
    return with_settings("data")(_URL(wrapper))


def _token() -> str:
    # Never an argument: everybody on the machine sees those.
    given = os.environ.get(TOKEN_VARIABLE, "")
    return (given or str(click.prompt("Token", hide_input=True, err=True))).strip()
