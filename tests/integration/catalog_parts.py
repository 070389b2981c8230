"""The catalog of a folder without a server, and something to write into its journal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pypiserve.catalog.database import Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.core.events import Event, EventKind

__all__ = ["MOMENT", "an_event", "open_database"]

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def open_database(folder: Path) -> Database:
    """Open the database of a folder, as a further process would."""
    return Database(folder / "catalog.sqlite3", Doorbell(folder / "doorbell"))


def an_event(detail: str = "") -> Event:
    """Make an event to write."""
    return Event(0, MOMENT, EventKind.OWNER_CREATED, "operator", owner="main", detail=detail)
