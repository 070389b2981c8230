"""
Whole sdists, checked from the first byte to the last.

Spec: Source distribution format (PyPA specifications), PEP 625, PEP 643, PEP 706; names and zip archives from before
them are for lenient indexes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import BinaryIO

from pypiserve.core.archive_parts import (
    ArchiveLimits,
    ArchiveMember,
    ArchiveMetadata,
    ArchiveReport,
    broken,
    check_directory,
    missing,
    shown,
    too_large,
    unsafe,
)
from pypiserve.core.errors import Problem
from pypiserve.core.filenames import DistributionFilename
from pypiserve.core.findings import Findings
from pypiserve.core.gzip_stream import GzipStream
from pypiserve.core.index_rules import Validation
from pypiserve.core.path_collisions import check_tree
from pypiserve.core.sdist_tree import SdistTree, is_look_alike
from pypiserve.core.tar_members import TarKind, TarMember, tar_members
from pypiserve.core.zip_directory import read_member, read_members
from pypiserve.core.zip_member import ZipMember
from pypiserve.core.zip_traces import is_zip_too
from pypiserve.core.zip_unpacking import check_bounds, unpack_all

__all__ = ["examine_sdist", "examine_zip_sdist"]

_FILE = "PKG-INFO"
_BUILD_FILES = ("pyproject.toml", "setup.py")


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
        self.only = top
        check_directory(top, self._name)

    @property
    def path(self) -> str:
        return f"{self.only or '{name}-{version}'}/{_FILE}"


class _SdistWalk:
    """One pass over all members of a ``.tar.gz``."""

    def __init__(self, name: DistributionFilename, *, validation: Validation, limits: ArchiveLimits) -> None:
        self.findings = Findings()
        self._name = name
        self._strict = validation is Validation.STRICT
        self._limits = limits
        self._tops = _Tops(name)
        self._tree = SdistTree(self.findings, repeats=not self._strict)
        self._members: dict[str, ArchiveMember] = {}
        self._metadata: ArchiveMetadata | None = None
        self._misplaced = False

    def run(self, file: BinaryIO) -> None:
        stream = GzipStream(file, limits=self._limits)
        for member in tar_members(stream, limits=self._limits, end_required=self._strict):
            if self._tree.add(member):
                self.findings.attempt(functools.partial(self._place, stream, member))
            else:
                self._misplaced = True
        self._tree.finish()

    def report(self) -> ArchiveReport:
        if self._metadata is None and not self._misplaced:
            self.findings.refuse(missing(self._tops.path).problems)
        self.findings.raise_problems()
        if self._metadata is None:
            raise AssertionError("a problem was added wherever there is no metadata")
        if self._strict:
            self.findings.warn(_layout_warnings(self._tops.only, self._name, self._members))
        members = tuple(self._members.values())
        return ArchiveReport(self._metadata, members, self.findings.warnings, links=self._tree.links)

    def _place(self, stream: GzipStream, member: TarMember) -> None:
        # A member that is refused may be the metadata: that it is missing is then not worth telling.
        self._misplaced, before = True, self._misplaced
        self._tops.check(member.name)
        if member.kind is TarKind.FILE:
            self._members[member.name] = ArchiveMember(member.name, member.size_bytes)
        self._look_for_metadata(stream, member)
        self._misplaced = before

    def _look_for_metadata(self, stream: GzipStream, member: TarMember) -> None:
        path = self._tops.path
        if is_look_alike(member.name, path):
            raise unsafe(f"{shown(member.name)} takes the place of {_FILE} on some systems")
        if member.name != path:
            return
        if self._metadata is not None:
            raise unsafe(f"it has two members called {shown(member.name)}")
        if member.kind is not TarKind.FILE:
            raise unsafe(f"{shown(member.name)} is not a regular file")
        self._metadata = ArchiveMetadata(member.name, _take(stream, member, limits=self._limits))


def examine_sdist(
    file: BinaryIO, name: DistributionFilename, *, validation: Validation, limits: ArchiveLimits
) -> ArchiveReport:
    """
    Check every member of an sdist. Blocking: all of it is read and inflated, within the limits.

    Args:
        file: The whole file, seekable; its position is moved, and it is not closed.
        name: What its file name says.
        validation: A lenient index takes files that come twice, and an archive whose end is not marked.
        limits: Bounds on memory and work.

    Raises:
        InvalidUpload: With every problem that was found: ``invalid-archive``, ``missing-metadata``,
            ``archive-too-large``, ``unsafe-archive``, ``name-mismatch`` or ``version-mismatch``.
        OSError: The file cannot be read.
    """
    if name.filename.endswith(".zip"):
        return examine_zip_sdist(file, name, limits=limits)
    file.seek(0)
    walk = _SdistWalk(name, validation=validation, limits=limits)
    # Where the walk breaks off, what is missing may stand behind that place: only what was seen is told.
    if walk.findings.attempt(lambda: _walked(walk, file)) is None:
        walk.findings.raise_problems()
    if is_zip_too(file):
        walk.findings.refuse(unsafe("it is a zip archive as well").problems)
    return walk.report()


def _walked(walk: _SdistWalk, file: BinaryIO) -> bool:
    walk.run(file)
    return True


def _take(stream: GzipStream, member: TarMember, *, limits: ArchiveLimits) -> bytes:
    if member.size_bytes > limits.max_metadata_bytes:
        raise too_large(f"{shown(member.name)} has more than {limits.max_metadata_bytes} bytes")
    content = stream.take(member.size_bytes)
    if len(content) < member.size_bytes:
        raise broken(".tar.gz", f"{shown(member.name)} is cut off")
    return content


def _layout_warnings(top: str, name: DistributionFilename, members: Iterable[str]) -> Iterable[Problem]:
    stem = name.filename.removesuffix(".tar.gz")
    if top != stem:
        yield Problem(
            "nonstandard-directory",
            f"the top-level directory is {shown(top)}; current build tools call it like the file, {shown(stem)}",
        )
    if {f"{top}/{file}" for file in _BUILD_FILES}.isdisjoint(members):
        yield Problem(
            "no-build-file", "the sdist has neither pyproject.toml nor setup.py; installers cannot build it"
        )


def examine_zip_sdist(file: BinaryIO, name: DistributionFilename, *, limits: ArchiveLimits) -> ArchiveReport:
    """
    Check every member of a ``.zip``, as old projects and mirrors have them. Blocking, as ``examine_sdist`` is.

    Raises:
        InvalidUpload: As for ``examine_sdist``.
        OSError: The file cannot be read.
    """
    findings = Findings()
    members = read_members(file, limits=limits)
    check_bounds(members, file.seek(0, 2), limits=limits)
    tops = _Tops(name)
    for member in members:
        findings.attempt(functools.partial(tops.check, member.name))
        if member.is_link:
            findings.refuse(unsafe(f"{shown(member.name)} is a symbolic link").problems)
    files = [member for member in members if not member.is_directory]
    findings.attempt(lambda: check_tree(member.name for member in files))
    metadata = findings.attempt(lambda: _zip_metadata(file, members, tops.path, limits=limits))
    findings.attempt(
        lambda: unpack_all(
            file,
            members,
            sink_for=lambda _: None,
            damaged=lambda _, error: findings.refuse(error.problems),
        )
    )
    findings.raise_problems()
    if metadata is None:
        raise AssertionError("a problem was added wherever there is no metadata")
    return ArchiveReport(metadata, tuple(ArchiveMember(each.name, each.size_bytes) for each in files))


def _zip_metadata(
    file: BinaryIO, members: Iterable[ZipMember], path: str, *, limits: ArchiveLimits
) -> ArchiveMetadata:
    found = next((member for member in members if member.name == path), None)
    if found is None:
        raise missing(path)
    return ArchiveMetadata(path, read_member(file, found, max_bytes=limits.max_metadata_bytes))
