"""``pypiserve yank``, ``unyank`` and ``status``: what is said of releases and projects."""

from __future__ import annotations

import click

from pypiserve.cli.options import with_settings
from pypiserve.compose import OfflineCatalog
from pypiserve.core.model import ProjectStatus
from pypiserve.settings import Settings

__all__ = ["status", "unyank", "yank"]

_INDEX = click.option("--index", default=None, metavar="OWNER/INDEX", help="The root index unless given.")


@click.command()
@click.argument("project")
@click.argument("version")
@click.option("--reason", default=None, help="One sentence for those who would install it.")
@_INDEX
@with_settings("data")
def yank(settings: Settings, *, project: str, version: str, reason: str | None, index: str | None) -> None:
    """Yank VERSION of PROJECT: installers take it only when it is pinned exactly."""
    with OfflineCatalog(settings) as catalog:
        catalog.curation.set_yanked(_index(settings, index), project, version, yanked=True, reason=reason)
    click.echo(f"Yanked {project} {version}.")


@click.command()
@click.argument("project")
@click.argument("version")
@_INDEX
@with_settings("data")
def unyank(settings: Settings, *, project: str, version: str, index: str | None) -> None:
    """Take the yank of VERSION of PROJECT back."""
    with OfflineCatalog(settings) as catalog:
        catalog.curation.set_yanked(_index(settings, index), project, version, yanked=False)
    click.echo(f"Unyanked {project} {version}.")


@click.command()
@click.argument("project")
@click.argument("marker", metavar="STATUS", type=click.Choice([status.value for status in ProjectStatus]))
@click.option("--reason", default=None, help="One sentence for those who use it.")
@_INDEX
@with_settings("data")
def status(settings: Settings, *, project: str, marker: str, reason: str | None, index: str | None) -> None:
    """Mark PROJECT as active, archived, deprecated or quarantined."""
    with OfflineCatalog(settings) as catalog:
        catalog.curation.set_status(_index(settings, index), project, ProjectStatus(marker), reason=reason)
    click.echo(f"{project} is {marker}.")


def _index(settings: Settings, given: str | None) -> str:
    chosen = given or settings.root_index
    if not chosen:
        raise click.UsageError("Give --index OWNER/INDEX: the settings name no root index.")
    return chosen
