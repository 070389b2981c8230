"""Changes to projects, releases and files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from packaging.utils import NormalizedName
from sqlalchemy import Connection, bindparam, insert, or_, select, update

from pypiserve.catalog import journal
from pypiserve.catalog.owners import IndexRecord, owner_names_of
from pypiserve.catalog.prepared import Prepared
from pypiserve.catalog.projects import find_project
from pypiserve.catalog.schema import blobs, events, files, indexes, owners, projects, releases
from pypiserve.core.digests import Sha256
from pypiserve.core.errors import Problem
from pypiserve.core.events import Actor, Event, EventKind
from pypiserve.core.names import look_of

__all__ = [
    "KnownFile",
    "NewFile",
    "blobs_after",
    "ensure_blobs",
    "ensure_release",
    "file_columns",
    "find_known_file",
    "insert_file",
    "names_of",
    "resize",
    "touch_project",
    "unnamed",
]


_KNOWN_FILE = Prepared(
    select(files.c.filename, files.c.sha256, files.c.deleted_at, files.c.warnings, blobs.c.size_bytes)
    .join(blobs, blobs.c.sha256 == files.c.sha256)
    .where(files.c.index_id == bindparam("index"), files.c.filename_key == bindparam("key"))
)
_BLOBS = Prepared(
    select(blobs.c.sha256, blobs.c.purged_at).where(
        or_(blobs.c.sha256 == bindparam("file"), blobs.c.sha256 == bindparam("core_metadata"))
    )
)
_NEW_BLOB = Prepared(insert(blobs), "sha256", "size_bytes", "created_at")
_UNPURGE = Prepared(update(blobs).where(blobs.c.sha256 == bindparam("digest")).values(purged_at=None))
_TOUCH = Prepared(
    update(projects).where(projects.c.id == bindparam("project")).values(last_serial=bindparam("serial"))
)
_NEW_PROJECT = Prepared(
    insert(projects).returning(projects.c.id),
    "index_id",
    "name",
    "display_name",
    "look",
    "created_by",
    "last_serial",
    "created_at",
)
_RELEASE = Prepared(
    select(releases.c.id).where(
        releases.c.project_id == bindparam("project"), releases.c.version_key == bindparam("key")
    )
)
_NEW_RELEASE = Prepared(
    insert(releases).returning(releases.c.id), "project_id", "version_key", "version", "created_at"
)
_RESIZE = tuple(
    Prepared(
        update(table)
        .where(table.c.id == bindparam("key"))
        .values(size_bytes=table.c.size_bytes + bindparam("by_bytes"))
    )
    for table in (projects, indexes)
)
_YANKED_VERSION = Prepared(
    select(releases.c.version)
    .join(files, files.c.release_id == releases.c.id)
    .where(releases.c.id == bindparam("release"), files.c.deleted_at.is_(None), files.c.yanked)
    .limit(1)
)
_NEW_FILE = Prepared(insert(files), *(column.name for column in files.c if column.name not in {"id", "deleted_at"}))


@dataclass(frozen=True)
class NewFile:
    """A file whose bytes, and whose core metadata's, are safe in the store."""

    project: NormalizedName
    display_name: str
    version: str
    version_key: str
    filename: str
    kind: str
    sha256: Sha256
    size_bytes: int
    core_metadata_sha256: Sha256
    core_metadata_size_bytes: int
    requires_python: str | None
    by: Actor
    uploaded_at: datetime
    md5: str | None = None
    blake2b_256: str | None = None
    warnings: tuple[Problem, ...] = ()

    @property
    def subject(self) -> str:
        """Who publishes it."""
        return self.by.subject

    def event(self, kind: EventKind, index: IndexRecord) -> Event:
        """Return the event of its publication."""
        return self.by.does(
            kind,
            self.uploaded_at,
            owner=index.owner,
            index=index.name,
            project=self.project,
            version=self.version,
            filename=self.filename,
        )


@dataclass(frozen=True)
class KnownFile:
    """What an index has, or had, under a file name."""

    filename: str
    sha256: Sha256
    deleted: bool
    size_bytes: int
    warnings: tuple[Problem, ...]


def find_known_file(connection: Connection, index_id: int, filename: str) -> KnownFile | None:
    """Look a file name up, in any letter case, deleted files included."""
    row = _KNOWN_FILE.row(connection, index=index_id, key=filename.casefold())
    if row is None:
        return None
    known_as, sha256, deleted_at, warnings, size_bytes = row
    told = msgspec.json.decode(warnings, type=tuple[Problem, ...])
    return KnownFile(known_as, sha256, deleted_at is not None, size_bytes, told)


def unnamed(connection: Connection, digests: Collection[Sha256]) -> set[Sha256]:
    """Return those of some digests under which the catalog knows neither a file nor core metadata."""
    named = connection.execute(
        select(blobs.c.sha256).where(blobs.c.sha256.in_(digests), blobs.c.purged_at.is_(None))
    ).scalars()
    return set(digests).difference(named)


def blobs_after(connection: Connection, after: str, *, limit: int) -> list[tuple[Sha256, int]]:
    """Return digests and sizes of stored bytes, by digest, from the one after a given digest on."""
    rows = connection.execute(
        select(blobs.c.sha256, blobs.c.size_bytes)
        .where(blobs.c.sha256 > after, blobs.c.purged_at.is_(None))
        .order_by(blobs.c.sha256)
        .limit(limit)
    )
    return [(Sha256(sha256), size_bytes) for sha256, size_bytes in rows]


def names_of(connection: Connection, sha256: Sha256) -> list[str]:
    """Return the files that these bytes are, or are the core metadata of, as ``owner/index filename``."""
    rows = connection.execute(
        select(owners.c.name, indexes.c.name, files.c.filename, files.c.sha256)
        .join(indexes, indexes.c.id == files.c.index_id)
        .join(owners, owners.c.id == indexes.c.owner_id)
        .where(or_(files.c.sha256 == sha256, files.c.core_metadata_sha256 == sha256))
        .order_by(owners.c.name_key, indexes.c.name, files.c.filename)
    )
    return [
        f"{owner}/{index} {filename}{'' if own == sha256 else '.metadata'}" for owner, index, filename, own in rows
    ]


def insert_file(connection: Connection, index: IndexRecord, new: NewFile) -> Event:
    """
    Publish a file: project, release, blobs and file as far as they are missing, and the event.

    The file name must be free (see ``find_known_file``, within the same transaction).
    """
    event = journal.append(connection, new.event(EventKind.FILE_PUBLISHED, index))
    ensure_blobs(connection, new)
    project_id = touch_project(connection, index.id, new, event.serial)
    release_id = ensure_release(connection, project_id, new)
    resize(connection, index.id, project_id, new.size_bytes)
    _NEW_FILE.rows(connection, **file_columns(index, release_id, new), **_yank_of(connection, index, release_id, new))
    return event


def file_columns(index: IndexRecord, release_id: int, new: NewFile) -> dict[str, Any]:
    """Return the columns of a file's row that its publishing decides."""
    return {
        "index_id": index.id,
        "release_id": release_id,
        "filename": new.filename,
        "filename_key": new.filename.casefold(),
        "kind": new.kind,
        "sha256": new.sha256,
        "core_metadata_sha256": new.core_metadata_sha256,
        "requires_python": new.requires_python,
        "uploaded_by": new.subject,
        "uploaded_at": new.uploaded_at,
        "md5": new.md5,
        "blake2b_256": new.blake2b_256,
        "warnings": msgspec.json.encode(new.warnings).decode(),
    }


def resize(connection: Connection, index_id: int, project_id: int, by_bytes: int) -> None:
    """Add to the sizes of a project and its index, which count the files that are not deleted."""
    for statement, key in zip(_RESIZE, (project_id, index_id), strict=True):
        statement.rows(connection, key=key, by_bytes=by_bytes)


def ensure_blobs(connection: Connection, new: NewFile) -> None:
    """See that the bytes of a file and of its core metadata have their rows."""
    sizes = {new.sha256: new.size_bytes, new.core_metadata_sha256: new.core_metadata_size_bytes}
    known = dict(_BLOBS.rows(connection, file=new.sha256, core_metadata=new.core_metadata_sha256))
    for sha256, size_bytes in sizes.items():
        if sha256 not in known:
            _NEW_BLOB.rows(connection, sha256=sha256, size_bytes=size_bytes, created_at=new.uploaded_at)
        elif known[sha256] is not None:
            _UNPURGE.rows(connection, digest=sha256)


def touch_project(connection: Connection, index_id: int, new: NewFile, serial: int) -> int:
    """Note the last event of a file's project, which is made when there is none; return its key."""
    known = find_project(connection, index_id, new.project)
    if known is not None:
        _TOUCH.rows(connection, project=known.id, serial=serial)
        return known.id
    project_id: int = _NEW_PROJECT.value(
        connection,
        index_id=index_id,
        name=new.project,
        display_name=new.display_name,
        look=look_of(new.project),
        created_by=new.subject,
        last_serial=serial,
        created_at=new.uploaded_at,
    )
    return project_id


def ensure_release(connection: Connection, project_id: int, new: NewFile) -> int:
    """Return the key of a file's release, which is made when there is none."""
    known: int | None = _RELEASE.value(connection, project=project_id, key=new.version_key)
    if known is not None:
        return known
    release_id: int = _NEW_RELEASE.value(
        connection,
        project_id=project_id,
        version_key=new.version_key,
        version=new.version,
        created_at=new.uploaded_at,
    )
    return release_id


def _yank_of(connection: Connection, index: IndexRecord, release_id: int, new: NewFile) -> dict[str, Any]:
    """A file that joins a yanked release is yanked like its siblings; one whose sibling alone is yanked is not."""
    none = {"yanked": False, "yanked_reason": None}
    yanked = _YANKED_VERSION.value(connection, release=release_id)
    if yanked is None:
        return none
    # The journal knows which it was. It is asked in this rare case only.
    last = connection.execute(
        select(events.c.kind, events.c.detail)
        .where(
            events.c.owner.in_(owner_names_of(index.owner_id)),
            events.c.index_name == index.name,
            events.c.project == new.project,
            events.c.version == yanked,
            events.c.kind.in_([EventKind.RELEASE_YANKED.value, EventKind.RELEASE_UNYANKED.value]),
        )
        .order_by(events.c.serial.desc())
        .limit(1)
    ).one_or_none()
    if last is None or last.kind != EventKind.RELEASE_YANKED.value:
        return none
    return {"yanked": True, "yanked_reason": last.detail or None}
