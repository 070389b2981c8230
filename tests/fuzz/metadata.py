"""Core metadata: METADATA and PKG-INFO."""

from __future__ import annotations

import io
import zipfile

from test_hostile_sdists import GOOD_METADATA
from text_cases import METADATA_CASES

from pypiserve.core.core_metadata import CoreMetadata, filename_disagreements, parse_core_metadata
from pypiserve.core.errors import InvalidUpload
from pypiserve.core.file_checks import check_file
from pypiserve.core.filenames import parse_filename
from pypiserve.core.index_rules import Validation
from pypiserve.core.metadata_values import value_warnings
from pypiserve.testing import a_wheel

__all__ = ["seeds", "test"]

_FILENAME = parse_filename("demo-1.0.tar.gz")


def test(data: bytes) -> None:
    """There is metadata or a refusal in sentences, and what a strict index takes a lenient one reads alike."""
    strict = _parse(data, Validation.STRICT)
    lenient = _parse(data, Validation.LENIENT)
    assert strict is None or strict == lenient, f"{strict} if strict, {lenient} if lenient"


def _parse(data: bytes, validation: Validation) -> CoreMetadata | None:
    try:
        metadata = parse_core_metadata(data, validation=validation)
        told = filename_disagreements(metadata, _FILENAME)
        if validation is Validation.STRICT:
            told += tuple(value_warnings(metadata.fields, metadata.metadata_version))
    except InvalidUpload as error:
        metadata, told = None, error.problems
        assert told, "refused without a problem"
    for problem in told:
        assert problem.message.isprintable(), problem.message
        assert 10 < len(problem.message) < 600, problem.message
    return metadata


def seeds() -> list[bytes]:
    """Return the metadata of the hostile corpus, and of its good twins."""
    built = [a_wheel(metadata=fields).content for fields in GOOD_METADATA]
    built += [case.content() for case in METADATA_CASES]
    return [_metadata_of(content) for content in built]


def _metadata_of(content: bytes) -> bytes:
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as members:
            return members.read("demo-1.0.dist-info/METADATA")
    report = check_file(io.BytesIO(content), "demo-1.0.tar.gz", validation=Validation.LENIENT)
    return report.archive.metadata.content if report.archive else b""
