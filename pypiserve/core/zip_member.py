"""One member of a zip archive, as the directory at its end describes it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DATA_DESCRIPTOR", "DEFLATED", "STORED", "ZipMember"]

STORED, DEFLATED = 0, 8
DATA_DESCRIPTOR = 1 << 3
"""Flag: the sums of the member stand behind it."""


class ZipMember(NamedTuple):
    """One entry of the central directory; sizes in bytes."""

    name: str
    flags: int
    method: int
    crc32: int
    packed_bytes: int
    size_bytes: int
    header_offset: int
    data_end: int
    is_link: bool
    has_comment: bool = False

    @property
    def is_directory(self) -> bool:
        """Whether it stands for a folder."""
        return self.name.endswith("/")
