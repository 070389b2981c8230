"""The files by which a wheel describes itself, each held against the specification."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.message import Message
from typing import BinaryIO

from pypiserve.core.data_directory import data_problems
from pypiserve.core.entry_points import MAX_ENTRY_POINTS_BYTES, check_entry_points
from pypiserve.core.errors import InvalidUpload, Problem
from pypiserve.core.filenames import DistributionFilename
from pypiserve.core.wheel_file import MAX_WHEEL_FILE_BYTES, check_wheel_file, wheel_file_warnings
from pypiserve.core.wheel_record import MAX_RECORD_BYTES, WheelRecord
from pypiserve.core.zip_directory import read_member
from pypiserve.core.zip_member import ZipMember

__all__ = ["WheelContents"]


class WheelContents:
    """
    What stands in the ``.dist-info`` and ``.data`` directories of a wheel.

    Args:
        file: The wheel.
        members: Its members.
        directory: Name of its ``.dist-info`` directory.
        name: What its file name says.
    """

    def __init__(
        self, file: BinaryIO, members: Sequence[ZipMember], directory: str, name: DistributionFilename
    ) -> None:
        self._file = file
        self._members = {member.name: member for member in members}
        self._directory = directory
        self._name = name
        self._wheel: Message | None = None

    def problems(self) -> Iterator[Problem]:
        """Find what makes installing dangerous: commands and files that would be written elsewhere."""
        try:
            content = self._read("entry_points.txt", max_bytes=MAX_ENTRY_POINTS_BYTES)
        except InvalidUpload as error:
            yield from error.problems
        else:
            yield from check_entry_points(content) if content is not None else ()
        yield from data_problems(self._members, self._directory.removesuffix(".dist-info"))

    def statement_problems(self) -> Iterator[Problem]:
        """Find what is wrong with WHEEL."""
        try:
            content = self._read("WHEEL", max_bytes=MAX_WHEEL_FILE_BYTES)
            if content is None:
                yield Problem("invalid-wheel-file", f"the wheel has no {self._directory}/WHEEL; build it again")
            else:
                self._wheel = check_wheel_file(content)
        except InvalidUpload as error:
            yield from error.problems

    def warnings(self) -> Iterator[Problem]:
        """Warn where WHEEL and the file name differ; ``statement_problems`` reads it."""
        if self._wheel is not None:
            yield from wheel_file_warnings(self._wheel, self._name)

    def record(self) -> WheelRecord:
        """
        Read RECORD.

        Raises:
            InvalidUpload: ``record-missing``, ``invalid-record``, or it is damaged or too large.
        """
        path = f"{self._directory}/RECORD"
        content = self._read("RECORD", max_bytes=MAX_RECORD_BYTES)
        if content is None:
            raise InvalidUpload.because(
                "record-missing", f"the wheel has no {path}, the list of its files; build it again"
            )
        return WheelRecord(content, path)

    def _read(self, file: str, *, max_bytes: int) -> bytes | None:
        member = self._members.get(f"{self._directory}/{file}")
        return None if member is None else read_member(self._file, member, max_bytes=max_bytes)
