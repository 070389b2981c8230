"""
The checks of an upload, each one small, all problems told at once.

What the archive says is trusted; the form is a hint that must not contradict it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pypiserve.core.archives import ArchiveMetadata, read_core_metadata
from pypiserve.core.core_metadata import (
    CoreMetadata,
    filename_disagreements,
    form_disagreements,
    parse_core_metadata,
)
from pypiserve.core.errors import InvalidUpload, Problem
from pypiserve.core.filenames import DistributionFilename, parse_filename
from pypiserve.core.versions import parse_version, version_key
from pypiserve.services.staging import StagedFile, translated_disk_errors

__all__ = ["Examined", "Upload", "examine"]

T = TypeVar("T")

_HASH_CHUNK_BYTES = 1 << 20
_SHA256 = "sha256_digest"


@dataclass(frozen=True)
class Upload:
    """
    One upload as it was received.

    Attributes:
        fields: The form: field name to values, in order; ``content`` is not among them.
        filename: File name of the ``content`` part.
        staged: The bytes of the ``content`` part.
    """

    fields: Mapping[str, Sequence[str]]
    filename: str
    staged: StagedFile

    def field(self, name: str) -> str | None:
        """Return a field's only or first value; a field that is empty counts as absent."""
        values = self.fields.get(name)
        return (values[0].strip() or None) if values else None


@dataclass(frozen=True)
class Examined:
    """What a good upload turned out to be."""

    filename: DistributionFilename
    metadata: CoreMetadata
    archive_metadata: ArchiveMetadata
    version_key: str


def examine(upload: Upload) -> Examined:
    """
    Check an upload. Blocks: call it in a thread.

    Raises:
        InvalidUpload: With every problem that was found.
        StorageUnavailable: The staged file cannot be read.
    """
    # Whatever else may be wrong with a request for something else, or with nothing, would only be in the way.
    _check_purpose(upload)
    problems = [*_form_problems(upload), *_digest_problems(upload)]
    filename = _collected(problems, lambda: parse_filename(upload.filename))
    if filename is None:
        raise InvalidUpload(*problems)
    problems += _filetype_problems(upload, filename)
    archive_metadata = _collected(problems, lambda: _archive_metadata(upload, filename))
    metadata = None
    if archive_metadata is not None:
        metadata = _collected(problems, lambda: parse_core_metadata(archive_metadata.content))
    if metadata is not None:
        problems += filename_disagreements(metadata, filename)
        problems += form_disagreements(metadata, name=upload.field("name"), version=upload.field("version"))
    if problems or archive_metadata is None or metadata is None:
        raise InvalidUpload(*_without_repeats(problems))
    return Examined(filename, metadata, archive_metadata, version_key(parse_version(metadata.version)))


def _collected(problems: list[Problem], check: Callable[[], T]) -> T | None:
    try:
        return check()
    except InvalidUpload as error:
        problems += error.problems
        return None


def _archive_metadata(upload: Upload, filename: DistributionFilename) -> ArchiveMetadata:
    with translated_disk_errors():
        upload.staged.handle.seek(0)
        return read_core_metadata(upload.staged.handle, filename)


def _check_purpose(upload: Upload) -> None:
    action = upload.field(":action")
    if action not in {None, "file_upload"}:
        raise InvalidUpload.because(
            "unknown-action", f"This index takes :action=file_upload only, not {_shown(action)}"
        )
    if upload.staged.size_bytes == 0:
        raise InvalidUpload.because("empty-file", "The file is empty; build it again")


def _form_problems(upload: Upload) -> Iterator[Problem]:
    if upload.field("protocol_version") not in {None, "1"}:
        yield Problem("unknown-protocol-version", "Unknown protocol version; this index speaks version 1")


def _filetype_problems(upload: Upload, filename: DistributionFilename) -> Iterator[Problem]:
    filetype = upload.field("filetype")
    if filetype not in {None, filename.kind.value}:
        yield Problem(
            "filetype-mismatch",
            f"The form says filetype {_shown(filetype)}, but {filename.filename} is a {filename.kind.value}",
        )


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True)
class _Digest:
    field: str
    label: str
    hex_digits: int
    new: Callable[[], _Hash]


_DIGESTS = (
    _Digest(_SHA256, "SHA-256", 64, hashlib.sha256),
    _Digest("blake2_256_digest", "BLAKE2-256", 64, lambda: hashlib.blake2b(digest_size=32)),
    _Digest("md5_digest", "MD5", 32, lambda: hashlib.md5(usedforsecurity=False)),
)


def _digest_problems(upload: Upload) -> Iterator[Problem]:
    given = {digest: upload.field(digest.field) for digest in _DIGESTS}
    if not any(given.values()):
        yield Problem(
            "missing-digest", "No digest was sent; send sha256_digest, blake2_256_digest or md5_digest with the file"
        )
    for digest, text in given.items():
        if text is not None:
            yield from _verified(upload.staged, digest, text.lower())


def _verified(staged: StagedFile, digest: _Digest, text: str) -> Iterator[Problem]:
    if re.fullmatch(rf"[0-9a-f]{{{digest.hex_digits}}}", text) is None:
        yield Problem("invalid-digest", f"{digest.field} must be {digest.hex_digits} hex digits")
        return
    computed = staged.sha256 if digest.field == _SHA256 else _hash_of(staged, digest)
    if not hmac.compare_digest(computed, text):
        yield Problem(
            "digest-mismatch",
            f"The {digest.label} digest does not match the file as it arrived; upload it again",
        )


def _hash_of(staged: StagedFile, digest: _Digest) -> str:
    running = digest.new()
    with translated_disk_errors():
        staged.handle.seek(0)
        while chunk := staged.handle.read(_HASH_CHUNK_BYTES):
            running.update(chunk)
    return running.hexdigest()


def _shown(text: str | None) -> str:
    return repr((text or "")[:40])


def _without_repeats(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The same fact can come from the form and from the file name; the reader needs it once."""
    return tuple(dict.fromkeys(problems))
