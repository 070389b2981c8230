"""
WHEEL: what a wheel says about itself.

Spec: Binary distribution format, "File contents" (PyPA specifications), PEP 427.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser

from packaging.tags import parse_tag

from pypiserve.core.archive_parts import shown
from pypiserve.core.errors import InvalidUpload, Problem
from pypiserve.core.filenames import DistributionFilename

__all__ = ["MAX_WHEEL_FILE_BYTES", "check_wheel_file", "wheel_file_warnings"]

MAX_WHEEL_FILE_BYTES = 64 * 1024
"""Each tag has a line; real files stay far below. Junk of 1 MiB would take seconds to parse."""

_MAX_TAGS = 10_000
_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\Z")
_KNOWN = (1, 0)


def check_wheel_file(content: bytes) -> Message:
    """
    Check the fields without which installers refuse a wheel.

    Args:
        content: The file, bounded by ``MAX_WHEEL_FILE_BYTES``.

    Returns:
        The fields.

    Raises:
        InvalidUpload: ``invalid-wheel-file`` or ``unsupported-wheel-version``.
    """
    try:
        fields = HeaderParser().parsestr(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _invalid("it is not UTF-8") from error
    problems = [*_version_problems(fields), *_purelib_problems(fields), *_tag_problems(fields)]
    if problems:
        raise InvalidUpload(*problems)
    return fields


def wheel_file_warnings(fields: Message, name: DistributionFilename) -> Iterator[Problem]:
    """Warn where WHEEL and the file name differ: installers go by the file name."""
    stated = _version(fields)
    if stated is not None and stated > _KNOWN:
        yield Problem(
            "newer-wheel-version", f"WHEEL says Wheel-Version {stated[0]}.{stated[1]}; installers warn of it"
        )
    tags = {str(tag) for text in _all(fields, "Tag") for tag in parse_tag(text)}
    named = {str(tag) for tag in parse_tag("-".join(name.filename.removesuffix(".whl").split("-")[-3:]))}
    if tags != named:
        yield Problem("tag-mismatch", "the tags in WHEEL are not those of the file name, by which installers go")
    parts = name.filename.removesuffix(".whl").split("-")
    build = parts[2] if len(parts) == 6 else ""  # noqa: PLR2004 - the parts of a name with a build tag
    if _first(fields, "Build") != build:
        yield Problem("build-mismatch", "the build number in WHEEL is not that of the file name")


def _version(fields: Message) -> tuple[int, int] | None:
    match = _VERSION.match(_first(fields, "Wheel-Version"))
    return (int(match[1]), int(match[2])) if match else None


def _version_problems(fields: Message) -> Iterator[Problem]:
    stated = _version(fields)
    if stated is None:
        yield from _invalid("Wheel-Version is missing, or no version").problems
    elif stated[0] != _KNOWN[0]:
        yield Problem(
            "unsupported-wheel-version",
            f"WHEEL says Wheel-Version {stated[0]}.{stated[1]}, and installers know version 1; "
            "build it with a tool that writes version 1.0",
        )


def _purelib_problems(fields: Message) -> Iterator[Problem]:
    if _first(fields, "Root-Is-Purelib").lower() not in {"true", "false"}:
        yield from _invalid("Root-Is-Purelib is neither true nor false").problems


def _tag_problems(fields: Message) -> Iterator[Problem]:
    tags = _all(fields, "Tag")
    if not tags or sum(map(_tag_count, tags)) > _MAX_TAGS:
        yield from _invalid("it has no Tag" if not tags else f"it has more than {_MAX_TAGS} tags").problems
    wrong = next((text for text in tags if not _is_tag(text)), None)
    if wrong is not None:
        yield from _invalid(f"Tag {shown(wrong)} is not PYTHON-ABI-PLATFORM").problems


def _is_tag(text: str) -> bool:
    """Judge as packaging does from 26.3 on, which raises errors of its own; older versions take anything."""
    parts = [part.split(".") for part in text.split("-")]
    is_complete = len(parts) == 3 and len(text) <= 200 and all(map(all, parts))  # noqa: PLR2004 - python-abi-platform
    return is_complete and all(map(str.isidentifier, parts[0]))


def _tag_count(text: str) -> int:
    """Count what a compressed tag set stands for: some hundred letters can stand for a hundred thousand tags."""
    return math.prod(part.count(".") + 1 for part in text.split("-"))


def _all(fields: Message, name: str) -> list[str]:
    """Return the values of a field; some installers do not find it in other letter case."""
    return [str(value).strip() for key, value in fields.items() if key == name]


def _first(fields: Message, name: str) -> str:
    return next(iter(_all(fields, name)), "")


def _invalid(reason: str) -> InvalidUpload:
    return InvalidUpload.because("invalid-wheel-file", f"the file WHEEL is wrong: {reason}; build it again")
