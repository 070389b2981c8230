"""``pypiserve user``: who has signed in, and who may no longer."""

from __future__ import annotations

import json
from datetime import datetime

import click

from pypiserve.catalog.users import UserRecord
from pypiserve.cli.place import Place, with_place

__all__ = ["user"]


@click.group()
def user() -> None:
    """List who has signed in, and close and open accounts."""


@user.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@with_place
def list_(place: Place, *, as_json: bool) -> None:
    """
    List the users: subject, name, when they signed in last, and whether they are disabled.

    A user is known from the first sign-in on; API tokens are listed with pypiserve token list.
    """
    with place.open() as catalog:
        rows = [_row(record) for record in catalog.users.list_all()]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        seen, state = row["last_seen_at"] or "never", "disabled" if row["disabled_at"] else "enabled"
        click.echo(f"{row['subject']}\t{row['display_name']}\t{seen}\t{state}")


@user.command()
@click.argument("subject")
@with_place
def disable(place: Place, *, subject: str) -> None:
    """Refuse SUBJECT (htpasswd:alice) at once, with whatever password or token."""
    with place.open() as catalog:
        changed = catalog.users.disable(subject)
    click.echo(f"{subject} is disabled{'' if changed else ' already'}.")


@user.command()
@click.argument("subject")
@with_place
def enable(place: Place, *, subject: str) -> None:
    """Let SUBJECT in again."""
    with place.open() as catalog:
        changed = catalog.users.enable(subject)
    click.echo(f"{subject} is enabled{'' if changed else ' already'}.")


def _row(record: UserRecord) -> dict[str, str | None]:
    return {
        "subject": record.subject,
        "display_name": record.display_name,
        "created_at": _text(record.created_at),
        "last_seen_at": _text(record.last_seen_at),
        "disabled_at": _text(record.disabled_at),
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
