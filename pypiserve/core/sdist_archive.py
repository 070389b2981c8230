"""
Core metadata of an sdist.

Spec: Source distribution format (PyPA specifications), PEP 625, PEP 643; names and zip archives from before them.
"""

from __future__ import annotations

from typing import BinaryIO

from pypiserve.core.archive_parts import (
    ArchiveLimits,
    ArchiveMetadata,
    broken,
    check_directory,
    missing,
    shown,
    too_large,
    unsafe,
)
from pypiserve.core.filenames import DistributionFilename
from pypiserve.core.gzip_stream import GzipStream
from pypiserve.core.tar_members import TarMember, tar_members
from pypiserve.core.zip_directory import read_member, read_members

__all__ = ["read_tar_sdist_metadata", "read_zip_sdist_metadata"]

_FILE = "PKG-INFO"


class _Tops:
    """Holds an archive to one top-level directory, that of its project and version."""

    def __init__(self, name: DistributionFilename) -> None:
        self._name = name
        self.only = ""

    def check(self, member: str) -> None:
        top = member.partition("/")[0]
        if top == self.only:
            return
        if self.only:
            raise unsafe(f"it has several top-level entries, {shown(self.only)} and {shown(top)}")
        check_directory(top, self._name)
        self.only = top

    @property
    def path(self) -> str:
        return f"{self.only or '{name}-{version}'}/{_FILE}"


def read_tar_sdist_metadata(file: BinaryIO, name: DistributionFilename, *, limits: ArchiveLimits) -> ArchiveMetadata:
    """
    Read PKG-INFO of the one top-level directory of a ``.tar.gz``; nothing behind it is inflated.

    Raises:
        InvalidUpload: See ``pypiserve.core.archives.read_core_metadata``.
        OSError: The file cannot be read.
    """
    file.seek(0)
    stream = GzipStream(file, limits=limits)
    tops = _Tops(name)
    for member in tar_members(stream, limits=limits):
        tops.check(member.name)
        if member.name == tops.path:
            return ArchiveMetadata(member.name, _take(stream, member, limits=limits))
    raise missing(tops.path)


def _take(stream: GzipStream, member: TarMember, *, limits: ArchiveLimits) -> bytes:
    if not member.is_file:
        raise unsafe(f"{shown(member.name)} is not a regular file")
    if member.size_bytes > limits.max_metadata_bytes:
        raise too_large(f"{shown(member.name)} has more than {limits.max_metadata_bytes} bytes")
    content = stream.take(member.size_bytes)
    if len(content) < member.size_bytes:
        raise broken(".tar.gz", f"{shown(member.name)} is cut off")
    return content


def read_zip_sdist_metadata(file: BinaryIO, name: DistributionFilename, *, limits: ArchiveLimits) -> ArchiveMetadata:
    """
    Read PKG-INFO of the one top-level directory of a ``.zip``; nothing else is inflated.

    Raises:
        InvalidUpload: See ``pypiserve.core.archives.read_core_metadata``.
        OSError: The file cannot be read.
    """
    members = read_members(file, limits=limits)
    tops = _Tops(name)
    for member in members:
        tops.check(member.name)
    found = next((member for member in members if member.name == tops.path), None)
    if found is None:
        raise missing(tops.path)
    return ArchiveMetadata(tops.path, read_member(file, found, max_bytes=limits.max_metadata_bytes))
