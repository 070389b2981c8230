"""The addresses of an index, as root-relative paths. They never change, and lock files rely on that."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from packaging.utils import NormalizedName

__all__ = ["Addresses"]


@dataclass(frozen=True)
class Addresses:
    """
    Builds links, all root-relative and percent-encoded, without query.

    Attributes:
        prefix: Path under which a reverse proxy serves this server, without trailing slash; mostly empty.
    """

    prefix: str = ""

    def base(self, owner: str, index: str) -> str:
        """Return the address of one index, without trailing slash; files are published there."""
        return f"{self.prefix}/api/packages/{_quoted(owner)}/{_quoted(index)}"

    def project_list(self, owner: str, index: str) -> str:
        """Return the address of the project list: what installers take as index URL."""
        return f"{self.base(owner, index)}/simple/"

    def project(self, owner: str, index: str, project: NormalizedName) -> str:
        """Return the address of a project's page."""
        return f"{self.base(owner, index)}/simple/{project}/"

    def file(self, owner: str, index: str, project: NormalizedName, *, version: str, filename: str) -> str:
        """Return the address of a file; its core metadata are at this plus ``.metadata``."""
        return f"{self.base(owner, index)}/files/{project}/{_quoted(version)}/{_quoted(filename)}"

    def mirrored_file(self, owner: str, index: str, project: NormalizedName, *, version: str, filename: str) -> str:
        """Return the second address of a file: bandersnatch takes only links whose path begins with ``/packages``."""
        names = (owner, index, project, version, filename)
        return f"{self.prefix}/packages/{'/'.join(map(_quoted, names))}"


def _quoted(segment: str) -> str:
    return quote(segment, safe="")
