"""One member of a zip archive, as the directory at its end describes it."""

from __future__ import annotations

from typing import NamedTuple

from pypiserve.core.archive_parts import broken

__all__ = ["DATA_DESCRIPTOR", "DEFLATED", "STORED", "ZipMember", "check_version"]

_MAX_VERSION = 63

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


def check_version(needed: int) -> None:
    """
    Refuse members that need a newer reader than there are; the high byte has no meaning, and some writers fill it.

    Spec: APPNOTE.TXT 6.3.10, section 4.4.3.

    Raises:
        InvalidUpload: ``invalid-archive``.
    """
    if needed & 0xFF > _MAX_VERSION:
        raise broken("zip", "a member needs a later version of zip than 6.3")
