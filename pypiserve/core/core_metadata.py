"""
Core metadata: parsing METADATA and PKG-INFO, and holding them against what else was said about the file.

pkginfo reads the values and packaging judges them. Both get text that was decoded and bounded here, since neither
bounds its work.

Spec: Core metadata specifications 1.0 to 2.6 (PEP 241, 314, 345, 566, 643, 685, 639, 794, 808), and 2.0, which was
never accepted but is in most wheels from 2013 to 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pkginfo import Distribution
from pkginfo.distribution import HEADER_ATTRS, MAX_METADATA_VERSION_STR

from pypiserve.core.archive_parts import shown
from pypiserve.core.errors import InvalidUpload, Problem
from pypiserve.core.filenames import DistributionFilename
from pypiserve.core.index_rules import Validation
from pypiserve.core.metadata_checks import check_fields
from pypiserve.core.metadata_fields import UNKNOWN, decode, invalid, read_fields, split
from pypiserve.core.names import normalise
from pypiserve.core.versions import parse_version

__all__ = ["CoreMetadata", "filename_disagreements", "form_disagreements", "parse_core_metadata"]


@dataclass(frozen=True)
class CoreMetadata:
    """
    The core metadata of one distribution file.

    Attributes:
        name: Name of the project as written; valid.
        version: As written; valid.
        metadata_version: One of 1.0, 1.1, 1.2 and 2.0 to 2.6.
        requires_python: Version specifiers as written, or ``None``; valid.
        summary: As written, or ``None``.
        fields: All values of each field in their order, under its lowercase name; the text of the file's body is
            the value of ``description``. Empty values, and ``UNKNOWN``, which old tools wrote for them, are left out.
    """

    name: str
    version: str
    metadata_version: str
    requires_python: str | None
    summary: str | None
    fields: Mapping[str, tuple[str, ...]]


def parse_core_metadata(content: bytes, *, validation: Validation = Validation.STRICT) -> CoreMetadata:
    """
    Parse and validate core metadata. Unknown fields and any classifiers are fine.

    Args:
        content: METADATA or PKG-INFO, already bounded in size.
        validation: If lenient, only name, version and Requires-Python must be valid.

    Raises:
        InvalidUpload: One ``invalid-metadata`` for each problem.
    """
    head, body = split(decode(content))
    fields = read_fields(head)
    problems = check_fields(fields, head, validation=validation)
    if problems:
        raise InvalidUpload(*problems)
    return _described(fields, _parse_with_pkginfo(head, fields["metadata-version"][0]), body)


def _described(fields: dict[str, tuple[str, ...]], distribution: Distribution, body: str) -> CoreMetadata:
    # The checks saw one name and one version; pkginfo reads headers with a parser of its own.
    if (distribution.name, distribution.version) != (fields["name"][0], fields["version"][0]):
        raise InvalidUpload(
            invalid("name", "it, or the version, is read in two ways; write both plainly, in the first lines")
        )
    read = fields | {"description": (body or distribution.description or "",)}
    said = {field: tuple(value for value in values if value not in {"", UNKNOWN}) for field, values in read.items()}
    present = {field: values for field, values in said.items() if values}
    return CoreMetadata(
        name=fields["name"][0],
        version=fields["version"][0],
        metadata_version=fields["metadata-version"][0],
        # pkginfo has this field from 1.2 on only; pip obeys it in all versions.
        requires_python=" ".join(present.get("requires-python", ("",))[0].split()) or None,
        summary=distribution.summary or None,
        fields=MappingProxyType(present),
    )


def form_disagreements(metadata: CoreMetadata, *, name: str | None, version: str | None) -> tuple[Problem, ...]:
    """
    Hold the fields of an upload form against the metadata; fields that were not sent agree.

    Returns:
        Problems with the codes ``name-mismatch`` and ``version-mismatch``.
    """
    problems = []
    if name is not None and not _is_name(name, metadata):
        problems.append(_mismatch("name-mismatch", f"the form says {shown(name)}", metadata.name))
    if version is not None and not _is_version(version, metadata):
        problems.append(_mismatch("version-mismatch", f"the form says {shown(version)}", metadata.version))
    return tuple(problems)


def filename_disagreements(metadata: CoreMetadata, filename: DistributionFilename) -> tuple[Problem, ...]:
    """
    Hold a file name against the metadata in the file.

    Returns:
        Problems with the codes ``name-mismatch`` and ``version-mismatch``.
    """
    stated = f"the file name says {filename.project} {filename.version}"
    found = f"{metadata.name} {metadata.version}"
    problems = []
    if normalise(metadata.name) != filename.project:
        problems.append(_mismatch("name-mismatch", stated, found))
    if parse_version(metadata.version) != filename.version:
        problems.append(_mismatch("version-mismatch", stated, found))
    return tuple(problems)


def _parse_with_pkginfo(head: str, metadata_version: str) -> Distribution:
    distribution = Distribution()
    # Stated beforehand, a version that this pkginfo does not know yet causes no warning.
    distribution.metadata_version = metadata_version if metadata_version in HEADER_ATTRS else MAX_METADATA_VERSION_STR
    distribution.parse(head.encode())
    return distribution


def _is_name(text: str, metadata: CoreMetadata) -> bool:
    try:
        return normalise(text) == normalise(metadata.name)
    except ValueError:
        return False


def _is_version(text: str, metadata: CoreMetadata) -> bool:
    try:
        return parse_version(text) == parse_version(metadata.version)
    except InvalidUpload:
        return False


def _mismatch(code: str, stated: str, found: str) -> Problem:
    remedy = "rebuild the file or correct its name" if "file name" in stated else "send what the file says"
    return Problem(code, f"{stated} but its metadata says {found}; {remedy}")
