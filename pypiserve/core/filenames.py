"""
File names of distributions: what they say, and which ones are refused.

Spec: Binary distribution format (PEP 427), Source distribution format (PEP 625, and the spellings before it).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from pypiserve.core.errors import InvalidUpload, Problem
from pypiserve.core.index_rules import Validation
from pypiserve.core.names import NormalizedName, normalise

__all__ = ["MAX_FILENAME_LENGTH", "DistributionFilename", "FileKind", "nonstandard_filename", "parse_filename"]

MAX_FILENAME_LENGTH = 240
"""Longest file name accepted; file systems end at 255, and ``.metadata`` is appended to it."""

_SDIST_SUFFIXES = (".tar.gz", ".zip")
_PERMITTED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*\Z")
_WHEEL_PATTERN = "{name}-{version}-{python}-{abi}-{platform}.whl, such as demo-1.0-py3-none-any.whl"
_SDIST_PATTERN = "{name}-{version}.tar.gz, such as demo-1.0.tar.gz"


class FileKind(enum.StrEnum):
    """Kinds of distribution files; the values are those of the upload form's ``filetype``."""

    SDIST = "sdist"
    WHEEL = "bdist_wheel"


@dataclass(frozen=True)
class DistributionFilename:
    """
    What a file name says.

    Attributes:
        filename: As written: ASCII letters, digits and ``._+!-``, at most 240 of them.
        project: The normalised name of the project.
        version: The version.
        kind: Wheel or sdist.
        python_tag: ``py3``, ``cp312``, ``py2.py3`` of a wheel; ``source`` for an sdist.
    """

    filename: str
    project: NormalizedName
    version: Version
    kind: FileKind
    python_tag: str


def parse_filename(filename: str, *, validation: Validation = Validation.LENIENT) -> DistributionFilename:
    """
    Take the file name of a wheel or an sdist apart.

    Args:
        filename: What the client sent, of any length and content.
        validation: A lenient index takes the spellings from before PEP 625, and catalogs are full of them.

    Raises:
        InvalidUpload: ``invalid-filename``, or ``nonstandard-filename`` if strict, with one line that says how to
            mend it.
    """
    _check_characters(filename)
    name = _parse(filename)
    problems = nonstandard_filename(name) if validation is Validation.STRICT else ()
    if problems:
        raise InvalidUpload(*problems)
    return name


def nonstandard_filename(name: DistributionFilename) -> tuple[Problem, ...]:
    """
    Hold a file name against the one spelling that the specifications leave.

    Returns:
        At most one problem, with the code ``nonstandard-filename``, that tells the right name.

    Spec: PEP 625; Binary distribution format, "File name convention" and "Escaping and Unicode".
    """
    right = f"{name.project.replace('-', '_')}-{name.version}"
    if name.kind is FileKind.WHEEL:
        # Build tag and compatibility tags are as their builder wants them.
        right += "-" + name.filename.split("-", 2)[2]
    else:
        right += _SDIST_SUFFIXES[0]
    if right == name.filename:
        return ()
    remedy = "build it with a current tool"
    return (Problem("nonstandard-filename", f"the file name {name.filename!a} should be {right!a}; {remedy}"),)


def _parse(filename: str) -> DistributionFilename:
    if filename.endswith(".whl"):
        return _parse_wheel(filename)
    if filename.endswith(_SDIST_SUFFIXES):
        return _parse_sdist(filename)
    raise _refused(filename, "only .whl, .tar.gz and .zip files are accepted; build a wheel or an sdist")


def _check_characters(filename: str) -> None:
    if len(filename) > MAX_FILENAME_LENGTH:
        raise _refused(filename[:40] + "...", f"it is longer than {MAX_FILENAME_LENGTH} characters; shorten it")
    if not filename:
        raise _refused(filename, "it is empty; send the file's own name")
    if "/" in filename or "\\" in filename:
        raise _refused(filename, "it contains a path; send the file's own name only")
    if filename.startswith("."):
        raise _refused(filename, "it begins with a dot; begin with the project's name")
    if _PERMITTED.match(filename) is None:
        raise _refused(
            filename, "it may have ASCII letters, digits and . _ + ! - only, and begins with one of the former"
        )


def _parse_wheel(filename: str) -> DistributionFilename:
    parts = filename.removesuffix(".whl").split("-")
    try:
        _, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise _refused(filename, f"a wheel is called {_WHEEL_PATTERN}") from error
    # packaging lets them through, the former before 26.3.
    if not all(parts) or not all(".".join(parts[-3:]).split(".")):
        raise _refused(filename, f"a part of it is empty; a wheel is called {_WHEEL_PATTERN}")
    return DistributionFilename(filename, _project(filename, parts[0]), version, FileKind.WHEEL, parts[-3])


def _parse_sdist(filename: str) -> DistributionFilename:
    suffix = next(suffix for suffix in _SDIST_SUFFIXES if filename.endswith(suffix))
    try:
        _, version = parse_sdist_filename(filename)
    except InvalidSdistFilename as error:
        raise _refused(filename, f"an sdist is called {_SDIST_PATTERN}") from error
    # packaging normalises whatever stands before the last hyphen without looking at it.
    written, _, _ = filename.removesuffix(suffix).rpartition("-")
    return DistributionFilename(filename, _project(filename, written), version, FileKind.SDIST, "source")


def _project(filename: str, written: str) -> NormalizedName:
    try:
        return normalise(written)
    except ValueError as error:
        raise _refused(filename, f"{written!a} is no project name; {error}") from error


def _refused(filename: str, reason: str) -> InvalidUpload:
    return InvalidUpload.because("invalid-filename", f"the file name {filename!a} is refused: {reason}")
