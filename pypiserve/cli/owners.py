"""``pypiserve owner``: owners, their names and their visibility."""

from __future__ import annotations

import click

from pypiserve.catalog.grants import GrantRecord
from pypiserve.cli.place import Place, with_place
from pypiserve.core.identity import Visibility

__all__ = ["owner"]


@click.group()
def owner() -> None:
    """Make owners and choose who may read what they publish."""


@owner.command()
@click.argument("name")
@click.option("--private", is_flag=True, help="Only those with a role may read.")
@with_place
def create(place: Place, *, name: str, private: bool) -> None:
    """Make the owner NAME with its index pypi."""
    chosen = Visibility.PRIVATE if private else Visibility.PUBLIC
    with place.open() as catalog:
        catalog.accounts.owners.create(name, chosen)
    click.echo(f"Made {name}/pypi, {chosen}.")


@owner.command()
@click.argument("name")
@click.argument("new_name")
@with_place
def rename(place: Place, *, name: str, new_name: str) -> None:
    """Call the owner NAME by NEW_NAME; for reading, addresses with the old name lead to the new one."""
    with place.open() as catalog:
        catalog.accounts.owners.rename(name, new_name)
    click.echo(f"{name} is called {new_name} now. Who publishes must use the new name.")


@owner.command()
@click.argument("name")
@click.argument("visibility", type=click.Choice([each.value for each in Visibility]))
@with_place
def visibility(place: Place, *, name: str, visibility: str) -> None:
    """Let everybody read what NAME publishes (public), all who are signed in (internal), or those with a role."""
    with place.open() as catalog:
        catalog.accounts.owners.set_visibility(name, Visibility(visibility))
    click.echo(f"{name} is {visibility}.")


@owner.command(name="list")
@with_place
def list_(place: Place) -> None:
    """List owners and the roles that were granted."""
    with place.open() as catalog:
        grants: dict[str | None, list[GrantRecord]] = {}
        for grant in catalog.accounts.grants.list_all():
            grants.setdefault(grant.owner, []).append(grant)
        for record in catalog.accounts.owners.list_all():
            click.echo(f"{record.name}\t{record.visibility}")
            for grant in grants.get(record.name, ()):
                where = "" if grant.place == grant.owner else f"\t{grant.place}"
                click.echo(f"  {grant.role.value}\t{grant.subject}{where}")
    server_wide = grants.get(None, ())
    if server_wide:
        click.echo("(server)")
    for grant in server_wide:
        click.echo(f"  {grant.role.value}\t{grant.subject}")
