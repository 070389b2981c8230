"""Small archives for the tests of the readers."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

import pytest

from pypiserve.core.archives import ArchiveLimits, ArchiveMetadata, examine_archive
from pypiserve.core.errors import InvalidUpload
from pypiserve.core.filenames import parse_filename
from pypiserve.core.index_rules import Validation

METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary: A demonstration\n\nHow to use it.\n"


def build_zip(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def build_tar(members: Mapping[str, bytes], *, form: int = tarfile.PAX_FORMAT) -> io.BytesIO:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            # A fraction of a second makes a pax header, as setuptools and hatch write it for each member.
            info.mtime = 1.5 if form == tarfile.PAX_FORMAT else 1
            archive.addfile(info, io.BytesIO(content))
    return io.BytesIO(gzip.compress(raw.getvalue(), mtime=0))


def unpacked(file: io.BytesIO) -> bytearray:
    return bytearray(gzip.decompress(file.getvalue()))


def packed(content: bytes) -> io.BytesIO:
    return io.BytesIO(gzip.compress(content, mtime=0))


def a_tar_of(*infos: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> io.BytesIO:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(METADATA))
    return packed(raw.getvalue())


def a_member(
    name: str, kind: bytes = tarfile.REGTYPE, *, size_bytes: int = 0, target: str = "setup.py"
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size_bytes, target
    return info


def read(file: BinaryIO, filename: str, **limits: int) -> ArchiveMetadata:
    """Read the metadata of an archive of which no more is asked than that it is safe and the right one."""
    name, bounds = parse_filename(filename), ArchiveLimits(**limits)
    return examine_archive(file, name, validation=Validation.LENIENT, limits=bounds).metadata


def refusal(file: BinaryIO, filename: str, **limits: int) -> str:
    """Return the code of all that is wrong; each message is one line that can go into a header."""
    with pytest.raises(InvalidUpload) as caught:
        read(file, filename, **limits)
    problems = caught.value.problems
    assert all(problem.message.isascii() and problem.message.isprintable() for problem in problems)
    (code,) = {problem.code for problem in problems}
    return code


def outcome(content: bytes, filename: str) -> bytes | InvalidUpload:
    """Return the metadata or the refusal; any other error is the test's to report."""
    try:
        return read(io.BytesIO(content), filename).content
    except InvalidUpload as error:
        return error
