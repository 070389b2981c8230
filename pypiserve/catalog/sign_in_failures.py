"""Sign-ins that failed, summed up: beside the journal, and never more than a number of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from pypiserve.catalog.schema import sign_in_failures as table

__all__ = ["MAX_ROWS", "Failure", "record_failures"]

MAX_ROWS = 100_000
"""The newest are kept. About 20 MB: strangers must not fill the disk."""


@dataclass(frozen=True)
class Failure:
    """
    What failed alike.

    Attributes:
        minute: When it began.
        address: Of the client, of IPv6 the /64; empty for those of many.
        code: Of the error.
        credential: Id of the credential, when it was somebody's; empty otherwise.
    """

    minute: datetime
    address: str
    code: str
    credential: str = ""


def record_failures(connection: Connection, found: Iterable[tuple[Failure, int, str]]) -> None:
    """
    Add to what is known of each minute.

    Args:
        connection: Within a transaction.
        found: What failed, how often, and the id of the first request.
    """
    for failure, count, request_id in found:
        same = (
            table.c.at == failure.minute,
            table.c.address == failure.address,
            table.c.code == failure.code,
            table.c.credential == failure.credential,
        )
        added = connection.execute(update(table).where(*same).values(times=table.c.times + count))
        if not added.rowcount:
            row = {"at": failure.minute, "address": failure.address, "code": failure.code, "times": count}
            connection.execute(insert(table).values(**row, credential=failure.credential, request_id=request_id))
    newest = select(func.max(table.c.id)).scalar_subquery()
    connection.execute(delete(table).where(table.c.id <= newest - MAX_ROWS))
