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
from typing import Protocol

from pypiserve.core.archives import ArchiveReport
from pypiserve.core.core_metadata import CoreMetadata, form_disagreements
from pypiserve.core.digests import Sha256, as_sha256
from pypiserve.core.errors import InvalidUpload, Problem
from pypiserve.core.file_checks import EMPTY_FILE, check_file
from pypiserve.core.filenames import DistributionFilename, nonstandard_filename, parse_filename
from pypiserve.core.findings import Findings
from pypiserve.core.form_checks import field_of, form_problems, hint_problems
from pypiserve.core.index_rules import Validation
from pypiserve.core.names import is_project_name, normalise
from pypiserve.core.versions import parse_version, same_version, version_key
from pypiserve.services.staging import StagedFile, translated_disk_errors

__all__ = ["Examined", "Form", "Upload", "check_form", "examine"]

_SHA256 = "sha256_digest"
_BLAKE2 = "blake2_256_digest"
_MD5 = "md5_digest"


@dataclass(frozen=True)
class Form:
    """
    What is said of an upload.

    Attributes:
        fields: The form: field name to values, in order; ``content`` is not among them.
        filename: File name of the ``content`` part.
    """

    fields: Mapping[str, Sequence[str]]
    filename: str

    def field(self, name: str) -> str | None:
        """Return a field's only or first value; a field that is empty counts as absent."""
        return field_of(self.fields, name)

    @property
    def sha256(self) -> Sha256 | None:
        """The digest that the client computed, if it says so."""
        text = (self.field(_SHA256) or "").lower()
        return as_sha256(text) if _is_hex(text, 64) else None


@dataclass(frozen=True)
class Upload(Form):
    """
    One upload as it was received.

    Attributes:
        staged: The bytes of the ``content`` part.
    """

    staged: StagedFile


@dataclass(frozen=True)
class Examined:
    """
    What a good upload turned out to be.

    Attributes:
        filename: What its name says.
        metadata: Its core metadata.
        archive: What it holds.
        version_key: The key of its version in the catalog.
        md5: Digest of the file, 32 lowercase hex digits.
        blake2b_256: Digest of the file, 64 lowercase hex digits.
        warnings: What is not quite right, and not refused.
    """

    filename: DistributionFilename
    metadata: CoreMetadata
    archive: ArchiveReport
    version_key: str
    md5: str
    blake2b_256: str
    warnings: tuple[Problem, ...] = ()


def check_form(form: Form, *, validation: Validation = Validation.STRICT) -> DistributionFilename:
    """
    Check what a form says before its file has come; fields that come behind the file are not there yet.

    Args:
        form: The fields so far, and the file name.
        validation: Of the index that it is for.

    Raises:
        InvalidUpload: With every problem that can be told without the file.
    """
    _check_action(form)
    findings = Findings()
    findings.refuse([*form_problems(form.fields), *_digest_form_problems(form)])
    filename = findings.attempt(lambda: parse_filename(form.filename))
    if filename is None:
        raise InvalidUpload(*findings.problems)
    findings.refuse(hint_problems(form.fields, filename, validation=validation))
    if validation is Validation.STRICT:
        findings.refuse(nonstandard_filename(filename))
    findings.refuse(_filename_problems(form, filename))
    findings.raise_problems()
    return filename


def examine(upload: Upload, *, validation: Validation = Validation.STRICT) -> Examined:
    """
    Check an upload. Blocks: call it in a thread.

    Args:
        upload: The form and the staged file.
        validation: Of the index that it is for.

    Raises:
        InvalidUpload: With every problem that was found.
        StorageUnavailable: The staged file cannot be read.
    """
    # Whatever else may be wrong with a request for something else, or with nothing, would only be in the way.
    _check_action(upload)
    if upload.staged.size_bytes == 0:
        raise InvalidUpload(EMPTY_FILE)
    digests = _digests_of(upload.staged)
    problems = [*form_problems(upload.fields), *_digest_problems(upload, digests)]
    with translated_disk_errors():
        report = check_file(upload.staged.handle, upload.filename, validation=validation)
    if report.filename is not None:
        problems += hint_problems(upload.fields, report.filename, validation=validation)
    problems += report.problems
    if report.metadata is not None:
        problems += form_disagreements(report.metadata, name=upload.field("name"), version=upload.field("version"))
    if problems or report.filename is None or report.archive is None or report.metadata is None:
        raise InvalidUpload(*_without_repeats(problems))
    return Examined(
        report.filename,
        report.metadata,
        report.archive,
        version_key(parse_version(report.metadata.version)),
        md5=digests[_MD5],
        blake2b_256=digests[_BLAKE2],
        warnings=report.warnings,
    )


def _check_action(form: Form) -> None:
    action = form.field(":action")
    if action not in {None, "file_upload"}:
        raise InvalidUpload.because(
            "unknown-action", f"This index takes :action=file_upload only, not {_shown(action)}"
        )


def _filename_problems(form: Form, filename: DistributionFilename) -> Iterator[Problem]:
    name, version = form.field("name"), form.field("version")
    if name is not None and not (is_project_name(name) and normalise(name) == filename.project):
        yield _unlike_filename("name-mismatch", name, filename)
    if version is not None and not same_version(version, str(filename.version)):
        yield _unlike_filename("version-mismatch", version, filename)


def _unlike_filename(code: str, text: str, filename: DistributionFilename) -> Problem:
    said = f"the form says {_shown(text)} but the file name says {filename.project} {filename.version}"
    return Problem(code, f"{said}; send what the file says")


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
    _Digest(_BLAKE2, "BLAKE2-256", 64, lambda: hashlib.blake2b(digest_size=32)),
    _Digest(_MD5, "MD5", 32, lambda: hashlib.md5(usedforsecurity=False)),
)


def _digest_problems(upload: Upload, computed: Mapping[str, str]) -> Iterator[Problem]:
    given = {digest: upload.field(digest.field) for digest in _DIGESTS}
    if not any(given.values()):
        yield Problem(
            "missing-digest", "No digest was sent; send sha256_digest, blake2_256_digest or md5_digest with the file"
        )
    for digest, text in given.items():
        if text is not None:
            yield from _verified(digest, text.lower(), computed=computed[digest.field])


def _digest_form_problems(form: Form) -> Iterator[Problem]:
    for digest in _DIGESTS:
        text = form.field(digest.field)
        if text is not None:
            yield from _malformed(digest, text.lower())


def _malformed(digest: _Digest, text: str) -> Iterator[Problem]:
    if not _is_hex(text, digest.hex_digits):
        yield Problem("invalid-digest", f"{digest.field} must be {digest.hex_digits} hex digits")


def _is_hex(text: str, digits: int) -> bool:
    return re.fullmatch(rf"[0-9a-f]{{{digits}}}", text) is not None


def _verified(digest: _Digest, text: str, *, computed: str) -> Iterator[Problem]:
    if malformed := [*_malformed(digest, text)]:
        yield from malformed
        return
    if not hmac.compare_digest(computed, text):
        yield Problem(
            "digest-mismatch",
            f"The {digest.label} digest does not match the file as it arrived; upload it again",
        )


def _digests_of(staged: StagedFile) -> dict[str, str]:
    digests = staged.digests
    return {_SHA256: digests.sha256, _BLAKE2: digests.blake2b_256, _MD5: digests.md5}


def _shown(text: str | None) -> str:
    return repr((text or "")[:40])


def _without_repeats(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The same fact can come from the form and from the file name; the reader needs it once."""
    return tuple(dict.fromkeys(problems))
