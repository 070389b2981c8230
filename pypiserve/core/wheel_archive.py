"""
Core metadata of a wheel.

Spec: Binary distribution format, "File contents" (PyPA specifications), PEP 427.
"""

from __future__ import annotations

from typing import BinaryIO

from pypiserve.core.archive_parts import ArchiveLimits, ArchiveMetadata, check_directory, missing, shown, unsafe
from pypiserve.core.filenames import DistributionFilename
from pypiserve.core.zip_directory import ZipMember, read_member, read_members

__all__ = ["read_wheel_metadata"]

_SUFFIX = ".dist-info"


def read_wheel_metadata(file: BinaryIO, name: DistributionFilename, *, limits: ArchiveLimits) -> ArchiveMetadata:
    """
    Read METADATA of the one ``.dist-info`` directory; nothing else is inflated.

    Raises:
        InvalidUpload: See ``pypiserve.core.archives.read_core_metadata``.
        OSError: The file cannot be read.
    """
    members = read_members(file, limits=limits)
    directory = _dist_info(members, name)
    check_directory(directory, name, suffix=_SUFFIX)
    path = f"{directory}/METADATA"
    member = next((member for member in members if member.name == path), None)
    if member is None:
        raise missing(path)
    return ArchiveMetadata(path, read_member(file, member, max_bytes=limits.max_metadata_bytes))


def _dist_info(members: list[ZipMember], name: DistributionFilename) -> str:
    """Return the name of the one such directory; letter case is no difference on some systems that unpack it."""
    tops = {member.name.partition("/")[0] for member in members}
    directories = sorted(top for top in tops if top.lower().endswith(_SUFFIX))
    if not directories:
        raise missing(f"{name.project.replace('-', '_')}-{name.version}{_SUFFIX} directory")
    if len(directories) > 1:
        raise unsafe(f"it has several {_SUFFIX} directories, {shown(directories[0])} and {shown(directories[1])}")
    return directories[0]
