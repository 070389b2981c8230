"""
The renderer ``json``: pages in the JSON form of the simple repository API.

Spec: PEP 691, 700, 714, 792.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, UnsetType, field

from pypiserve.core.digests import Sha256
from pypiserve.core.model import API_VERSION, ProjectDetail, ProjectFile, ProjectList, ProjectStatus
from pypiserve.plugin import Renderer, hookimpl

__all__ = ["API_REVISION", "JsonRenderer", "pypiserve_renderers"]

API_REVISION = 1


class _Meta(msgspec.Struct, gc=False):
    last_serial: int = field(name="_last-serial")
    api_version: str = field(name="api-version", default=API_VERSION)


class _Hashes(msgspec.Struct, gc=False):
    sha256: Sha256


class _File(msgspec.Struct, gc=False):
    """
    One file. A key without a value is left out rather than ``null``: uv refuses a whole page for some of those.

    ``core-metadata`` has one alias, the key that PyPI writes, which PDM and early uv read. The alias of PEP 658,
    ``dist-info-metadata``, is left out: pip 22.3 to 23.1 take it for text and crash on the object (PEP 714).
    """

    filename: str
    url: str
    hashes: _Hashes
    size: int
    upload_time: datetime = field(name="upload-time")
    yanked: bool | str
    requires_python: str | UnsetType = field(name="requires-python", default=UNSET)
    core_metadata: _Hashes | UnsetType = field(name="core-metadata", default=UNSET)
    pypi_metadata: _Hashes | UnsetType = field(name="data-dist-info-metadata", default=UNSET)


class _Status(msgspec.Struct, gc=False):
    status: ProjectStatus
    reason: str | UnsetType = UNSET


class _Detail(msgspec.Struct, gc=False):
    meta: _Meta
    name: str
    project_status: _Status = field(name="project-status")
    versions: Sequence[str]
    files: list[_File]


class _ListedProject(msgspec.Struct, gc=False):
    name: str
    last_serial: int = field(name="_last-serial")


class _List(msgspec.Struct, gc=False):
    meta: _Meta
    projects: list[_ListedProject]


class JsonRenderer:
    """Writes pages as ``application/vnd.pypi.simple.v1+json``."""

    name = "json"
    # Exactly this: uv, pip and PDM refuse other labels, and uv even blanks and other letter cases.
    media_type = "application/vnd.pypi.simple.v1+json"
    accepts: Sequence[str] = ("application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.latest+json")

    def render_project_list(self, projects: ProjectList) -> bytes:
        """Write the project list, with the serial of each project, which bandersnatch asks for."""
        listed = [_ListedProject(project.name, project.last_serial) for project in projects.projects]
        return msgspec.json.encode(_List(_Meta(projects.last_serial), listed)) + b"\n"

    def render_project_detail(self, project: ProjectDetail) -> bytes:
        """Write the page of one project."""
        page = _Detail(
            meta=_Meta(project.last_serial),
            name=project.name,
            project_status=_Status(project.status, project.status_reason or UNSET),
            versions=project.versions,
            files=[_file(file) for file in project.files],
        )
        return msgspec.json.encode(page) + b"\n"


def _file(file: ProjectFile) -> _File:
    metadata = UNSET if file.core_metadata_sha256 is None else _Hashes(file.core_metadata_sha256)
    return _File(
        file.filename,
        file.url,
        _Hashes(file.sha256),
        file.size_bytes,
        file.uploaded_at.astimezone(UTC),
        # An empty reason reads as "not yanked" in pip and PDM.
        file.yanked and (file.yanked_reason or True),
        file.requires_python or UNSET,
        metadata,
        metadata,
    )


@hookimpl
def pypiserve_renderers() -> Iterable[Renderer]:
    """Yield the renderer ``json``."""
    return [JsonRenderer()]
