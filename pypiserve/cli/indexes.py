"""``pypiserve index``: the indexes of owners, and the rules of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_type_hints

import click
import msgspec

from pypiserve.cli.place import Place, with_place
from pypiserve.core.index_rules import IndexRules

__all__ = ["index"]

_PATH = click.argument("path", metavar="OWNER/INDEX")
_RULES = click.argument("given", metavar="[RULE=VALUE]...", nargs=-1)


@click.group()
def index() -> None:
    """Make indexes and choose their rules."""


@index.command(name="list")
@with_place
def list_(place: Place) -> None:
    """List the indexes with the rules that are not the default."""
    with place.open() as catalog:
        for record in catalog.indexes.list_all():
            rules = msgspec.to_builtins(record.rules)
            click.echo("\t".join([record.path, *(f"{name}={_text(value)}" for name, value in rules.items())]))


@index.command()
@_PATH
@_RULES
@with_place
def create(place: Place, *, path: str, given: Sequence[str]) -> None:
    """Make a further index of an owner, at /api/packages/OWNER/INDEX."""
    with place.open() as catalog:
        record = catalog.indexes.create(path, _pairs(given))
    click.echo(f"Made {record.path}.")


@index.command()
@_PATH
@_RULES
@click.option("--reset", "reset", metavar="RULE", multiple=True, help="Give a rule its default again.")
@with_place
def rules(place: Place, *, path: str, given: Sequence[str], reset: Sequence[str]) -> None:
    """Change rules of an index, and print all of them."""
    with place.open() as catalog:
        if given or reset:
            current = catalog.indexes.change_rules(path, _pairs(given), reset=reset)
        else:
            current = catalog.indexes.rules_of(path)
    defaults, hints = IndexRules(), get_type_hints(IndexRules, include_extras=True)
    for name, value in msgspec.structs.asdict(current).items():
        click.echo(f"{name}={_text(value)}\t(default {_text(getattr(defaults, name))})\t{_description(hints[name])}")


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise click.UsageError(f"{text!r} is not RULE=VALUE.")
        if name in pairs:
            raise click.UsageError(f"{name} is given twice.")
        pairs[name] = value
    return pairs


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, (tuple, list)) else str(value)


def _description(hint: Any) -> str:
    text = next(str(meta.description) for meta in hint.__metadata__ if getattr(meta, "description", None))
    return text.replace("`", "")  # for the reference, not for terminals
