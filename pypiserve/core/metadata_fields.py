"""The fields of METADATA or PKG-INFO as text, before anybody judges them; and the bounds on them."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import HeaderParser

from pypiserve.core.errors import InvalidUpload, Problem

__all__ = ["UNKNOWN", "decode", "invalid", "read_fields", "split"]

UNKNOWN = "UNKNOWN"
"""What old tools wrote where there was nothing to say."""

# Checking requirements costs up to 1 s for each MiB of them.
_MAX_HEAD_LENGTH = 1024 * 1024
# packaging goes through all headers once for each field name, so both numbers are bounded.
_MAX_HEADERS = 10_000
_MAX_FIELD_NAMES = 200
# The longest value of a field that packaging or we take apart; texts such as License are not among them.
_MAX_VALUE_LENGTH = 10_000
_TEXTS = frozenset({"author", "description", "keywords", "license", "maintainer", "summary"})
_BLANK_LINE = re.compile(r"(?:\r\n|\r(?!\n)|\n){2}")


def invalid(field: str, problem: str) -> Problem:
    """Build the problem of one field of the metadata, as one line of at most about 400 characters."""
    line = " ".join(f"core metadata field {field}: {problem}".split())
    return Problem("invalid-metadata", line if len(line) <= 400 else f"{line[:397]}...")  # noqa: PLR2004 - see above


def decode(content: bytes) -> str:
    """
    Decode core metadata.

    Raises:
        InvalidUpload: ``invalid-metadata``: not UTF-8, or with NUL characters.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(f"it is not UTF-8 (byte {error.start}); save the project's texts as UTF-8") from error
    if "\0" in text:
        raise _refused("it contains a NUL character; remove it from the project's texts")
    return text


def split(text: str) -> tuple[str, str]:
    """
    Split core metadata at its first empty line into the headers and the body.

    Parsers of mail take a body apart line by line, which for 8 MiB of line ends needs 300 MiB and more.

    Raises:
        InvalidUpload: ``invalid-metadata``: the headers are too long.
    """
    blank = _BLANK_LINE.search(text)
    end = len(text) if blank is None else blank.end()
    if end > _MAX_HEAD_LENGTH:
        raise _refused(f"its fields have more than {_MAX_HEAD_LENGTH} characters; move the description below them")
    return text[:end], text[end:]


def read_fields(head: str) -> dict[str, tuple[str, ...]]:
    """
    Read the headers.

    Args:
        head: The headers, as ``split`` returns them.

    Returns:
        All values of each field in their order, under its lowercase name, without white space around them.

    Raises:
        InvalidUpload: ``invalid-metadata``: too many or too long headers, or a MIME structure.
    """
    message = HeaderParser().parsestr(head)
    _check_structure(message)
    fields: dict[str, list[str]] = {}
    for name, value in message.items():
        fields.setdefault(name.lower(), []).append(value.strip())
    for name, values in fields.items():
        if name not in _TEXTS and any(len(value) > _MAX_VALUE_LENGTH for value in values):
            raise InvalidUpload(invalid(name, f"it is longer than {_MAX_VALUE_LENGTH} characters; shorten it"))
    return {name: tuple(values) for name, values in fields.items()}


def _check_structure(message: Message) -> None:
    if len(message) > _MAX_HEADERS or len(set(message.keys())) > _MAX_FIELD_NAMES:
        raise _refused(f"it has more than {_MAX_HEADERS} lines or {_MAX_FIELD_NAMES} different fields")
    # pkginfo would go down into the parts, and take a list of them for the description.
    if message.get_content_maintype() in {"multipart", "message"}:
        raise InvalidUpload(invalid("content-type", "core metadata is no MIME message; remove the field"))


def _refused(problem: str) -> InvalidUpload:
    return InvalidUpload.because("invalid-metadata", f"the core metadata cannot be read: {problem}")
