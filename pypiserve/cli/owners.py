"""``pypiserve owner``, ``grant`` and ``withdraw``: owners, their visibility, and who has which role."""

from __future__ import annotations

import click

from pypiserve.cli.options import with_settings
from pypiserve.compose import OfflineCatalog
from pypiserve.core.identity import Role
from pypiserve.settings import Settings

__all__ = ["grant", "owner", "withdraw"]

_ROLES = click.Choice([role.value for role in Role])
_SCOPE = click.option("--server", is_flag=True, help="On the whole server, instead of one owner.")


@click.group()
def owner() -> None:
    """Make owners and choose who may read what they publish."""


@owner.command()
@click.argument("name")
@click.option("--private", is_flag=True, help="Only those with a role may read.")
@with_settings("data")
def create(settings: Settings, *, name: str, private: bool) -> None:
    """Make the owner NAME with its index pypi."""
    with OfflineCatalog(settings) as catalog:
        catalog.accounts.create_owner(name, public=not private)
    click.echo(f"Made {name}/pypi, {'private' if private else 'public'}.")


@owner.command()
@click.argument("name")
@click.argument("visibility", type=click.Choice(["public", "private"]))
@with_settings("data")
def visibility(settings: Settings, *, name: str, visibility: str) -> None:
    """Let everybody read what NAME publishes (public), or only those with a role (private)."""
    with OfflineCatalog(settings) as catalog:
        catalog.accounts.set_visibility(name, public=visibility == "public")
    click.echo(f"{name} is {visibility}.")


@owner.command(name="list")
@with_settings("data")
def list_(settings: Settings) -> None:
    """List owners and the roles that were granted."""
    with OfflineCatalog(settings) as catalog:
        grants = catalog.accounts.list_grants()
        for record in catalog.accounts.list_owners():
            click.echo(f"{record.name}\t{record.visibility}")
            _print_grants([grant for grant in grants if grant[0] == record.name])
    server_wide = [grant for grant in grants if grant[0] is None]
    if server_wide:
        click.echo("(server)")
        _print_grants(server_wide)


@click.command()
@click.argument("role", type=_ROLES)
@click.argument("subject")
@click.option("--owner", "owner_name", default=None, help="On which owner.")
@_SCOPE
@with_settings("data")
def grant(settings: Settings, *, role: str, subject: str, owner_name: str | None, server: bool) -> None:
    """Give SUBJECT (htpasswd:alice, token:ci, signed-in, anyone) a ROLE on an owner."""
    _check_scope(owner_name, server=server)
    with OfflineCatalog(settings) as catalog:
        catalog.accounts.grant(subject, Role(role), owner=owner_name)
    click.echo(f"{subject} is {role} of {owner_name or 'the whole server'}.")


@click.command()
@click.argument("subject")
@click.option("--owner", "owner_name", default=None, help="From which owner.")
@_SCOPE
@with_settings("data")
def withdraw(settings: Settings, *, subject: str, owner_name: str | None, server: bool) -> None:
    """Take SUBJECT's role on an owner away."""
    _check_scope(owner_name, server=server)
    with OfflineCatalog(settings) as catalog:
        catalog.accounts.withdraw(subject, owner=owner_name)
    click.echo(f"{subject} has no role on {owner_name or 'the whole server'} any more.")


def _check_scope(owner_name: str | None, *, server: bool) -> None:
    if server == (owner_name is not None):
        raise click.UsageError("Give either --owner NAME or --server.")


def _print_grants(grants: list[tuple[str | None, str, Role]]) -> None:
    for _, subject, role in grants:
        click.echo(f"  {role.value}\t{subject}")
