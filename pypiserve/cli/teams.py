"""``pypiserve team``: teams of owners, and who is in them."""

from __future__ import annotations

import click

from pypiserve.cli.place import Place, with_place

__all__ = ["team"]

_PATH = click.argument("path", metavar="OWNER/TEAM")


@click.group()
def team() -> None:
    """Make teams, and choose who is in them."""


@team.command()
@_PATH
@with_place
def create(place: Place, *, path: str) -> None:
    """Make a team; give it roles as team:OWNER/TEAM."""
    owner, name = _parts(path)
    with place.open() as catalog:
        catalog.accounts.teams.create(owner, name)
    click.echo(f"Made the team {path}.")


@team.command()
@_PATH
@with_place
def delete(place: Place, *, path: str) -> None:
    """Delete a team, with the roles that it was given."""
    owner, name = _parts(path)
    with place.open() as catalog:
        catalog.accounts.teams.delete(owner, name)
    click.echo(f"Deleted the team {path}.")


@team.command()
@_PATH
@click.argument("subject")
@with_place
def add(place: Place, *, path: str, subject: str) -> None:
    """Add SUBJECT (htpasswd:alice, token:ci) to a team."""
    owner, name = _parts(path)
    with place.open() as catalog:
        is_new = catalog.accounts.teams.add(owner, name, subject)
    click.echo(f"{subject} is in {path}." if is_new else f"{subject} is in {path} already.")


@team.command()
@_PATH
@click.argument("subject")
@with_place
def remove(place: Place, *, path: str, subject: str) -> None:
    """Take SUBJECT out of a team."""
    owner, name = _parts(path)
    with place.open() as catalog:
        catalog.accounts.teams.remove(owner, name, subject)
    click.echo(f"{subject} is not in {path} any more.")


@team.command(name="list")
@click.argument("owner")
@with_place
def list_(place: Place, *, owner: str) -> None:
    """List the teams of OWNER with the subjects in them."""
    with place.open() as catalog:
        for record, members in catalog.accounts.teams.list_of(owner):
            click.echo(f"{record.owner}/{record.name}")
            for member in members:
                click.echo(f"  {member}")


def _parts(path: str) -> tuple[str, str]:
    owner, slash, name = path.partition("/")
    if not slash or not owner or not name:
        raise click.UsageError(f"{path!r} is not OWNER/TEAM.")
    return owner, name
