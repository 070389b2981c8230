"""Other bytes under a file name that an index has, or had: for indexes that let files be overwritten."""

from __future__ import annotations

from sqlalchemy import Connection, delete, or_, select, update

from pypiserve.catalog import journal
from pypiserve.catalog.files import NewFile, ensure_blobs, ensure_release, file_columns, resize, touch_project
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.schema import blobs, files
from pypiserve.core.events import Event, EventKind

__all__ = ["replace_file"]


def replace_file(connection: Connection, index: IndexRecord, new: NewFile) -> Event:
    """
    Publish a file in the place of the one that has its name, deleted or not. What was said of that one is forgotten.

    Bytes that no file names any more lose their rows, and are then what ``gc`` removes.
    """
    old = connection.execute(
        select(files.c.id, files.c.sha256, files.c.core_metadata_sha256, files.c.deleted_at, blobs.c.size_bytes)
        .join(blobs, blobs.c.sha256 == files.c.sha256)
        .where(files.c.index_id == index.id, files.c.filename_key == new.filename.casefold())
    ).one()
    # A name that was deleted begins anew.
    is_live = old.deleted_at is None
    kind = EventKind.FILE_REPLACED if is_live else EventKind.FILE_PUBLISHED
    event = journal.append(connection, new.event(kind, index))
    ensure_blobs(connection, new)
    project_id = touch_project(connection, index.id, new, event.serial)
    release_id = ensure_release(connection, project_id, new)
    resize(connection, index.id, project_id, new.size_bytes - (old.size_bytes if is_live else 0))
    # A yank stays with the name: a replacement must not bring back what was withdrawn.
    row = file_columns(index, release_id, new)
    connection.execute(update(files).where(files.c.id == old.id).values(**row, deleted_at=None))
    _forget_unnamed(connection, {old.sha256, old.core_metadata_sha256})
    return event


def _forget_unnamed(connection: Connection, digests: set[str]) -> None:
    for digest in digests:
        named = select(files.c.id).where(or_(files.c.sha256 == digest, files.c.core_metadata_sha256 == digest))
        connection.execute(delete(blobs).where(blobs.c.sha256 == digest, ~named.exists()))
