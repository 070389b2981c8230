"""Moments, as people type and read them on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

import click

__all__ = ["as_moment", "shown"]


def as_moment(text: str) -> datetime:
    """Read a date or a date with a time, for the type of an option: UTC, unless it has an offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither 2027-01-31 nor 2027-01-31T12:00.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def shown(moment: datetime) -> str:
    """Write a moment for people, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
