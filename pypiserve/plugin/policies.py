"""Policies: what may be published, and what is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from packaging.utils import NormalizedName

from pypiserve.core.archives import ArchiveMember
from pypiserve.core.digests import Sha256
from pypiserve.core.identity import Identity
from pypiserve.core.model import ProjectFile

__all__ = ["Candidate", "Deny", "ReadPolicy", "UploadPolicy", "Verdict", "Warn"]


@dataclass(frozen=True)
class Deny:
    """
    A refusal.

    Attributes:
        code: Stable, kebab-case, the policy's own.
        reason: One sentence for the client that says what to do.
    """

    code: str
    reason: str


@dataclass(frozen=True)
class Warn:
    """
    A remark on a file that is published all the same: the client reads it, and it stays with the file.

    Attributes:
        code: Stable, kebab-case, the policy's own.
        message: One sentence for the client, without a full stop, that says how to mend it.
    """

    code: str
    message: str


Verdict = Deny | Warn | Sequence[Deny | Warn] | None
"""What an upload policy may answer: nothing, one remark or refusal, or several."""


@dataclass(frozen=True)
class Candidate:
    """
    A file that passed every check and is about to be published.

    Attributes:
        owner: Name of the owner.
        index: Name of the index.
        project: Normalised project name.
        version: Version as the core metadata writes it.
        filename: Name of the distribution file.
        size_bytes: Exact.
        sha256: Digest of the file.
        metadata: Core metadata as field name, lowercase, to values in order.
        identity: Who publishes.
        members: The files in the archive, in its order; directories and links are left out.
    """

    owner: str
    index: str
    project: NormalizedName
    version: str
    filename: str
    size_bytes: int
    sha256: Sha256
    metadata: Mapping[str, Sequence[str]]
    identity: Identity
    members: tuple[ArchiveMember, ...] = ()


@runtime_checkable
class UploadPolicy(Protocol):
    """Judges uploads. All policies are asked; any denial denies, and all denials are reported."""

    async def judge(self, candidate: Candidate) -> Verdict:
        """
        Allow the upload (``None``), deny it, or remark on it. The answer must come within 5 seconds.

        Several answers at once are a list or a tuple; one denial among them denies.

        Raises:
            Unavailable: It cannot be told now; the upload is refused with 503.
        """
        ...


@runtime_checkable
class ReadPolicy(Protocol):
    """
    Judges what readers see: a denied file is on no page, and neither it nor its metadata can be fetched.

    A pure and fast function of its arguments, called in worker threads: pages are kept, and judged again only
    when their project changes.
    """

    def judge(self, owner: str, index: str, project: NormalizedName, file: ProjectFile) -> Deny | None:
        """Show the file (``None``) or withhold it."""
        ...
