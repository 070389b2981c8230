"""``pypiserve token inspect``: what a token is, for whoever has it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator

import click

from pypiserve.cli.moments import shown
from pypiserve.cli.options import with_settings
from pypiserve.cli.token_words import limits, power, scopes_as_json, state_words
from pypiserve.compose import OfflineCatalog
from pypiserve.services.token_report import TokenReport, TokenState
from pypiserve.settings import TOKEN_VARIABLE, Settings

__all__ = ["inspect"]

_LONGEST_LINE = 4096


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@with_settings("data")
def inspect(settings: Settings, *, as_json: bool) -> None:
    """
    Say whose a token is, whether it works, and what it may do. The token itself is not printed.

    It is read from the variable PYPISERVE_TOKEN or, without that, from standard input: an argument would be seen by
    everybody on the machine.
    """
    secret = _secret()
    with OfflineCatalog(settings) as catalog:
        found = catalog.accounts.token_reports.report(catalog.accounts.tokens.find_by_secret(secret))
    if as_json:
        click.echo(json.dumps(_document(found)))
        return
    for name, value in _lines(found):
        click.echo(f"{name}\t{value}")


def _secret() -> str:
    given = os.environ.get(TOKEN_VARIABLE, "")
    if not given and sys.stdin.isatty():
        given = click.prompt("Token", hide_input=True, err=True)
    return (given or sys.stdin.readline(_LONGEST_LINE)).strip()


def _lines(found: TokenReport) -> Iterator[tuple[str, str]]:
    token = found.token
    yield "id", token.token_id
    yield "name", token.name
    yield "subject", found.subject
    yield "state", "disabled" if found.state is TokenState.DISABLED else state_words(token)
    yield "made", f"{shown(token.created_at)} by {token.created_by or 'somebody'}"
    yield "used", shown(token.last_used_at) if token.last_used_at else "never"
    if token.description:
        yield "description", token.description
    yield "limits", limits(token.scopes)
    if found.administers_server:
        yield "may", "administer the whole server"
    for powers in found.powers:
        yield "may", f"{power(powers)} in {powers.index}"
    if found.state is not TokenState.VALID:
        yield "may", "nothing"
    elif not found.powers and not found.administers_server:
        yield "may", "nothing but what everybody may"


def _document(found: TokenReport) -> dict[str, object]:
    token = found.token
    times = {
        "created_at": token.created_at,
        "not_before": token.not_before,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "last_used_at": token.last_used_at,
    }
    return {
        "id": token.token_id,
        "name": token.name,
        "subject": found.subject,
        "state": found.state.value,
        **{name: moment.isoformat() if moment else None for name, moment in times.items()},
        "created_by": token.created_by,
        "description": token.description,
        "scopes": scopes_as_json(token.scopes),
        "administers_server": found.administers_server,
        "may": {powers.index: power(powers) for powers in found.powers},
    }
