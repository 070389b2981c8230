"""
May this file join this index? The rules of the index, one small function each.

Asked when its form has come, before its bytes are stored, and again inside the transaction that names it: what others
publish meanwhile counts. Each time all that is known so far is judged.

Spec: the order is that of the practice of PyPI; what is refused for another reason than the same name is never 409,
which clients skip.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from packaging.utils import NormalizedName

from pypiserve.catalog import admissions, files, projects
from pypiserve.catalog.database import Connection
from pypiserve.catalog.files import KnownFile
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.projects import ProjectRecord
from pypiserve.core.digests import Sha256
from pypiserve.core.errors import (
    FilenameTaken,
    FileTooLarge,
    InvalidUpload,
    PolicyDenied,
    Problem,
    PypiserveError,
)
from pypiserve.core.identity import Identity
from pypiserve.core.index_rules import ExistingFiles
from pypiserve.services.access import refusal_to_publish
from pypiserve.services.new_projects import refusal_of_new_project

__all__ = ["Facts", "Standing", "admit", "check_length"]


@dataclass(frozen=True)
class Facts:
    """
    What is known of a file that wants to join an index.

    Attributes:
        identity: Who publishes.
        project: Normalised name of the project.
        version_key: The key of its version in the catalog.
        filename: Name of the distribution file.
        kind: As the catalog writes it: ``sdist`` or ``bdist_wheel``.
        now: Aware, UTC.
        size_bytes: ``None`` as long as it is not known.
        sha256: Likewise.
        is_here: Whether the file has come; before, ``size_bytes`` is what it has at least.
    """

    identity: Identity
    project: NormalizedName
    version_key: str
    filename: str
    kind: str
    now: datetime
    size_bytes: int | None = None
    sha256: Sha256 | None = None
    is_here: bool = True


class Standing(enum.Enum):
    """How a file that is not refused stands to what is there."""

    NEW = "new"
    SETTLED = "settled"
    """The same bytes are there under this name, or may be: nothing is to be done."""
    REPLACES = "replaces"


@dataclass(frozen=True)
class _Case:
    connection: Connection
    index: IndexRecord
    facts: Facts
    known: KnownFile | None
    project: ProjectRecord | None

    @property
    def is_replacement(self) -> bool:
        return self.known is not None and not self.known.deleted


def admit(connection: Connection, index: IndexRecord, facts: Facts) -> Standing:
    """
    Judge a file by the rules of an index.

    Args:
        connection: To the catalog.
        index: Where to; the identity was found to be allowed to publish there.
        facts: What is known so far.

    Raises:
        FilenameTaken: The name is taken, or was.
        InvalidUpload: The file is too large, its project's name is refused, or its release has an sdist.
        PermissionDenied: Its project or release is closed, or a quota is used up.
        TooManyProjects: The identity began as many projects as it may in one day.
    """
    known = files.find_known_file(connection, index.id, facts.filename)
    if known is not None:
        if _is_settled(index, facts, known):
            return Standing.SETTLED
        _check_name(index, facts, known)
    project = projects.find_project(connection, index.id, facts.project)
    refusal = next(_refusals(_Case(connection, index, facts, known, project)), None)
    if refusal is not None:
        raise refusal
    return Standing.NEW if known is None else Standing.REPLACES


def check_length(index: IndexRecord, at_least_bytes: int) -> None:
    """
    Judge a file of which nothing is known but that it has no fewer bytes than these.

    What an index or a project has already is not counted: the same file may be there.

    Raises:
        PolicyDenied: It is larger than all files of its project, or of the index, may be together.
    """
    rules = index.rules
    quotas = {
        "max_project_size_bytes": rules.max_project_size_bytes,
        "max_index_size_bytes": rules.max_index_size_bytes,
    }
    for rule, limit in quotas.items():
        if limit is not None and at_least_bytes > limit:
            sentence = f"There is no room for this file: it is larger than the {limit} bytes that {rule} allows"
            raise PolicyDenied(Problem("quota-exceeded", f"{sentence}; ask an administrator to raise the rule"))


def _is_settled(index: IndexRecord, facts: Facts, known: KnownFile) -> bool:
    if known.deleted or known.filename != facts.filename:
        return False
    if index.rules.existing_files is ExistingFiles.IMMUTABLE:
        return False
    if facts.sha256 is None:
        # It may turn out to be the same; of other bytes it is known when they have come.
        return index.rules.existing_files is ExistingFiles.IDEMPOTENT
    return known.sha256 == facts.sha256


def _check_name(index: IndexRecord, facts: Facts, known: KnownFile) -> None:
    is_same_name = known.filename == facts.filename
    if is_same_name and index.rules.existing_files is ExistingFiles.OVERWRITE:
        return
    raise FilenameTaken(
        facts.filename,
        known_as=known.filename,
        deleted=known.deleted,
        same_content=known.sha256 == facts.sha256 or facts.sha256 is None,
    )


def _refusals(case: _Case) -> Iterator[PypiserveError]:
    """Yield what speaks against the file, in the order of PyPI; a rule is looked at when those before it hold."""
    if case.project is None:
        new = refusal_of_new_project(
            case.connection, case.index, case.facts.identity, name=case.facts.project, now=case.facts.now
        )
        refusals = [new]
    else:
        refusals = [refusal_to_publish(case.facts.project, case.project.status)]
    yield from filter(None, refusals)
    for rule in (_file_size, _project_size, _index_size, _release_age, _second_sdist):
        refusal = rule(case)
        if refusal is not None:
            yield refusal


def _file_size(case: _Case) -> PypiserveError | None:
    limit, size = case.index.rules.max_file_size_bytes, case.facts.size_bytes
    return FileTooLarge(limit) if limit is not None and size is not None and size > limit else None


def _project_size(case: _Case) -> PypiserveError | None:
    limit = case.index.rules.max_project_size_bytes
    if limit is None:
        return None
    used = 0 if case.project is None else admissions.size_of_project(case.connection, case.project.id)
    return _over_quota(case, used, limit, what=f"the project {case.facts.project}", rule="max_project_size_bytes")


def _index_size(case: _Case) -> PypiserveError | None:
    limit = case.index.rules.max_index_size_bytes
    if limit is None:
        return None
    used = admissions.size_of_index(case.connection, case.index.id)
    return _over_quota(case, used, limit, what=f"the index {case.index.path}", rule="max_index_size_bytes")


def _over_quota(case: _Case, used: int, limit: int, *, what: str, rule: str) -> PypiserveError | None:
    freed = case.known.size_bytes if case.known is not None and case.is_replacement else 0
    # A file whose size is not known yet has at least one byte.
    needed = max(1, case.facts.size_bytes or 1)
    if used - freed + needed <= limit:
        return None
    needs = f"{needed} more" if case.facts.is_here else f"at least {needed} more"
    return PolicyDenied(
        Problem(
            "quota-exceeded",
            f"There is no room for this file: {what} has {used - freed} bytes of the {limit} that {rule} allows, "
            f"and the file needs {needs}; delete old releases, or ask an administrator to raise the rule",
        )
    )


def _release_age(case: _Case) -> PypiserveError | None:
    days = case.index.rules.close_releases_after_days
    if days is None or case.project is None:
        return None
    began = admissions.beginning_of_release(case.connection, case.project.id, case.facts.version_key)
    if began is None or case.facts.now - began < timedelta(days=days):
        return None
    return PolicyDenied(
        Problem(
            "release-closed",
            f"This release of {case.facts.project} is older than {days} days and takes no new files; "
            "publish a new version",
        )
    )


def _second_sdist(case: _Case) -> PypiserveError | None:
    if not case.index.rules.one_sdist_per_release or case.facts.kind != "sdist" or case.project is None:
        return None
    other = admissions.other_sdist(
        case.connection, case.project.id, version_key=case.facts.version_key, filename=case.facts.filename
    )
    if other is None:
        return None
    return InvalidUpload.because(
        "second-sdist", f"This release has an sdist already, {other}; a release has one, publish a new version"
    )
