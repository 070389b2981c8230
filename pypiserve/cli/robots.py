"""``pypiserve robot``: accounts of no person, which own tokens."""

from __future__ import annotations

import json

import click

from pypiserve.cli.place import Place, with_place

__all__ = ["robot"]


@click.group()
def robot() -> None:
    """Make robots: accounts of no person, whose tokens jobs use."""


@robot.command()
@click.argument("name")
@click.option("--owner", "owner_name", metavar="NAME", help="Whose administrators look after it; else the server's.")
@click.option("--description", default="", help="What it is for.")
@with_place
def create(place: Place, *, name: str, owner_name: str | None, description: str) -> None:
    """Make a robot; give it roles as robot:NAME, and tokens with pypiserve token create --for robot:NAME."""
    with place.open() as catalog:
        made = catalog.accounts.robots.create(name, owner=owner_name, description=description)
    click.echo(f"Made {made.subject} of {made.owner or 'the whole server'}.")


@robot.command(name="list")
@click.option("--owner", "owner_name", metavar="NAME", help="Those of this owner only.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@with_place
def list_(place: Place, *, owner_name: str | None, as_json: bool) -> None:
    """List the robots: name, whose they are, state, description."""
    with place.open() as catalog:
        robots = catalog.accounts.robots
        found = robots.list_of(owner_name) if owner_name else robots.list_all()
    rows = [
        {
            "name": record.name,
            "owner": record.owner,
            "state": "disabled" if record.disabled_at else "enabled",
            "description": record.description,
        }
        for record in found
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        words = [row["name"] or "", row["owner"] or "(server)", row["state"] or ""]
        click.echo("\t".join([*words, row["description"]] if row["description"] else words))


@robot.command()
@click.argument("name")
@with_place
def disable(place: Place, *, name: str) -> None:
    """Refuse a robot with all its tokens, at once."""
    with place.open() as catalog:
        is_new = catalog.accounts.robots.set_disabled(name, disabled=True)
    click.echo(f"robot:{name} is disabled{'' if is_new else ' already'}.")


@robot.command()
@click.argument("name")
@with_place
def enable(place: Place, *, name: str) -> None:
    """Let a robot in again, with the tokens that it has."""
    with place.open() as catalog:
        is_new = catalog.accounts.robots.set_disabled(name, disabled=False)
    click.echo(f"robot:{name} is enabled{'' if is_new else ' already'}.")


@robot.command()
@click.argument("name")
@with_place
def delete(place: Place, *, name: str) -> None:
    """Delete a robot with its roles, and revoke its tokens; the name of one that had tokens is never used again."""
    with place.open() as catalog:
        catalog.accounts.robots.delete(name)
    click.echo(f"Deleted robot:{name}.")
