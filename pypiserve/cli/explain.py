"""``pypiserve explain``: why somebody may do something, or may not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from pypiserve.catalog.tokens import TokenRecord
from pypiserve.cli.place import Place, with_place
from pypiserve.cli.remote_client import code_of
from pypiserve.cli.scopes import describe_scope, read_scope
from pypiserve.core.identity import Action, Role, VouchedRole
from pypiserve.services.explaining import Brought, Explanation

__all__ = ["explain"]

_ACTIONS = click.Choice([action.value for action in Action if action is not Action.ADMINISTER_SERVER])
_VOUCHED = [role.value for role in Role if role is not Role.ADMINISTRATOR]


@click.command()
@click.argument("subject")
@click.argument("action", type=_ACTIONS)
@click.argument("target", metavar="OWNER[/INDEX[/PROJECT]]")
@click.option("--role", "roles", metavar="OWNER=ROLE", multiple=True, help="As if SUBJECT's authenticator vouched.")
@click.option("--scope", "scopes", metavar="SCOPE", multiple=True, help="As if the credential was limited to this.")
@click.option("--token", "token_id", metavar="ID", help="With the API token of this id.")
@with_place
def explain(
    place: Place,
    *,
    subject: str,
    action: str,
    target: str,
    roles: Sequence[str],
    scopes: Sequence[str],
    token_id: str | None,
) -> None:
    """
    Say whether SUBJECT may do something, and which grants and words of visibility make it so.

    Roles for which an authenticator vouches at the sign-in, such as those in a forge's organisation, are not known
    here: name them with --role. A SCOPE is spelt owner=acme,index=pypi,project=acme-*,action=read.
    """
    if token_id is not None and scopes:
        raise click.UsageError("Give --token or --scope, not both: a token has its scopes.")
    limits = [read_scope(text) for text in scopes] or None
    brought = Brought([_vouched(text) for text in roles], limits, token_id)
    with place.open() as catalog:
        found = catalog.explaining.explain(subject, Action(action), target, brought=brought)
    if found.decision.refusal is None:
        click.echo(f"yes: {subject} may {action} in {target}.")
    else:
        click.echo(f"no ({code_of(found.decision.refusal)}): {found.decision.refusal}.")
    for line in _reasons(found):
        click.echo(f"  {line}")


def _vouched(text: str) -> VouchedRole:
    owner, _, role = text.partition("=")
    if not owner or role not in _VOUCHED:
        raise click.UsageError(f"{text!r} is not OWNER=ROLE with one of the roles {', '.join(_VOUCHED)}.")
    return VouchedRole(owner, Role(role))


def _reasons(found: Explanation) -> Iterator[str]:
    if found.token is not None:
        yield f"token\t{_state(found.token)}"
    for scope in found.scopes or ():
        yield f"scope\t{describe_scope(scope)}"
    for team in found.teams:
        yield f"member\tof {team}"
    for claim in found.decision.claims:
        yield f"{claim.role.value}\t{claim.because}"
    if not found.decision.claims:
        yield "no role there"


def _state(token: TokenRecord) -> str:
    times = {"valid from": token.not_before, "expires": token.expires_at, "revoked": token.revoked_at}
    return ", ".join([token.name, *(f"{what} {at:%Y-%m-%d %H:%M} UTC" for what, at in times.items() if at)])
