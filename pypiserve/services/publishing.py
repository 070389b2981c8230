"""
Publishing one file: check, judge, store the bytes, then the row and its event, then the word.

A crash anywhere leaves at worst bytes that no row names, and a retry repairs: the bytes are found under their
digest, and identical bytes under a known name succeed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pypiserve.catalog import files, projects
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.files import NewFile
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.digests import Sha256, sha256_of
from pypiserve.core.errors import (
    FilenameTaken,
    PluginContractBroken,
    PolicyDenied,
    Problem,
    StorageFull,
    Unavailable,
)
from pypiserve.core.filenames import DistributionFilename
from pypiserve.core.identity import Identity
from pypiserve.core.index_rules import ExistingFiles
from pypiserve.plugin import Candidate, Deny, FileStore, UploadPolicy
from pypiserve.services.access import refusal_to_publish
from pypiserve.services.coherence import JournalFollower
from pypiserve.services.staging import StagingArea
from pypiserve.services.storing import Storing
from pypiserve.services.upload_checks import Examined, Form, Upload, check_form, examine

__all__ = ["Publication", "Publishing"]

T = TypeVar("T")

_CHECKING_THREADS = 2
_VERDICT_SECONDS = 5.0  # what UploadPolicy promises


@dataclass(frozen=True)
class Publication:
    """
    How a publishing ended well.

    Attributes:
        filename: The file.
        created: Whether it is new; ``False`` when the same bytes were there already and nothing changed.
    """

    filename: str
    created: bool


class Publishing:
    """Publishes files into indexes."""

    def __init__(
        self,
        database: Database,
        store: FileStore,
        *,
        staging: StagingArea,
        policies: Sequence[UploadPolicy],
        follower: JournalFollower,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._policies = tuple(policies)
        self._follower = follower
        self._now = now
        self.threads = ThreadPoolExecutor(_CHECKING_THREADS, thread_name_prefix="publish")
        self._storing = Storing(store, database, staging, self.threads)

    def refuse_early(self, index: IndexRecord, form: Form) -> None:
        """
        Refuse what its form tells to be in vain, before the file has come. Blocks: call it in a thread.

        Nothing is promised to what passes: ``publish`` looks again.

        Args:
            index: Where to; the identity was found to be allowed to publish there.
            form: What has come so far.

        Raises:
            InvalidUpload: The form is wrong; every problem that it shows is listed.
            FilenameTaken: The index has, or had, other bytes under this name.
            PermissionDenied: The project takes no new files.
        """
        filename = check_form(form, validation=index.rules.validation)
        # The catalog may be back when the file has come.
        with contextlib.suppress(Unavailable, StorageFull):
            self._database.read_now(lambda connection: _refuse_early(connection, index, filename, form.sha256))

    async def publish(self, index: IndexRecord, identity: Identity, upload: Upload) -> Publication:
        """
        Publish one received file.

        Args:
            index: Where; the identity was found to be allowed to publish there.
            identity: Who publishes.
            upload: The form and the staged file, which the caller discards afterwards.

        Raises:
            InvalidUpload: The file or the form is wrong; every problem is listed.
            FilenameTaken: The index has, or had, other bytes under this name.
            PermissionDenied: The project takes no new files, or a policy denied.
            StorageFull: No room is left; nothing was kept.
            Unavailable: The store or the catalog does not answer; safe to retry.
        """
        examined, new, settled = await self.in_thread(lambda: self._examine(index, identity, upload))
        if settled is not None:
            await self._storing.put_back(upload.staged, examined.archive.metadata.content)
            return settled
        await self._judge(_candidate(index, identity, upload, examined))
        async with self._storing.stored(upload.staged, examined.archive.metadata.content):
            publication = await self._record(index, new)
        # Read your own write: what this process keeps is dropped before the client hears of its success.
        await self._follower.catch_up()
        return publication

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run blocking work of an upload (receiving, hashing, checking) in this service's few threads."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    def _examine(
        self, index: IndexRecord, identity: Identity, upload: Upload
    ) -> tuple[Examined, NewFile, Publication | None]:
        """Check the file, and look whether its name is free: one step, since each has its price."""
        examined = examine(upload, validation=index.rules.validation)
        new = _new_file(identity, upload, examined, now=self._now())
        return examined, new, self._database.read_now(lambda connection: _settled(connection, index, new))

    async def _judge(self, candidate: Candidate) -> None:
        verdicts = await asyncio.gather(*(_verdict(policy, candidate) for policy in self._policies))
        denials = [verdict for verdict in verdicts if verdict is not None]
        if denials:
            raise PolicyDenied(*(Problem(denial.code, denial.reason) for denial in denials))

    async def _record(self, index: IndexRecord, new: NewFile) -> Publication:
        def work(connection: Connection) -> Publication:
            # Looked at again inside the transaction: two clients may race with the same name.
            settled = _settled(connection, index, new)
            if settled is not None:
                return settled
            files.insert_file(connection, index, new)
            return Publication(new.filename, created=True)

        return await self._database.write(work)


def _settled(connection: Connection, index: IndexRecord, new: NewFile) -> Publication | None:
    """Return how it ends when nothing is to be done; ``None`` when the file may be published."""
    known = files.find_known_file(connection, index.id, new.filename)
    if known is not None:
        if known.sha256 == new.sha256 and known.filename == new.filename and not known.deleted:
            return Publication(new.filename, created=False)
        raise FilenameTaken(new.filename, known_as=known.filename, deleted=known.deleted)
    project = projects.find_project(connection, index.id, new.project)
    refusal = refusal_to_publish(new.project, project.status) if project else None
    if refusal is not None:
        raise refusal
    return None


def _refuse_early(
    connection: Connection, index: IndexRecord, filename: DistributionFilename, sha256: Sha256 | None
) -> None:
    known = files.find_known_file(connection, index.id, filename.filename)
    if known is not None:
        same_name = known.filename == filename.filename and not known.deleted
        if same_name and (sha256 in {None, known.sha256} or index.rules.existing_files is ExistingFiles.OVERWRITE):
            return
        raise FilenameTaken(filename.filename, known_as=known.filename, deleted=known.deleted)
    project = projects.find_project(connection, index.id, filename.project)
    refusal = refusal_to_publish(filename.project, project.status) if project else None
    if refusal is not None:
        raise refusal


async def _verdict(policy: UploadPolicy, candidate: Candidate) -> Deny | None:
    try:
        async with asyncio.timeout(_VERDICT_SECONDS):
            verdict: object = await policy.judge(candidate)
    except TimeoutError as error:
        raise Unavailable("The upload cannot be judged now: a policy does not answer") from error
    if verdict is None or isinstance(verdict, Deny):
        return verdict
    # Neither is a plugin that forgets its verdict taken for one that allows.
    raise PluginContractBroken(type(policy).__name__, f"judge() returned a {type(verdict).__name__}")


def _candidate(index: IndexRecord, identity: Identity, upload: Upload, examined: Examined) -> Candidate:
    return Candidate(
        owner=index.owner,
        index=index.name,
        project=examined.filename.project,
        version=examined.metadata.version,
        filename=examined.filename.filename,
        size_bytes=upload.staged.size_bytes,
        sha256=upload.staged.sha256,
        metadata=examined.metadata.fields,
        identity=identity,
    )


def _new_file(identity: Identity, upload: Upload, examined: Examined, *, now: datetime) -> NewFile:
    content = examined.archive.metadata.content
    return NewFile(
        project=examined.filename.project,
        display_name=examined.metadata.name,
        version=examined.metadata.version,
        version_key=examined.version_key,
        filename=examined.filename.filename,
        kind=examined.filename.kind.value,
        sha256=upload.staged.sha256,
        size_bytes=upload.staged.size_bytes,
        core_metadata_sha256=sha256_of(content),
        core_metadata_size_bytes=len(content),
        requires_python=examined.metadata.requires_python,
        subject=identity.subject,
        uploaded_at=now,
        md5=examined.md5,
        blake2b_256=examined.blake2b_256,
        warnings=examined.warnings,
    )
