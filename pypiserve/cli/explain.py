"""``pypiserve explain``: why somebody may do something, or may not."""

from __future__ import annotations

import click

from pypiserve.cli.options import with_settings
from pypiserve.compose import OfflineCatalog
from pypiserve.core.identity import Action
from pypiserve.settings import Settings

__all__ = ["explain"]

_ACTIONS = click.Choice([action.value for action in Action if action is not Action.ADMINISTER_SERVER])


@click.command()
@click.argument("subject")
@click.argument("action", type=_ACTIONS)
@click.argument("target", metavar="OWNER[/INDEX[/PROJECT]]")
@with_settings("data")
def explain(settings: Settings, *, subject: str, action: str, target: str) -> None:
    """
    Say whether SUBJECT may do something, and which grants and words of visibility make it so.

    Roles for which an authenticator vouches at the sign-in are not known here, nor the scopes of a credential.
    """
    with OfflineCatalog(settings) as catalog:
        found = catalog.explaining.explain(subject, Action(action), target)
    if found.decision.refusal is None:
        click.echo(f"yes: {subject} may {action} in {target}.")
    else:
        click.echo(f"no ({found.decision.refusal.code}): {found.decision.refusal}.")
    for team in found.teams:
        click.echo(f"  member\tof {team}")
    for claim in found.decision.claims:
        click.echo(f"  {claim.role.value}\t{claim.because}")
    if not found.decision.claims:
        click.echo("  no role there")
