"""``pypiserve check``: would the server start, and with what?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from pypiserve.cli.options import with_settings
from pypiserve.picks import Pick, Picks, pick
from pypiserve.plugin._loading import load_plugins
from pypiserve.settings import Settings

__all__ = ["check"]


@click.command
@with_settings("data", "listen", "private")
def check(settings: Settings) -> None:
    """Check the settings and every plugin that they pick, and say what would run. Nothing is created."""
    picks = pick(settings, load_plugins(settings.plugins))
    for label, value in _rows(settings, picks):
        click.echo(f"{label:<15}{value}")


def _rows(settings: Settings, picks: Picks) -> Iterator[tuple[str, str]]:
    yield "settings", settings.source
    yield "listen", str(settings.listen)
    yield "data", str(settings.data)
    if settings.public_url:
        yield "public url", settings.public_url
    yield "root index", (settings.root_index or "none") + (" (private)" if settings.private else "")
    yield "store", _say(picks.store)
    yield from _list("authenticators", [_say(chosen) for chosen in picks.authenticators])
    yield from _list("renderers", [f"{offer.thing.name} ({offer.distribution})" for offer in picks.renderers])
    yield from _list("policies", [_say(chosen) for chosen in picks.policies])
    yield from _list("subscribers", [_say(chosen) for chosen in picks.subscribers])


def _list(label: str, values: list[str]) -> Iterator[tuple[str, str]]:
    for number, value in enumerate(values or ["none"]):
        yield "" if number else label, value


def _say(chosen: Pick[Any]) -> str:
    instance = chosen.instance
    called = instance.kind if instance.name == instance.kind else f"{instance.name}, a {instance.kind}"
    return f"{called} ({chosen.offer.distribution})"
