"""
The gate for one file, wherever it comes from: its name, its archive and its metadata, and each against the others.

Publishing and ``pypiserve check-file`` both go through here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from pypiserve.core.archives import ArchiveReport, examine_archive
from pypiserve.core.core_metadata import CoreMetadata, filename_disagreements, parse_core_metadata
from pypiserve.core.errors import Problem
from pypiserve.core.filenames import DistributionFilename, FileKind, nonstandard_filename, parse_filename
from pypiserve.core.findings import Findings
from pypiserve.core.index_rules import Validation
from pypiserve.core.metadata_values import value_warnings

__all__ = ["EMPTY_FILE", "FileReport", "check_file"]

EMPTY_FILE = Problem("empty-file", "The file is empty; build it again")
"""Nothing else is worth telling of a file without bytes."""


@dataclass(frozen=True)
class FileReport:
    """
    All that one file turned out to be; what could not be found out is ``None``, and then there is a problem.

    Attributes:
        filename: What its name says.
        archive: What it holds.
        metadata: Its core metadata.
        problems: What it is refused for.
        warnings: What is not quite right, and not refused.
    """

    filename: DistributionFilename | None
    archive: ArchiveReport | None
    metadata: CoreMetadata | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check_file(file: BinaryIO, filename: str, *, validation: Validation) -> FileReport:
    """
    Make every check that one file allows by itself. Blocking: all of the file is read and inflated, within limits.

    Args:
        file: The whole file, seekable; its position is moved, and it is not closed.
        filename: Its name, of any length and content.
        validation: Whether all checks are made, or those of safety and identity only.

    Raises:
        OSError: The file cannot be read.
    """
    findings = Findings()
    name = archive = metadata = None
    if file.seek(0, 2) == 0:
        findings.refuse([EMPTY_FILE])
    else:
        name = findings.attempt(lambda: parse_filename(filename))
    if name is not None:
        archive = _archive(file, name, findings, validation)
    if name is not None and archive is not None:
        metadata = _metadata(archive, name, findings, validation)
    return FileReport(name, archive, metadata, findings.problems, findings.warnings)


def _archive(
    file: BinaryIO, name: DistributionFilename, findings: Findings, validation: Validation
) -> ArchiveReport | None:
    if validation is Validation.STRICT:
        findings.refuse(nonstandard_filename(name))
    file.seek(0)
    archive = findings.attempt(lambda: examine_archive(file, name, validation=validation))
    if archive is not None:
        findings.warn(archive.warnings)
    return archive


def _metadata(
    archive: ArchiveReport, name: DistributionFilename, findings: Findings, validation: Validation
) -> CoreMetadata | None:
    metadata = findings.attempt(lambda: parse_core_metadata(archive.metadata.content, validation=validation))
    if metadata is None:
        return None
    findings.refuse(filename_disagreements(metadata, name))
    if validation is Validation.STRICT:
        findings.warn(value_warnings(metadata.fields, metadata.metadata_version))
        findings.refuse(_missing_licence_files(archive, metadata, name))
    return metadata


def _missing_licence_files(
    archive: ArchiveReport, metadata: CoreMetadata, name: DistributionFilename
) -> Iterable[Problem]:
    """Spec: PEP 639: paths are relative to the top-level directory, in wheels to ``.dist-info/licenses``."""
    if metadata.metadata_version < "2.4":
        return
    top = archive.metadata.path.partition("/")[0]
    if name.kind is FileKind.WHEEL:
        top += "/licenses"
    present = {member.path for member in archive.members} | set(archive.links)
    for path in metadata.fields.get("license-file", ()):
        if f"{top}/{path}" not in present:
            yield Problem(
                "missing-license-file",
                f"the metadata names the licence file {path[:100]!a}, which the archive does not have; add it",
            )
