"""``pypiserve token``: make, list and revoke API tokens, beside a running server or without one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from pypiserve.catalog.tokens import TokenRecord
from pypiserve.cli.moments import as_moment, shown
from pypiserve.cli.place import Place, with_place
from pypiserve.cli.token_inspect import inspect
from pypiserve.cli.token_words import limits, scopes_as_json, state_words
from pypiserve.core.identity import Action, Role, Scope
from pypiserve.services.first_start import FIRST_OWNER
from pypiserve.services.grants import PlaceNames
from pypiserve.services.token_terms import TokenTerms

__all__ = ["token"]


@click.group()
def token() -> None:
    """Make, list, revoke and look into API tokens."""


@token.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    help="What the token may do; publisher unless given. Not with --for.",
)
@click.option(
    "--owner", help="Owner whose indexes it is for; the owner of the root index unless given, with --for all."
)
@click.option("--index", "index_name", metavar="NAME", help="Index of the owner that it is for; all unless given.")
@click.option("--project", "projects", metavar="PATTERN", multiple=True, help="Projects that it is for, as acme-*.")
@click.option(
    "--action",
    "actions",
    type=click.Choice([action.value for action in Action]),
    multiple=True,
    help="What may be done with it; all that its role or its owner may unless given.",
)
@click.option("--server", is_flag=True, help="For every owner's indexes, instead of one owner's. Not with --for.")
@click.option("--for", "subject", metavar="SUBJECT", help="Whose it is: robot:NAME, or somebody (htpasswd:alice).")
@click.option("--days", type=click.IntRange(min=1), help="How long it works; without end unless given.")
@click.option("--expires", type=as_moment, metavar="DATE", help="When it ends: 2027-01-31 or 2027-01-31T12:00, UTC.")
@click.option("--not-before", type=as_moment, metavar="DATE", help="When it begins to work; at once unless given.")
@click.option("--description", default="", help="What it is for.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@with_place
def create(
    place: Place,
    *,
    name: str,
    role: str | None,
    owner: str | None,
    index_name: str | None,
    projects: Sequence[str],
    actions: Sequence[str],
    server: bool,
    subject: str | None,
    days: int | None,
    expires: datetime | None,
    not_before: datetime | None,
    description: str,
    as_json: bool,
) -> None:
    """
    Make a token called NAME and print it, this once.

    With --for it is a robot's or somebody's: it may what they may, within the owner, index, projects and actions that
    are given. Without, it has a role of its own there.
    """
    _check(role, owner, projects, server=server, subject=subject, twice=days is not None and expires is not None)
    if days is not None:
        expires = datetime.now(UTC) + timedelta(days=days)
    wanted = frozenset(Action(action) for action in actions) if actions else None
    terms = TokenTerms(None, not_before, expires, description)
    if subject is not None:
        terms = _limited(terms, [Scope(owner, index_name, project, wanted) for project in projects or (None,)])
        with place.open() as catalog:
            made = catalog.accounts.tokens.create(name, subject, terms)
        summary: dict[str, Any] = {"subject": subject}
        told = f"{name}: of {subject}, {limits(made.record.scopes)}"
    else:
        place_owner = None if server else owner or place.root_index.split("/")[0] or FIRST_OWNER
        given = Role(role or Role.PUBLISHER.value)
        at = PlaceNames(place_owner, index_name, projects[0] if projects else None)
        terms = _limited(terms, [Scope(actions=wanted)])
        with place.open() as catalog:
            made = catalog.accounts.tokens.create_own(name, given, at, terms)
        summary = {"role": given.value, "owner": place_owner}
        told = f"{name}: {given.value} of {_place(at)}" + (f", limited to {', '.join(actions)}" if actions else "")
    if as_json:
        click.echo(json.dumps({"token": made.secret, "name": name, **summary, **_facts(made.record)}))
    else:
        click.echo(made.secret)
        click.echo(f"{told}. It is not shown again.", err=True)


@token.command(name="list")
@click.option("--for", "subject", metavar="SUBJECT", help="Those of a robot or of somebody only.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@with_place
def list_(place: Place, *, subject: str | None, as_json: bool) -> None:
    """
    List the tokens, without their secrets.

    In each line: name, roles or whose it is, state, when it was made, id, limits, last use, description.
    """
    with place.open() as catalog:
        tokens, roles = catalog.accounts.tokens, catalog.accounts.roles_of_tokens()
        found = tokens.list_all() if subject is None else tokens.list_of(subject)
        rows = [_row(record, tokens.subject_of(record), roles.get(record.name, [])) for record in found]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row, record in zip(rows, found, strict=True):
        used = f"used {shown(record.last_used_at)}" if record.last_used_at else "never used"
        words = [row["name"], row["roles"], row["state"], row["made"], record.token_id, limits(record.scopes), used]
        click.echo("\t".join([*words, record.description] if record.description else words))


@token.command()
@click.argument("name", metavar="NAME|ID")
@click.option("--for", "subject", metavar="SUBJECT", help="Whose it is, when several are called so.")
@with_place
def revoke(place: Place, *, name: str, subject: str | None) -> None:
    """Withdraw a token, at once."""
    with place.open() as catalog:
        catalog.accounts.tokens.revoke(name, subject=subject)
    click.echo(f"Revoked {name}.")


token.add_command(inspect)


def _check(
    role: str | None, owner: str | None, projects: Sequence[str], *, server: bool, subject: str | None, twice: bool
) -> None:
    if twice:
        raise click.UsageError("Give --days or --expires, not both.")
    if server and owner is not None:
        raise click.UsageError("Give --owner or --server, not both.")
    if subject is not None and (server or role is not None):
        raise click.UsageError("A token that is somebody's has their roles: leave out --role and --server.")
    if subject is None and len(projects) > 1:
        raise click.UsageError("A token with a role of its own takes one --project; make it for a robot with --for.")


def _limited(terms: TokenTerms, scopes: Sequence[Scope]) -> TokenTerms:
    limited = None if list(scopes) == [Scope()] else tuple(scopes)
    return TokenTerms(limited, terms.not_before, terms.expires_at, terms.description)


def _place(at: PlaceNames) -> str:
    if at.owner is None:
        return "the whole server"
    if at.projects is not None:
        return f"{at.owner}/{at.index or '*'}/{at.projects}"
    return at.owner if at.index is None else f"{at.owner}/{at.index}"


def _facts(record: TokenRecord) -> dict[str, Any]:
    """Return what a list tells of a token beyond its first words, and what is told of a new one."""
    return {
        "expires_at": _iso(record.expires_at),
        "not_before": _iso(record.not_before),
        "id": record.token_id,
        "scopes": scopes_as_json(record.scopes),
        "description": record.description,
    }


def _row(record: TokenRecord, subject: str, roles: list[tuple[str | None, Role]]) -> dict[str, Any]:
    if record.owner_subject is not None:
        granted = f"of {record.owner_subject}"
    else:
        granted = ", ".join(f"{role.value} of {owner or 'the whole server'}" for owner, role in roles) or "no role"
    return {
        "name": record.name,
        "roles": granted,
        "state": state_words(record),
        "made": f"{record.created_at:%Y-%m-%d}",
        "subject": subject,
        "last_used_at": _iso(record.last_used_at),
        "revoked_at": _iso(record.revoked_at),
        "created_by": record.created_by,
        **_facts(record),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
