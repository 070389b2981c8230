"""
Yanking, deleting, restoring, project status: what is said of projects, releases and files that are published.

A deletion hides files at once and keeps their names and, for as long as the rules of the index say, their bytes, so
that it can be taken back. The garbage collection (``services.upkeep``) removes the bytes after that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from packaging.utils import NormalizedName

from pypiserve.catalog import admissions, curation, owners
from pypiserve.catalog.curation import DeletedFile, Scope
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import Conflict, NotFound
from pypiserve.core.events import OPERATOR, Actor
from pypiserve.core.model import ProjectStatus
from pypiserve.core.names import normalise
from pypiserve.core.project_patterns import EVERYTHING
from pypiserve.core.versions import parse_version, version_key
from pypiserve.services.owners import InvalidName

__all__ = ["Change", "Curation", "Doomed", "RestoreRefused", "RetentionOver", "Target", "restorable_until"]

T = TypeVar("T")


class RetentionOver(Conflict):
    """What was deleted cannot come back: its time is over, or its bytes are gone."""

    code = "retention-over"

    def __init__(self, what: str, until: datetime | None) -> None:
        super().__init__(what, until)
        self.what = what
        self.until = until

    def __str__(self) -> str:
        reason = "its bytes were removed"
        if self.until is not None:
            reason = f"that was possible until {self.until:%Y-%m-%d %H:%M} UTC"
        return f"{self.what} cannot be restored: {reason}; publish it again as a new version"


class RestoreRefused(Conflict):
    """What was deleted would break a rule of the index if it came back."""

    code = "restore-refused"

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what, reason)
        self.what = what
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.what} cannot be restored: {self.reason}"


@dataclass(frozen=True)
class Target:
    """
    What a change is about: a project, one of its releases, or one of its files.

    Attributes:
        project: Name in any spelling.
        version: In any spelling; ``None`` for the whole project.
        filename: ``None`` for a release or the whole project.
    """

    project: str
    version: str | None = None
    filename: str | None = None

    def __str__(self) -> str:
        if self.filename is not None:
            return f"The file {self.filename} of {self.project} {self.version}"
        if self.version is not None:
            return f"The release {self.version} of {self.project}"
        return f"The project {self.project}"


@dataclass(frozen=True)
class Doomed:
    """
    What was deleted, or can be restored.

    Attributes:
        filenames: The files.
        until: The end of the time within which they can be restored, aware, UTC.
    """

    filenames: tuple[str, ...]
    until: datetime


Change = Callable[[Connection, IndexRecord], T]
"""A change of one index within a transaction."""


class Curation:
    """
    Makes changes, each in one transaction with its event.

    Methods make a ``Change``; ``apply`` does it. Targets that are not there raise ``NotFound`` then, and names and
    versions that are none raise ``InvalidName`` and ``InvalidUpload``.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime], by: Actor = OPERATOR) -> None:
        self._database = database
        self._now = now
        self._by = by

    def acting_as(self, actor: Actor) -> Curation:
        """Return the same for changes that somebody else makes, whom the events name."""
        return Curation(self._database, now=self._now, by=actor)

    async def apply(self, index: IndexRecord, change: Change[T]) -> T:
        """Make a change in an index that the identity was found to be allowed to change."""
        return await self._database.write(lambda connection: change(connection, index))

    def apply_now(self, index: str, change: Change[T]) -> T:
        """
        Make a change, for the command line. Blocks.

        Args:
            index: ``owner/index``.
            change: The change.

        Raises:
            NotFound: There is no such index.
        """
        return self._database.write_now(lambda connection: change(connection, index_of(connection, index)))

    def list_deleted(self, index: str, project: str | None = None) -> list[tuple[DeletedFile, datetime]]:
        """Return the deleted files of an index, last deleted first, with the end of each one's retention. Blocks."""

        def work(connection: Connection) -> list[tuple[DeletedFile, datetime]]:
            where = index_of(connection, index)
            name = None if project is None else _normalised(project)
            found = curation.deleted_files(connection, curation.files_of({where.id: EVERYTHING}, name))
            return [(file, restorable_until(where, file.deleted_at)) for file in found]

        return self._database.read_now(work)

    def set_yanked(self, index: str, project: str, version: str, *, yanked: bool, reason: str | None = None) -> None:
        """Yank or unyank a release. Blocks."""
        target = Target(project, version)
        self.apply_now(index, self.yank(target, reason) if yanked else self.unyank(target))

    def yank_now(self, index: str, target: Target, reason: str | None = None) -> None:
        """Yank a release or a file. Blocks."""
        self.apply_now(index, self.yank(target, reason))

    def unyank_now(self, index: str, target: Target) -> None:
        """Take a yank back. Blocks."""
        self.apply_now(index, self.unyank(target))

    def delete_now(self, index: str, target: Target) -> Doomed:
        """Delete a project, a release or a file. Blocks."""
        return self.apply_now(index, self.delete(target))

    def restore_now(self, index: str, target: Target) -> tuple[str, ...]:
        """Take the last deletion back; return the names of the files. Blocks."""
        return self.apply_now(index, self.restore(target))

    def set_status(self, index: str, project: str, status: ProjectStatus, *, reason: str | None = None) -> None:
        """Mark a project. Blocks."""
        self.apply_now(index, self.mark(project, status, reason))

    def yank(self, target: Target, reason: str | None = None) -> Change[None]:
        """
        Yank files: installers then take them only when they are pinned exactly. Spec: PEP 592.

        Again with another reason replaces the reason.

        Args:
            target: The release or the file.
            reason: One sentence for those who install it, or ``None``.
        """
        return self._yanked(target, yanked=True, reason=reason or None)

    def unyank(self, target: Target) -> Change[None]:
        """Take a yank back; what is not yanked stays as it is."""
        return self._yanked(target, yanked=False, reason=None)

    def mark(self, project: str, status: ProjectStatus, reason: str | None = None) -> Change[None]:
        """Mark a project as active, archived, deprecated or quarantined. Spec: PEP 792."""
        target = Target(project)

        def change(connection: Connection, index: IndexRecord) -> None:
            scope = _located(connection, index, target)
            now = self._now()
            curation.set_status(connection, scope, status=status, reason=reason or None, by=self._by, now=now)

        return change

    def delete(self, target: Target) -> Change[Doomed]:
        """Delete all files of a target; their names stay reserved."""

        def change(connection: Connection, index: IndexRecord) -> Doomed:
            now = self._now()
            scope = _located(connection, index, target)
            gone = curation.mark_deleted(connection, scope, by=self._by, now=now)
            if not gone:
                raise _missing(target, index)
            return Doomed(tuple(gone), restorable_until(index, now))

        return change

    def restore(self, target: Target) -> Change[tuple[str, ...]]:
        """
        Take the last deletion within a target back, whole or not at all; return the names of the files.

        Raises, when applied:
            RetentionOver: It is too late.
            RestoreRefused: A rule of the index does not admit what would come back.
        """

        def change(connection: Connection, index: IndexRecord) -> tuple[str, ...]:
            scope = _located(connection, index, target)
            now = self._now()
            found = _last_deleted(connection, scope)
            if not found:
                raise NotFound(f"A deleted file of {_lower(target)} in {index.path}")
            until = restorable_until(index, found[0].deleted_at)
            if now > until or any(file.is_purged for file in found):
                raise RetentionOver(str(target), until if now > until else None)
            curation.mark_restored(connection, scope, found, by=self._by, now=now)
            _check_rules(connection, scope, target)
            return tuple(sorted(file.filename for file in found))

        return change

    def _yanked(self, target: Target, *, yanked: bool, reason: str | None) -> Change[None]:
        def change(connection: Connection, index: IndexRecord) -> None:
            scope = _located(connection, index, target)
            if not curation.mark_yanked(
                connection, scope, yanked=yanked, reason=reason, by=self._by, now=self._now()
            ):
                raise _missing(target, index)

        return change


def restorable_until(index: IndexRecord, deleted_at: datetime) -> datetime:
    """Return until when what was deleted at a moment can be restored."""
    return deleted_at + timedelta(days=index.rules.retention_days)


def index_of(connection: Connection, path: str) -> IndexRecord:
    """
    Look an index up.

    Args:
        connection: Of the catalog.
        path: ``owner/index``.

    Raises:
        NotFound: There is no such index.
    """
    owner, _, name = path.partition("/")
    found = owners.find_index(connection, owner, name)
    if found is None:
        raise NotFound(f"The index {path}")
    return found


def _last_deleted(connection: Connection, scope: Scope) -> list[DeletedFile]:
    found = curation.deleted_files(connection, scope.holds)
    return [file for file in found if file.deleted_at == found[0].deleted_at]


def _check_rules(connection: Connection, scope: Scope, target: Target) -> None:
    """Look, within the transaction, at what the restored files make of their release, project and index."""
    rules = scope.index.rules
    if rules.one_sdist_per_release and curation.sdists_in(connection, scope) > 1:
        raise RestoreRefused(str(target), "its release has another sdist now; delete that one first")
    sizes = (
        ("project", admissions.size_of_project(connection, scope.project.id), rules.max_project_size_bytes),
        ("index", admissions.size_of_index(connection, scope.index.id), rules.max_index_size_bytes),
    )
    for what, size_bytes, limit in sizes:
        if limit is not None and size_bytes > limit:
            raise RestoreRefused(
                str(target),
                f"the {what} would have {size_bytes} bytes and may have {limit}; "
                f"delete old releases, or raise the rule max_{what}_size_bytes",
            )


def _located(connection: Connection, index: IndexRecord, target: Target) -> Scope:
    key = None if target.version is None else version_key(parse_version(target.version))
    scope = curation.find_scope(
        connection, index, _normalised(target.project), version_key=key, filename=target.filename
    )
    if scope is None:
        raise _missing(target, index)
    return scope


def _normalised(project: str) -> NormalizedName:
    try:
        return normalise(project)
    except ValueError as error:
        raise InvalidName(f"{project!r} is no name of a project: {error}") from None


def _missing(target: Target, index: IndexRecord) -> NotFound:
    return NotFound(f"{target} in {index.path}")


def _lower(target: Target) -> str:
    text = str(target)
    return text[0].lower() + text[1:]
