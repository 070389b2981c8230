"""
Publishing one file: check, judge, store the bytes, then the row and its event, then the word.

A crash anywhere leaves at worst bytes that no row names, and a retry repairs: the bytes are found under their
digest, and identical bytes under a known name succeed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from pypiserve.catalog import files
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.files import NewFile
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.replacing import replace_file
from pypiserve.core.digests import sha256_of
from pypiserve.core.errors import (
    PluginContractBroken,
    PolicyDenied,
    Problem,
    StorageFull,
    Unavailable,
)
from pypiserve.core.events import Actor, EventKind
from pypiserve.core.filenames import DistributionFilename
from pypiserve.core.identity import Identity
from pypiserve.core.versions import version_key
from pypiserve.plugin import Candidate, Deny, FileStore, UploadPolicy, Warn
from pypiserve.services.admission import Facts, Standing, admit
from pypiserve.services.coherence import JournalFollower
from pypiserve.services.staging import StagingArea
from pypiserve.services.storing import Begun, Storing
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
        created: Whether it is new.
        replaced: Whether it took the place of other bytes; when neither, the same were there and nothing changed.
        warnings: What is not quite right with the file.
    """

    filename: str
    created: bool
    replaced: bool = False
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Checked:
    """
    A good upload.

    Attributes:
        settled: How it ends, when nothing is to be done.
        begun: It is on its way to the store, as no policy is to be asked.
    """

    upload: Upload
    examined: Examined
    new: NewFile
    settled: Publication | None = None
    begun: Begun | None = None

    @property
    def core_metadata(self) -> bytes:
        return self.examined.archive.metadata.content


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
        # One for all small files: they take a moment each, and threads that take turns in one interpreter longer.
        self.thread_for_small = ThreadPoolExecutor(1, thread_name_prefix="publish-small")
        self._storing = Storing(store, database, staging, self.threads)

    def refuse_early(
        self, index: IndexRecord, identity: Identity, form: Form, *, at_least_bytes: int | None = None
    ) -> None:
        """
        Refuse what its form tells to be in vain, before the file has come. Blocks: call it in a thread.

        Nothing is promised to what passes: ``publish`` looks again.

        Args:
            index: Where to; the identity was found to be allowed to publish there.
            identity: Who publishes.
            form: What has come so far.
            at_least_bytes: The file has no fewer, as far as that can be told.

        Raises:
            InvalidUpload: The form is wrong; every problem that it shows is listed.
            FilenameTaken, PermissionDenied, TooManyProjects: A rule of the index speaks against it.
        """
        filename = check_form(form, validation=index.rules.validation)
        # The catalog may be back when the file has come.
        with contextlib.suppress(Unavailable, StorageFull):
            facts = _facts_of_form(identity, filename, form, now=self._now(), at_least_bytes=at_least_bytes)
            self._database.read_now(lambda connection: admit(connection, index, facts))

    async def publish(
        self,
        index: IndexRecord,
        identity: Identity,
        receive: Callable[[], Upload],
        *,
        is_small: bool = False,
        by: Actor | None = None,
    ) -> Publication:
        """
        Publish one file.

        Args:
            index: Where; the identity was found to be allowed to publish there.
            identity: Who publishes.
            receive: Returns the form and the staged file, which the caller discards afterwards. It is called in a
                thread, and what it raises is raised here.
            is_small: Whether it takes a moment only.
            by: The identity as the journal keeps it, with its address.

        Raises:
            InvalidUpload: The file or the form is wrong; every problem is listed.
            FilenameTaken, TooManyProjects: A rule of the index speaks against it.
            PermissionDenied: Likewise, or a policy denied.
            StorageFull: No room is left; nothing was kept.
            Unavailable: The store or the catalog does not answer; safe to retry.
        """
        threads = self.thread_for_small if is_small else self.threads
        checked = await _in_thread(threads, lambda: self._check(index, identity, receive()))
        if checked.settled is not None:
            await self._storing.put_back(checked.upload.staged, checked.core_metadata)
            return checked.settled
        new, begun = replace(checked.new, by=by or checked.new.by), checked.begun
        if begun is None:
            remarks = await self._judge(_candidate(index, identity, checked.upload, checked.examined))
            new = replace(new, warnings=(*new.warnings, *remarks))
            begun = await _in_thread(threads, lambda: self._begin(checked))
        async with self._storing.stored(begun):
            publication = await self._record(index, identity, new)
        # Read your own write: what this process keeps is dropped before the client hears of its success.
        await self._follower.catch_up()
        return publication

    def _check(self, index: IndexRecord, identity: Identity, upload: Upload) -> _Checked:
        """Do all that comes before the policies are asked, in one step: each step in a thread has its price."""
        examined = examine(upload, validation=index.rules.validation)
        new = _new_file(identity, upload, examined, now=self._now())
        facts = _facts_of(identity, new)
        standing = self._database.read_now(lambda connection: _settled(connection, index, facts))
        checked = _Checked(upload, examined, new, standing if isinstance(standing, Publication) else None)
        if checked.settled is None and not self._policies:
            return replace(checked, begun=self._begin(checked))
        return checked

    def _begin(self, checked: _Checked) -> Begun:
        return self._storing.begin(checked.upload.staged, checked.core_metadata)

    async def _judge(self, candidate: Candidate) -> tuple[Problem, ...]:
        """Return what the policies remark, unless one of them denies."""
        answers = await asyncio.gather(*(_verdicts(policy, candidate) for policy in self._policies))
        verdicts = [verdict for answer in answers for verdict in answer]
        denials = [Problem(verdict.code, verdict.reason) for verdict in verdicts if isinstance(verdict, Deny)]
        if denials:
            raise PolicyDenied(*denials)
        return tuple(Problem(verdict.code, verdict.message) for verdict in verdicts if isinstance(verdict, Warn))

    async def _record(self, index: IndexRecord, identity: Identity, new: NewFile) -> Publication:
        def work(connection: Connection) -> Publication:
            # Looked at again inside the transaction: two clients may race with the same name, or for the last room.
            standing = _settled(connection, index, _facts_of(identity, new))
            if isinstance(standing, Publication):
                return standing
            if standing is Standing.REPLACES:
                is_live = replace_file(connection, index, new).kind is EventKind.FILE_REPLACED
                return Publication(new.filename, created=not is_live, replaced=is_live, warnings=new.warnings)
            files.insert_file(connection, index, new)
            return Publication(new.filename, created=True, warnings=new.warnings)

        return await self._database.write(work)


async def _in_thread(threads: Executor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)


def _settled(connection: Connection, index: IndexRecord, facts: Facts) -> Publication | Standing:
    """Return how it ends when nothing is to be done, and otherwise how the file stands to what is there."""
    standing = admit(connection, index, facts)
    if standing is not Standing.SETTLED:
        return standing
    known = files.find_known_file(connection, index.id, facts.filename)
    return Publication(facts.filename, created=False, warnings=known.warnings if known else ())


def _facts_of(identity: Identity, new: NewFile) -> Facts:
    return Facts(
        identity=identity,
        project=new.project,
        version_key=new.version_key,
        filename=new.filename,
        kind=new.kind,
        now=new.uploaded_at,
        size_bytes=new.size_bytes,
        sha256=new.sha256,
    )


def _facts_of_form(
    identity: Identity, filename: DistributionFilename, form: Form, *, now: datetime, at_least_bytes: int | None
) -> Facts:
    return Facts(
        identity=identity,
        project=filename.project,
        version_key=version_key(filename.version),
        filename=filename.filename,
        kind=filename.kind.value,
        now=now,
        size_bytes=at_least_bytes,
        sha256=form.sha256,
        is_here=False,
    )


async def _verdicts(policy: UploadPolicy, candidate: Candidate) -> list[Deny | Warn]:
    try:
        async with asyncio.timeout(_VERDICT_SECONDS):
            answer: object = await policy.judge(candidate)
    except TimeoutError as error:
        raise Unavailable("The upload cannot be judged now: a policy does not answer") from error
    if answer is None:
        return []
    several = answer if isinstance(answer, (list, tuple)) else (answer,)
    verdicts = [verdict for verdict in several if isinstance(verdict, (Deny, Warn))]
    # Neither is a plugin that forgets its verdict taken for one that allows.
    if len(verdicts) < len(several):
        raise PluginContractBroken(type(policy).__name__, f"judge() returned a {type(answer).__name__}")
    return verdicts


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
        members=examined.archive.members,
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
        by=Actor(identity.subject, credential=identity.credential or None),
        uploaded_at=now,
        md5=examined.md5,
        blake2b_256=examined.blake2b_256,
        warnings=examined.warnings,
    )
