"""
The model of an index, as a renderer sees it.

Spec: Simple repository API 1.4 (PEP 503, 592, 629, 658, 691, 700, 714, 792).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from packaging.utils import NormalizedName

from pypiserve.core.digests import Sha256

__all__ = ["API_VERSION", "ProjectDetail", "ProjectFile", "ProjectList", "ProjectName", "ProjectStatus"]

API_VERSION = "1.4"
"""The version of the simple repository API that every page states."""


class ProjectStatus(enum.StrEnum):
    """Project status markers. Spec: PEP 792."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DEPRECATED = "deprecated"
    QUARANTINED = "quarantined"


@dataclass(frozen=True)
class ProjectName:
    """
    One line of the project list.

    Attributes:
        name: The normalised name.
        last_serial: Serial of the journal's last event for the project.
    """

    name: NormalizedName
    last_serial: int


@dataclass(frozen=True)
class ProjectList:
    """
    The project list of an index.

    Attributes:
        projects: Sorted by name.
        last_serial: Serial of the last event for any project, listed or not; 0 for an empty index. It never falls.
    """

    projects: tuple[ProjectName, ...]
    last_serial: int


@dataclass(frozen=True)
class ProjectFile:
    """
    One distribution file of a project.

    Attributes:
        filename: Equal to the decoded last segment of ``url`` (clients read one or the other).
        url: Root-relative, percent-encoded, without query and fragment.
        sha256: Digest of the file.
        size_bytes: Exact.
        uploaded_at: Aware, UTC: when the file became available on this index (PEP 700 ``upload-time``).
        requires_python: Version specifier as the core metadata has it, or ``None``.
        core_metadata_sha256: Digest of the file at ``url`` plus ``.metadata``; ``None`` if there is none.
        yanked: Whether the file is yanked (PEP 592).
        yanked_reason: Why; ``None`` or not empty.
    """

    filename: str
    url: str
    sha256: Sha256
    size_bytes: int
    uploaded_at: datetime
    requires_python: str | None = None
    core_metadata_sha256: Sha256 | None = None
    yanked: bool = False
    yanked_reason: str | None = None


@dataclass(frozen=True)
class ProjectDetail:
    """
    The page of one project.

    Attributes:
        name: The normalised name.
        status: Status marker; a quarantined project has no files here.
        status_reason: Free text, or ``None``.
        versions: Every version, as first published, sorted by PEP 440; contains those of all files.
        files: Sorted by version, then file name.
        last_serial: Serial of the journal's last event for the project.
    """

    name: NormalizedName
    versions: tuple[str, ...]
    files: tuple[ProjectFile, ...]
    last_serial: int
    status: ProjectStatus = ProjectStatus.ACTIVE
    status_reason: str | None = None
