"""``pypiserve audit``: who did what, from where, with which credential."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import msgspec

from pypiserve.cli.place import Place, with_place
from pypiserve.core.audit import AuditEntry, AuditFilter

__all__ = ["audit"]

_TIMES = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"])


@click.command()
@click.option("--kind", metavar="KIND", help="One kind of event, token.revoked, or all that begin so: token.")
@click.option("--subject", metavar="SUBJECT", help="Who did it, such as htpasswd:alice.")
@click.option("--owner", metavar="NAME", help="What happened to this owner and what is in it.")
@click.option("--project", metavar="NAME", help="What happened to the projects of this name.")
@click.option("--address", metavar="ADDRESS", help="From this network address.")
@click.option("--since", type=_TIMES, metavar="TIME", help="From then on, UTC: 2026-01-31, or 2026-01-31T18:00.")
@click.option("--until", type=_TIMES, metavar="TIME", help="Before then.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="At most so many."
)
@click.option("--all", "everything", is_flag=True, help="However many there are.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each, one a line.")
@with_place
def audit(
    place: Place,
    *,
    kind: str | None,
    subject: str | None,
    owner: str | None,
    project: str | None,
    address: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    everything: bool,
    as_json: bool,
) -> None:
    """
    Tell who did what, newest first.

    Sign-ins that failed alike from one address within a minute are one line. The newest 100,000 of these are kept.
    """
    wanted = AuditFilter(
        kind=kind,
        subject=subject,
        owner=owner,
        project=project,
        address=address,
        since=_utc(since),
        until=_utc(until),
    )
    with place.open() as catalog:
        for entry in catalog.audit.read(wanted, limit=None if everything else limit):
            click.echo(msgspec.json.encode(entry).decode() if as_json else _line(entry))


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _line(entry: AuditEntry) -> str:
    target = "/".join(part for part in (entry.owner, entry.index, entry.project, entry.version) if part)
    origin = " ".join(
        part
        for part in (
            f"from {entry.address}" if entry.address else "",
            f"with {entry.credential}" if entry.credential else "",
            f"request {entry.request_id}" if entry.request_id else "",
        )
        if part
    )
    times = f" ({entry.count} times)" if entry.count > 1 else ""
    what = " ".join(part for part in (entry.filename or target, entry.detail) if part)
    fields = (f"{entry.at:%Y-%m-%d %H:%M:%S}", f"{entry.kind}{times}", entry.subject, what or "-", origin or "-")
    return "\t".join(_printable(field) for field in fields)


def _printable(text: str) -> str:
    """Keep what strangers wrote (reasons of yanks) from looking like another line, or commanding a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
