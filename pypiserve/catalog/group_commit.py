"""
Writes that wait at the same time share one transaction: one ``BEGIN``, one sync of the disk, one ring of the bell.

A commit costs a sync of the disk whatever it holds; see ``core.batches`` for how they come together. A write that
waits alone is a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from pypiserve.core.batches import Outcome

__all__ = ["MAX_BATCH", "run_each"]

MAX_BATCH = 32
"""Writes in one transaction: other processes wait for the lock as long as it takes."""


def run_each(connection: Connection, works: Sequence[Callable[[Connection], Any]]) -> list[Outcome]:
    """
    Run functions one after the other in the transaction of a connection; what one that failed has done is undone.

    Raises:
        Exception: It ended the transaction, or failed alone in it: nothing is left to commit.
    """
    if len(works) == 1:
        return [Outcome(works[0](connection))]
    return [_run_beside_others(connection, work) for work in works]


def _run_beside_others(connection: Connection, work: Callable[[Connection], Any]) -> Outcome:
    # Straight to the driver: nothing else knows of this savepoint, and SQLAlchemy's own cost as much as the work.
    driver: Any = connection.connection.driver_connection
    driver.execute("SAVEPOINT beside_others")
    try:
        result = work(connection)
    except Exception as error:
        # A disk that is full, say, makes SQLite roll the whole transaction back: then this is everybody's error.
        if not driver.in_transaction:
            raise
        driver.execute("ROLLBACK TO beside_others")
        driver.execute("RELEASE beside_others")
        return Outcome(error=error)
    driver.execute("RELEASE beside_others")
    return Outcome(result)
