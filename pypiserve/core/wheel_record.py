"""
RECORD: the list of everything in a wheel, with digests.

Spec: Recording installed projects, "The RECORD file"; Binary distribution format, "Signed wheel files"; PEP 376, 427.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from pypiserve.core.archive_parts import shown
from pypiserve.core.errors import InvalidUpload, Problem

__all__ = ["ALGORITHMS", "MAX_RECORD_BYTES", "RecordLine", "WheelRecord"]

ALGORITHMS = ("sha256", "sha384", "sha512")
"""The digests that may stand in RECORD: SHA-256 or better."""

MAX_RECORD_BYTES = 32 * 1024 * 1024

_MAX_LINES = 100_010  # as many as an archive may have members, and some; lines take far more memory than text
_SHOWN = 5
_REMEDY = "build it again"


class RecordLine(NamedTuple):
    """
    What RECORD says of one file.

    Attributes:
        algorithm: One of ``ALGORITHMS``; empty where the line has no digest that counts.
        digest: The raw digest.
        size_bytes: ``None`` where the line has no size.
    """

    algorithm: str = ""
    digest: bytes = b""
    size_bytes: int | None = None


class WheelRecord:
    """
    A RECORD as it was read, to be held against the files.

    Args:
        content: The file, bounded by ``MAX_RECORD_BYTES``.
        path: Its own path in the wheel, ``{name}-{version}.dist-info/RECORD``.

    Raises:
        InvalidUpload: ``invalid-record``: it is not the CSV that it should be.
    """

    def __init__(self, content: bytes, path: str) -> None:
        self._exempt = {path, f"{path}.jws", f"{path}.p7s"}
        self._path = path
        self._own: list[str] = []
        self._repeated: list[str] = []
        self._weak: list[str] = []
        self.lines: Mapping[str, RecordLine] = self._read(content)

    def algorithm_for(self, path: str) -> str:
        """Return the name of the digest that the file is to be compared by, empty for none."""
        line = self.lines.get(path)
        return line.algorithm if line is not None else ""

    def problems(self, sizes: Mapping[str, int], digests: Mapping[str, bytes]) -> Iterator[Problem]:
        """
        Compare with what the wheel has.

        Args:
            sizes: Every file of the wheel with its size in bytes.
            digests: The digests of the files, by the algorithm that their lines name.
        """
        unlisted = [path for path in sizes if path not in self.lines and path not in self._exempt]
        absent = [path for path in self.lines if path not in sizes and path not in self._exempt]
        wrong = [path for path, size in sizes.items() if self._is_wrong(path, size, digests.get(path))]
        yield from _problem("record-incomplete", "does not list", unlisted)
        yield from _problem("record-incomplete", "has no digest of SHA-256 or better for", self._weak)
        yield from _problem("record-mismatch", "lists what the wheel does not have:", absent)
        yield from _problem("record-mismatch", "lists twice", self._repeated)
        yield from _problem("record-mismatch", "has a digest or size of itself, where there can be none:", self._own)
        yield from _problem("record-mismatch", "gives another digest or size than that of", wrong)

    def _is_wrong(self, path: str, size_bytes: int, digest: bytes | None) -> bool:
        line = self.lines.get(path)
        if line is None:
            return False
        if line.size_bytes not in {None, size_bytes}:
            return True
        # No digest: the file itself could not be read, and that is told already.
        return bool(line.algorithm) and digest is not None and digest != line.digest

    def _read(self, content: bytes) -> dict[str, RecordLine]:
        lines: dict[str, RecordLine] = {}
        try:
            text = content.decode("utf-8")
            for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True)):
                if number >= _MAX_LINES:
                    raise _unreadable(f"it has more than {_MAX_LINES} lines")
                if row:
                    self._note(lines, row)
        except (UnicodeDecodeError, csv.Error) as error:
            raise _unreadable("it is not CSV in UTF-8") from error
        return lines

    def _note(self, lines: dict[str, RecordLine], row: list[str]) -> None:
        if len(row) != 3:  # noqa: PLR2004 - path, digest, size
            raise _unreadable(f"the line of {shown(row[0])} has not three fields")
        path, digest, size = row
        if path in lines:
            self._repeated.append(path)
        if path in self._exempt:
            lines[path] = RecordLine()
            if path == self._path and (digest or size):
                self._own.append(path)
            return
        line = _line(digest, size, path)
        if not line.algorithm:
            self._weak.append(path)
        lines[path] = line


def _line(digest: str, size: str, path: str) -> RecordLine:
    algorithm, equals, text = digest.partition("=")
    if size and not (size.isascii() and size.isdigit() and len(size) <= 18):  # noqa: PLR2004 - larger than any file
        raise _unreadable(f"the size of {shown(path)} is no number")
    size_bytes = int(size) if size else None
    if not equals or algorithm not in ALGORITHMS:
        return RecordLine(size_bytes=size_bytes)
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unreadable(f"the digest of {shown(path)} is not in base64 for URLs") from error
    return RecordLine(algorithm, raw, size_bytes)


def _problem(code: str, what: str, paths: Collection[str]) -> Iterator[Problem]:
    if paths:
        some = ", ".join(shown(path) for path in list(paths)[:_SHOWN])
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        yield Problem(code, f"RECORD {what} {some}{more}; {_REMEDY}")


def _unreadable(reason: str) -> InvalidUpload:
    return InvalidUpload.because("invalid-record", f"RECORD cannot be read: {reason}; {_REMEDY}")
