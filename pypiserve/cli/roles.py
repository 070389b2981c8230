"""``pypiserve role``, ``grant`` and ``withdraw``: who has which role, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pypiserve.cli.place import Place, with_place
from pypiserve.core.identity import Role
from pypiserve.services.grants import PlaceNames

__all__ = ["grant", "role", "withdraw"]

_ROLES = click.Choice([role.value for role in Role])


def _with_place(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--server", is_flag=True, help="On the whole server, instead of one owner."),
        click.option("--project", "projects", metavar="PATTERN", help="On these projects only, such as acme-*."),
        click.option("--index", "index_name", metavar="NAME", help="On this index of the owner only."),
        click.option("--owner", "owner_name", metavar="NAME", help="On which owner."),
    ):
        command = option(command)
    return command


@click.group()
def role() -> None:
    """Give roles, take them away, and list them."""


@click.command()
@click.argument("role", type=_ROLES)
@click.argument("subject")
@_with_place
@with_place
def grant(
    place: Place,
    *,
    role: str,
    subject: str,
    owner_name: str | None,
    index_name: str | None,
    projects: str | None,
    server: bool,
) -> None:
    """Give SUBJECT (htpasswd:alice, team:acme/devs, token:ci, signed-in, anyone) a ROLE."""
    at = _place(owner_name, index_name, projects, server=server)
    with place.open() as catalog:
        where = catalog.accounts.grants.grant(subject, Role(role), at)
    click.echo(f"{subject} is {role} of {where}.")


@click.command()
@click.argument("subject")
@_with_place
@with_place
def withdraw(
    place: Place,
    *,
    subject: str,
    owner_name: str | None,
    index_name: str | None,
    projects: str | None,
    server: bool,
) -> None:
    """Take the role away that SUBJECT was given at this very place."""
    at = _place(owner_name, index_name, projects, server=server)
    with place.open() as catalog:
        where = catalog.accounts.grants.withdraw(subject, at)
    click.echo(f"{subject} has no role on {where} any more.")


@role.command(name="list")
@click.option("--owner", "owner_name", metavar="NAME", help="Those on this owner only.")
@with_place
def list_(place: Place, *, owner_name: str | None) -> None:
    """List the roles that were granted: the role, to whom, where."""
    with place.open() as catalog:
        grants = catalog.accounts.grants
        for found in grants.list_on(owner_name) if owner_name else grants.list_all():
            click.echo(f"{found.role.value}\t{found.subject}\t{found.place}")


role.add_command(grant)
role.add_command(withdraw)


def _place(owner_name: str | None, index_name: str | None, projects: str | None, *, server: bool) -> PlaceNames:
    if server == (owner_name is not None):
        raise click.UsageError("Give either --owner NAME or --server.")
    if server and (index_name or projects):
        raise click.UsageError("--index and --project are of an owner; name it with --owner NAME.")
    return PlaceNames(owner_name, index_name, projects)
