"""
The archives that strangers send, and the core metadata in them.

Nothing is written, and every size and count has a bound. What looks different to different readers is refused rather
than interpreted.
"""

from __future__ import annotations

from typing import BinaryIO

from pypiserve.core.archive_parts import ArchiveLimits, ArchiveMember, ArchiveMetadata, ArchiveReport
from pypiserve.core.filenames import DistributionFilename, FileKind
from pypiserve.core.index_rules import Validation
from pypiserve.core.sdist_archive import examine_sdist
from pypiserve.core.wheel_archive import examine_wheel

__all__ = [
    "ArchiveLimits",
    "ArchiveMember",
    "ArchiveMetadata",
    "ArchiveReport",
    "examine_archive",
]

_DEFAULT_LIMITS = ArchiveLimits()


def examine_archive(
    file: BinaryIO,
    name: DistributionFilename,
    *,
    validation: Validation = Validation.STRICT,
    limits: ArchiveLimits = _DEFAULT_LIMITS,
) -> ArchiveReport:
    """
    Check a whole archive. Blocking: reads and inflates all of it, within the limits.

    Args:
        file: The whole file, seekable; its position is moved, and it is not closed.
        name: What its file name says: chooses the format, and must agree with what is in the archive.
        validation: Whether all checks are made, or those of safety and identity only.
        limits: Bounds on memory and work.

    Raises:
        InvalidUpload: With every problem that was found.
        OSError: The file cannot be read.
    """
    if name.kind is FileKind.SDIST:
        return examine_sdist(file, name, validation=validation, limits=limits)
    return examine_wheel(file, name, validation=validation, limits=limits)
