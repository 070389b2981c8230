"""``pypiserve token``: make, list and revoke API tokens, beside a running server or without one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click

from pypiserve.catalog.tokens import TokenRecord
from pypiserve.cli.options import with_settings
from pypiserve.compose import OfflineCatalog
from pypiserve.core.identity import Role
from pypiserve.services.first_start import FIRST_OWNER
from pypiserve.settings import Settings

__all__ = ["token"]


@click.group()
def token() -> None:
    """Make, list and revoke API tokens."""


@token.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.PUBLISHER.value,
    show_default=True,
    help="What the token may do.",
)
@click.option(
    "--owner", default=None, help="Owner whose indexes it is for; the owner of the root index unless given."
)
@click.option("--server", is_flag=True, help="For every owner's indexes, instead of one owner's.")
@click.option("--days", type=click.IntRange(min=1), default=None, help="How long it works; without end unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@with_settings("data")
def create(
    settings: Settings, *, name: str, role: str, owner: str | None, server: bool, days: int | None, as_json: bool
) -> None:
    """Make a token called NAME and print it, this once."""
    if server and owner is not None:
        raise click.UsageError("Give --owner or --server, not both.")
    default_owner = settings.root_index.split("/")[0] or FIRST_OWNER
    scope = None if server else owner or default_owner
    expires_at = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    with OfflineCatalog(settings) as catalog:
        made = catalog.accounts.create_token(name, Role(role), owner=scope, expires_at=expires_at)
    if as_json:
        expiry = expires_at.isoformat() if expires_at else None
        document = {"token": made.secret, "name": name, "role": role, "owner": scope, "expires_at": expiry}
        click.echo(json.dumps(document))
    else:
        click.echo(made.secret)
        click.echo(f"{name}: {role} of {scope or 'the whole server'}. It is not shown again.", err=True)


@token.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@with_settings("data")
def list_(settings: Settings, *, as_json: bool) -> None:
    """List the tokens, without their secrets."""
    with OfflineCatalog(settings) as catalog:
        roles = catalog.accounts.roles_of_tokens()
        rows = [_row(record, roles.get(record.name, [])) for record in catalog.accounts.list_tokens()]
    if as_json:
        click.echo(json.dumps(rows))
    else:
        for row in rows:
            click.echo("\t".join(str(value) for value in row.values()))


def _row(record: TokenRecord, roles: list[tuple[str | None, Role]]) -> dict[str, str]:
    if record.revoked_at:
        state = "revoked"
    elif record.expires_at is None:
        state = "valid"
    else:
        verb = "expires" if record.expires_at > datetime.now(UTC) else "expired"
        state = f"{verb} {record.expires_at:%Y-%m-%d %H:%M} UTC"
    granted = ", ".join(f"{role.value} of {owner or 'the whole server'}" for owner, role in roles)
    return {
        "name": record.name,
        "roles": granted or "no role",
        "state": state,
        "made": f"{record.created_at:%Y-%m-%d}",
    }


@token.command()
@click.argument("name")
@with_settings("data")
def revoke(settings: Settings, *, name: str) -> None:
    """Withdraw the token called NAME, at once."""
    with OfflineCatalog(settings) as catalog:
        catalog.accounts.revoke_token(name)
    click.echo(f"Revoked {name}.")
