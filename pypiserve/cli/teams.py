"""``pypiserve team``: teams of owners, and who is in them."""

from __future__ import annotations

import click

from pypiserve.cli.options import with_settings
from pypiserve.compose import OfflineCatalog
from pypiserve.settings import Settings

__all__ = ["team"]

_PATH = click.argument("path", metavar="OWNER/TEAM")


@click.group()
def team() -> None:
    """Make teams, and choose who is in them."""


@team.command()
@_PATH
@with_settings("data")
def create(settings: Settings, *, path: str) -> None:
    """Make a team; give it roles as team:OWNER/TEAM."""
    owner, name = _parts(path)
    with OfflineCatalog(settings) as catalog:
        catalog.accounts.teams.create(owner, name)
    click.echo(f"Made the team {path}.")


@team.command()
@_PATH
@with_settings("data")
def delete(settings: Settings, *, path: str) -> None:
    """Delete a team, with the roles that it was given."""
    owner, name = _parts(path)
    with OfflineCatalog(settings) as catalog:
        catalog.accounts.teams.delete(owner, name)
    click.echo(f"Deleted the team {path}.")


@team.command()
@_PATH
@click.argument("subject")
@with_settings("data")
def add(settings: Settings, *, path: str, subject: str) -> None:
    """Add SUBJECT (htpasswd:alice, token:ci) to a team."""
    owner, name = _parts(path)
    with OfflineCatalog(settings) as catalog:
        is_new = catalog.accounts.teams.add(owner, name, subject)
    click.echo(f"{subject} is in {path}." if is_new else f"{subject} is in {path} already.")


@team.command()
@_PATH
@click.argument("subject")
@with_settings("data")
def remove(settings: Settings, *, path: str, subject: str) -> None:
    """Take SUBJECT out of a team."""
    owner, name = _parts(path)
    with OfflineCatalog(settings) as catalog:
        catalog.accounts.teams.remove(owner, name, subject)
    click.echo(f"{subject} is not in {path} any more.")


@team.command(name="list")
@click.argument("owner")
@with_settings("data")
def list_(settings: Settings, *, owner: str) -> None:
    """List the teams of OWNER with the subjects in them."""
    with OfflineCatalog(settings) as catalog:
        for record, members in catalog.accounts.teams.list_of(owner):
            click.echo(f"{record.owner}/{record.name}")
            for member in members:
                click.echo(f"  {member}")


def _parts(path: str) -> tuple[str, str]:
    owner, slash, name = path.partition("/")
    if not slash or not owner or not name:
        raise click.UsageError(f"{path!r} is not OWNER/TEAM.")
    return owner, name
