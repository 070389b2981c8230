"""What the readers of wheels and sdists share: limits, results, refusals and the rules for names of members."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pypiserve.core.errors import InvalidUpload, Problem
from pypiserve.core.filenames import DistributionFilename
from pypiserve.core.names import normalise
from pypiserve.core.versions import parse_version

__all__ = [
    "ArchiveLimits",
    "ArchiveMember",
    "ArchiveMetadata",
    "ArchiveReport",
    "broken",
    "check_directory",
    "check_member_name",
    "missing",
    "shown",
    "too_large",
    "unsafe",
]

MIB = 1024 * 1024
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class ArchiveLimits:
    """
    How much work a stranger's archive may cause.

    Attributes:
        max_metadata_bytes: Largest METADATA or PKG-INFO.
        max_members: Most members; a real large wheel has more than 20 000.
        max_directory_bytes: Largest central directory of a zip; it is held in memory.
        max_unpacked_bytes: Most bytes that an archive is inflated to; the largest real wheels have 4 GiB.
        free_unpacked_bytes: Inflated bytes from which ``max_ratio`` counts.
        max_ratio: Most bytes inflated for each compressed byte.
    """

    max_metadata_bytes: int = 8 * MIB
    max_members: int = 100_000
    max_directory_bytes: int = 64 * MIB
    max_unpacked_bytes: int = 8192 * MIB
    free_unpacked_bytes: int = 64 * MIB
    max_ratio: int = 50


@dataclass(frozen=True)
class ArchiveMetadata:
    """
    The core metadata as it stands in the archive.

    Attributes:
        path: Name of the member, such as ``demo-1.0.dist-info/METADATA``.
        content: Its bytes, exactly.
    """

    path: str
    content: bytes


@dataclass(frozen=True)
class ArchiveMember:
    """
    One file in an archive.

    Attributes:
        path: As the archive has it, with slashes.
        size_bytes: Unpacked.
    """

    path: str
    size_bytes: int


@dataclass(frozen=True)
class ArchiveReport:
    """
    What a good archive turned out to hold.

    Attributes:
        metadata: Its core metadata.
        members: Its files in order; directories and links are left out.
        warnings: What is not quite right, and not refused.
        links: Paths of the links of an sdist.
    """

    metadata: ArchiveMetadata
    members: tuple[ArchiveMember, ...] = ()
    warnings: tuple[Problem, ...] = ()
    links: tuple[str, ...] = ()


def broken(kind: str, reason: str) -> InvalidUpload:
    """Build the refusal of a file that is not the archive its name promises."""
    return InvalidUpload.because(
        "invalid-archive", f"the file is not a readable {kind} archive: {reason}; build it again"
    )


def missing(path: str) -> InvalidUpload:
    """Build the refusal of an archive without core metadata."""
    return InvalidUpload.because("missing-metadata", f"the archive has no {path}; build it again with a current tool")


def too_large(reason: str) -> InvalidUpload:
    """Build the refusal of an archive whose reading would cost too much."""
    return InvalidUpload.because("archive-too-large", f"the archive is too large to read: {reason}")


def unsafe(reason: str) -> InvalidUpload:
    """Build the refusal of an archive that two readers could understand in two ways, or that aims outside itself."""
    return InvalidUpload.because("unsafe-archive", f"the archive is unsafe: {reason}; build it again")


def shown(name: str) -> str:
    """Return a name from an archive in a form that fits a one-line message: ASCII, quoted, at most 100 characters."""
    quoted = ascii(name)
    return quoted if len(quoted) <= 100 else f"{quoted[:96]}...'"  # noqa: PLR2004 - the length of the docstring


def check_member_name(name: str) -> None:
    """
    Refuse names of members that lead out of the archive or that readers resolve differently.

    Args:
        name: The member's name; that of a directory may end in a slash.

    Raises:
        InvalidUpload: ``unsafe-archive``.
    """
    if _FORBIDDEN.search(name) is not None:
        raise unsafe(f"the member {shown(name)} has a backslash or a control character in its name")
    if name.startswith("/") or _DRIVE.match(name) is not None:
        raise unsafe(f"the member {shown(name)} has an absolute path")
    if not {"", ".", ".."}.isdisjoint(name.removesuffix("/").split("/")):
        raise unsafe(f"the member {shown(name)} has an empty, '.' or '..' segment in its path")


def check_directory(directory: str, name: DistributionFilename, *, suffix: str = "") -> None:
    """
    Refuse an archive whose directory belongs to another project or version than the file name.

    Spellings from before PEP 625 are fine: names and versions are compared after normalisation.

    Args:
        directory: ``{name}-{version}`` plus the suffix, one path segment.
        name: What the file name says.
        suffix: ``.dist-info`` for wheels.

    Raises:
        InvalidUpload: ``name-mismatch`` or ``version-mismatch``.
    """
    stem = directory.removesuffix(suffix)
    versions = [stem[dash.end() :] for dash in re.finditer("-", stem) if _is_project(stem[: dash.start()], name)]
    if any(_is_version(version, name) for version in versions):
        return
    raise InvalidUpload.because(
        "version-mismatch" if versions else "name-mismatch",
        f"the file name says {name.project} {name.version} but the archive holds the directory {shown(directory)}; "
        "rebuild the file or correct its name",
    )


def _is_project(text: str, name: DistributionFilename) -> bool:
    try:
        return normalise(text) == name.project
    except ValueError:
        return False


def _is_version(text: str, name: DistributionFilename) -> bool:
    try:
        return parse_version(text) == name.version
    except InvalidUpload:
        return False
