"""
The settings: typed, read once, at start.

In rising order: the settings file, environment variables, flags. Everything is checked here but for the options of
a kind, which only the plugin knows; ``pypiserve.picks`` checks those.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from pypiserve.core.errors import InvalidSetting
from pypiserve.plugin.settings import read_table
from pypiserve.settings.reference import SettingRow, describe
from pypiserve.settings.shapes import check_networks, shape
from pypiserve.settings.sources import FILE_VARIABLE, TOKEN_VARIABLE, Source, from_environment, from_file, from_flags
from pypiserve.settings.table import InstanceSettings, Listen, SettingsTable

__all__ = [
    "TOKEN_VARIABLE",
    "InstanceSettings",
    "Listen",
    "SettingRow",
    "Settings",
    "describe_settings",
    "read_settings",
]

_MOST_WORKERS = 8  # each has memory of its own; who wants more says so

DEFAULT_FILE = Path("pypiserve.toml")
"""The settings file that is read when none is named, if it exists."""


class Settings(SettingsTable, frozen=True, kw_only=True):
    """
    The settings as they hold.

    Attributes:
        source: The settings file as it was named, or ``defaults``.
        folder: Absolute; what relative paths in the options of instances are relative to.
        origins: For each setting that some source gives: the source with the last word.
    """

    source: str
    folder: Path
    origins: Mapping[str, str]

    @property
    def path_prefix(self) -> str:
        """What every link begins with: the path of ``public_url``, empty or with a slash only in front."""
        return urlsplit(self.public_url).path if self.public_url else ""

    @property
    def number_of_workers(self) -> int:
        """How many processes serve."""
        return self.workers or min(len(os.sched_getaffinity(0)), _MOST_WORKERS)

    def source_of(self, key: str) -> str:
        """Name the source of one setting, for messages."""
        return self.origins.get(key, "defaults")


def read_settings(*, file: Path | None, environment: Mapping[str, str], flags: Mapping[str, str | bool]) -> Settings:
    """
    Read the settings from all sources.

    Args:
        file: The settings file; else the one that ``PYPISERVE_SETTINGS`` names, else ``./pypiserve.toml`` if there.
        environment: Environment variables.
        flags: What the command line gives, by the names of the settings.

    Raises:
        InvalidSetting: Some source cannot be read, or says what is unknown, of the wrong type or out of range.
    """
    from_toml = _settings_file(file, environment)
    folder = from_toml.folder if from_toml else Path.cwd()
    typed = SettingsTable()
    origins: dict[str, str] = {}
    for source in (from_toml, from_environment(environment, folder=folder), from_flags(flags)):
        if source is not None:
            typed = _lay_over(typed, source)
            origins.update(dict.fromkeys(source.table, source.name))
    values = msgspec.structs.asdict(typed) | {"data": folder / typed.data}
    return Settings(**values, source=from_toml.name if from_toml else "defaults", folder=folder, origins=origins)


def _settings_file(file: Path | None, environment: Mapping[str, str]) -> Source | None:
    if file is not None:
        return from_file(file, named_by="--settings")
    if environment.get(FILE_VARIABLE):
        return from_file(Path(environment[FILE_VARIABLE]), named_by=FILE_VARIABLE)
    if DEFAULT_FILE.exists():
        return from_file(DEFAULT_FILE, named_by="(file)")
    return None


def _lay_over(lower: SettingsTable, source: Source) -> SettingsTable:
    """Check one source by itself, so that a message names it, and take from it what it gives."""
    try:
        table = shape(source, store=lower.store)
        typed = read_table(table, SettingsTable, source=source.name, key="", folder=source.folder)
        for key in ("renderers", "plugins"):
            _check_unique(getattr(typed, key), source=source.name, key=key)
        check_networks(typed.trusted_proxies, source=source.name, key="trusted_proxies")
    except InvalidSetting as error:
        raise InvalidSetting(error.source, source.spell(error.key), error.problem, error.remedy) from None
    return msgspec.structs.replace(lower, **{key: getattr(typed, key) for key in table})


def _check_unique(names: Iterable[str], *, source: str, key: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidSetting(source, key, f"{name!r} stands there twice", "name it once")
        seen.add(name)


def describe_settings() -> list[SettingRow]:
    """Describe every setting, in the order in which the reference lists them."""
    return describe(SettingsTable)
