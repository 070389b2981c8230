"""
Whole wheels, checked from the first byte to the last.

Spec: Binary distribution format, "File contents" (PyPA specifications), PEP 427, PEP 639.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Sequence
from typing import BinaryIO, Protocol

from pypiserve.core.archive_parts import (
    ArchiveLimits,
    ArchiveMember,
    ArchiveMetadata,
    ArchiveReport,
    check_directory,
    missing,
    shown,
    unsafe,
)
from pypiserve.core.errors import InvalidUpload, Problem
from pypiserve.core.filenames import DistributionFilename
from pypiserve.core.findings import Findings
from pypiserve.core.index_rules import Validation
from pypiserve.core.path_collisions import case_collisions, check_tree
from pypiserve.core.wheel_contents import WheelContents
from pypiserve.core.wheel_record import WheelRecord
from pypiserve.core.zip_directory import read_member, read_members
from pypiserve.core.zip_end import read_at
from pypiserve.core.zip_member import DATA_DESCRIPTOR, ZipMember
from pypiserve.core.zip_unpacking import Sink, check_bounds, unpack_all

__all__ = ["examine_wheel"]

_SUFFIX = ".dist-info"
_TAR_HEADER_BYTES = 512


def examine_wheel(
    file: BinaryIO, name: DistributionFilename, *, validation: Validation, limits: ArchiveLimits
) -> ArchiveReport:
    """
    Check every member of a wheel. Blocking: all of it is read, inflated and hashed, within the limits.

    Args:
        file: The whole file, seekable; its position is moved.
        name: What its file name says.
        validation: For a lenient index, what RECORD and WHEEL say wrongly is a warning, and old ways to write a zip
            archive are fine.
        limits: Bounds on memory and work.

    Raises:
        InvalidUpload: With every problem that was found.
        OSError: The file cannot be read.
    """
    members = read_members(file, limits=limits)
    check_bounds(members, file.seek(0, 2), limits=limits)
    return _WheelWalk(file, name, members, strict=validation is Validation.STRICT, limits=limits).run()


class _Digest(Sink, Protocol):
    def digest(self) -> bytes: ...


class _WheelWalk:
    """One wheel on its way through all checks."""

    def __init__(
        self,
        file: BinaryIO,
        name: DistributionFilename,
        members: Sequence[ZipMember],
        *,
        strict: bool,
        limits: ArchiveLimits,
    ) -> None:
        self._file = file
        self._name = name
        self._members = members
        self._strict = strict
        self._limits = limits
        self._findings = Findings()
        self._hashes: dict[str, _Digest] = {}

    def run(self) -> ArchiveReport:
        findings = self._findings
        self._check_framing()
        directory = findings.attempt(lambda: _dist_info(self._members, self._name))
        metadata = record = None
        if directory is not None:
            metadata = findings.attempt(lambda: _metadata(self._file, self._members, directory, limits=self._limits))
            contents = WheelContents(self._file, self._members, directory, self._name)
            findings.refuse(_look_alikes(directory, self._members))
            findings.refuse(contents.problems())
            record = self._judge(contents)
        self._unpack(record)
        findings.raise_problems()
        if metadata is None:
            raise AssertionError("a problem was added wherever there is no metadata")
        files = tuple(ArchiveMember(each.name, each.size_bytes) for each in self._members if not each.is_directory)
        return ArchiveReport(metadata, files, findings.warnings)

    def _check_framing(self) -> None:
        findings = self._findings
        if _is_tar_too(self._file):
            findings.refuse(unsafe("it is a tar archive as well").problems)
        findings.refuse(
            problem
            for member in self._members
            if member.is_link
            for problem in unsafe(f"{shown(member.name)} is a symbolic link").problems
        )
        files = [member.name for member in self._members if not member.is_directory]
        findings.attempt(lambda: check_tree([member.name for member in self._members]))
        findings.warn(case_collisions(files))
        if self._strict:
            findings.refuse(_old_ways(self._members))

    def _judge(self, contents: WheelContents) -> WheelRecord | None:
        """Check what the wheel says about itself; return its RECORD if it can be read."""
        record = None
        problems: list[Problem] = []
        try:
            record = contents.record()
        except InvalidUpload as error:
            problems += error.problems
        problems += contents.statement_problems()
        self._tell(problems)
        if self._strict:
            self._findings.warn(contents.warnings())
        return record

    def _tell(self, problems: Sequence[Problem]) -> None:
        if self._strict:
            self._findings.refuse(problems)
        else:
            self._findings.warn(problems)

    def _unpack(self, record: WheelRecord | None) -> None:
        def hash_for(member: ZipMember) -> _Digest | None:
            algorithm = record.algorithm_for(member.name) if record is not None else ""
            if not algorithm:
                return None
            return self._hashes.setdefault(member.name, hashlib.new(algorithm))

        damaged: set[str] = set()

        def tell(member: ZipMember, error: InvalidUpload) -> None:
            damaged.add(member.name)
            self._findings.refuse(error.problems)

        def walk() -> bool:
            unpack_all(self._file, self._members, sink_for=hash_for, damaged=tell)
            return True

        if self._findings.attempt(walk) is None or record is None:
            return
        sizes = {each.name: each.size_bytes for each in self._members if not each.is_directory}
        digests = {name: each.digest() for name, each in self._hashes.items() if name not in damaged}
        self._tell(list(record.problems(sizes, digests)))


def _metadata(
    file: BinaryIO, members: Sequence[ZipMember], directory: str, *, limits: ArchiveLimits
) -> ArchiveMetadata:
    path = f"{directory}/METADATA"
    member = next((member for member in members if member.name == path), None)
    if member is None:
        raise missing(path)
    return ArchiveMetadata(path, read_member(file, member, max_bytes=limits.max_metadata_bytes))


def _dist_info(members: Sequence[ZipMember], name: DistributionFilename) -> str:
    """Return the name of the one such directory; letter case is no difference on some systems that unpack it."""
    tops = {member.name.partition("/")[0] for member in members}
    directories = sorted(top for top in tops if top.lower().endswith(_SUFFIX))
    if not directories:
        raise missing(f"{name.project.replace('-', '_')}-{name.version}{_SUFFIX} directory")
    if len(directories) > 1:
        raise unsafe(f"it has several {_SUFFIX} directories, {shown(directories[0])} and {shown(directories[1])}")
    check_directory(directories[0], name, suffix=_SUFFIX)
    return directories[0]


def _look_alikes(directory: str, members: Sequence[ZipMember]) -> Sequence[Problem]:
    """Refuse two spellings of one file of ``.dist-info``: unpacked, the second may take the place of the first."""
    own = [member.name for member in members if member.name.startswith(f"{directory}/")]
    return [problem for collision in case_collisions(own) for problem in unsafe(collision.message).problems]


def _is_tar_too(file: BinaryIO) -> bool:
    """Tell whether a tar reader would take the first bytes for a header: its checksum cannot be right by chance."""
    if file.seek(0, 2) < _TAR_HEADER_BYTES:
        return False
    try:
        tarfile.TarInfo.frombuf(read_at(file, 0, _TAR_HEADER_BYTES), "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def _old_ways(members: Sequence[ZipMember]) -> Sequence[Problem]:
    """Refuse what PyPI refuses too: readers differ on it, and current build tools do not write it."""
    problems = []
    streamed = next((member for member in members if member.flags & DATA_DESCRIPTOR), None)
    if streamed is not None:
        problems.append(f"the sums of {shown(streamed.name)} stand behind it, in a data descriptor")
    commented = next((member for member in members if member.has_comment), None)
    if commented is not None:
        problems.append(f"{shown(commented.name)} has a comment")
    return [
        Problem(
            "nonstandard-archive",
            f"the zip archive is written in a way that is not accepted: {problem}; "
            "build it again with a current tool",
        )
        for problem in problems
    ]
