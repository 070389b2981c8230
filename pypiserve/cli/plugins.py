"""``pypiserve plugins``: what is installed, from whom, and what of it is in use."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import click
import msgspec

from pypiserve.cli.options import with_settings
from pypiserve.plugin import Kind, Renderer
from pypiserve.plugin._loading import Offer, Plugins, load_plugins
from pypiserve.settings import InstanceSettings, Settings

__all__ = ["plugins"]


@dataclass(frozen=True)
class _Row:
    sort: str
    name: str
    distribution: str
    in_use: bool
    summary: str


@click.command
@with_settings("data")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def plugins(settings: Settings, *, as_json: bool) -> None:
    """List what the installed plugins offer and what of it the settings use."""
    loaded = load_plugins(settings.plugins)
    rows = list(_rows(settings, loaded))
    if as_json:
        failures = [asdict(failure) for failure in loaded.failures]
        found = {"plugins": [asdict(row) for row in rows], "failures": failures}
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
    else:
        _print(rows, loaded)


def _print(rows: list[_Row], loaded: Plugins) -> None:
    cells = [(row.sort, row.name, row.distribution, "in use" if row.in_use else "-", row.summary) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for failure in loaded.failures:
        click.echo(f"failed: {failure.sentence}")


def _rows(settings: Settings, loaded: Plugins) -> Iterator[_Row]:
    policies = _kinds(settings.policies)
    yield from _sort("file store", loaded.file_stores, {settings.store.kind})
    yield from _sort("authenticator", loaded.authenticators, _kinds(settings.authenticators))
    yield from _sort("renderer", loaded.renderers, settings.renderers)
    yield from _sort("upload policy", loaded.upload_policies, policies)
    yield from _sort("read policy", loaded.read_policies, policies)
    yield from _sort("subscriber", loaded.subscribers, _kinds(settings.subscribers))
    yield from _sort("command", loaded.commands, loaded.commands)  # a command is there as soon as it is installed


def _kinds(tables: tuple[InstanceSettings, ...]) -> Collection[str]:
    return {table.kind for table in tables}


def _sort(sort: str, offers: Mapping[str, Offer[Any]], used: Collection[str]) -> Iterator[_Row]:
    for name, offer in sorted(offers.items()):
        yield _Row(sort, name, offer.distribution, name in used, _summary(offer.thing))


def _summary(thing: Kind[Any, Any] | Renderer | click.Command) -> str:
    if isinstance(thing, Kind):
        return thing.summary
    if isinstance(thing, click.Command):
        return thing.get_short_help_str(limit=80)
    return thing.media_type
