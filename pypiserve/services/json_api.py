"""
The legacy JSON API: a project or a release as one document.

Files that may not be seen are left out as on the pages; a project or release without any that may is not found.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from packaging.utils import NormalizedName

from pypiserve.catalog import legacy, projects
from pypiserve.catalog.database import Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.projects import FileRecord, ProjectRecord
from pypiserve.core.addresses import Addresses
from pypiserve.core.core_metadata import parse_core_metadata
from pypiserve.core.errors import InvalidUpload, NotFound, StorageUnavailable
from pypiserve.core.filenames import parse_filename
from pypiserve.core.index_rules import Validation
from pypiserve.core.legacy_info import describe
from pypiserve.core.versions import parse_version, same_version, sort_versions
from pypiserve.plugin import FileStore, ReadPolicy
from pypiserve.services.access import refusal_to_show
from pypiserve.services.listing import as_project_file
from pypiserve.services.pages import Page, make_page

__all__ = ["JsonApi", "Links", "ShownProject"]


@dataclass(frozen=True)
class Links:
    """
    How the links of a document are written.

    Attributes:
        origin: Scheme and host with which each begins: pip-tools compares them with the links of the simple page
            after it has resolved those.
        for_mirrors: Whether files have the addresses that bandersnatch takes, instead of those of the simple page.
    """

    origin: str
    for_mirrors: bool = False


@dataclass(frozen=True)
class ShownProject:
    """
    A project as its document shows it.

    Attributes:
        releases: The files of each version that may be seen, by version in the order of PEP 440; not empty.
        digests: More digests of each file, by file name.
    """

    index: IndexRecord
    project: ProjectRecord
    releases: dict[str, list[FileRecord]]
    digests: dict[str, dict[str, str]]

    @property
    def latest(self) -> str:
        """The highest final version that is not yanked, else such a pre-release, else what is yanked."""
        ranks = {
            version: (not all(file.yanked for file in files), _is_final(version), position)
            for position, (version, files) in enumerate(self.releases.items())
        }
        return max(ranks, key=ranks.__getitem__)

    def published_as(self, version: str) -> str:
        """
        Return a version as it was first published.

        Raises:
            NotFound: The project has no such release.
        """
        for known in self.releases:
            if same_version(known, version):
                return known
        raise NotFound(f"The release {version[:80]} of {self.project.name} in {self.index.path}")


class JsonApi:
    """Builds the documents from the catalog, and from the core metadata in the file store."""

    def __init__(
        self, database: Database, store: FileStore, *, addresses: Addresses, read_policies: Sequence[ReadPolicy]
    ) -> None:
        self._database = database
        self._store = store
        self._addresses = addresses
        self._read_policies = tuple(read_policies)

    async def find(self, index: IndexRecord, name: NormalizedName) -> ShownProject:
        """
        Look a project up with what may be seen of it.

        Raises:
            NotFound: The index has no such project, or nothing of it may be seen.
        """
        contents, digests = await self._database.read(
            lambda c: (projects.load_project(c, index.id, name), legacy.digests_of(c, index.id, name))
        )
        shown = [file for file in contents.files if self._is_shown(index, contents.project, file)] if contents else []
        if contents is None or not shown:
            raise NotFound(f"The project {name} in {index.path}")
        releases: dict[str, list[FileRecord]] = {
            version: [] for version in sort_versions({file.version for file in shown})
        }
        for file in sorted(shown, key=lambda file: file.filename):
            releases[file.version].append(file)
        return ShownProject(index, contents.project, releases, digests)

    async def document(self, shown: ShownProject, version: str | None, *, links: Links) -> Page:
        """
        Write the document of a release, or of a whole project with its latest release.

        Args:
            shown: The project.
            version: As published; ``None`` for the project.
            links: How they are written.

        Raises:
            StorageUnavailable: The file store does not answer.
        """
        described = version or shown.latest
        # Wheels before sdists, whose metadata may be dynamic; then by name, so that every node says the same.
        best = min(shown.releases[described], key=lambda file: (file.kind.value, file.filename))
        metadata = await self._read(best)
        return await asyncio.to_thread(self._write, shown, described, metadata, links, has_releases=version is None)

    def _write(
        self, shown: ShownProject, described: str, metadata: bytes, links: Links, *, has_releases: bool
    ) -> Page:
        files = {
            version: [self._file(shown, file, links) for file in of_release]
            for version, of_release in shown.releases.items()
            if has_releases or version == described
        }
        document: dict[str, Any] = {
            "info": self._info(shown, described, metadata, links.origin),
            "last_serial": shown.project.last_serial,
            # Who may do what is not for everybody who may read.
            "ownership": {"organization": None, "roles": []},
            "urls": files[described],
            "vulnerabilities": [],
        }
        if has_releases:
            document["releases"] = files
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        return make_page("application/json", body, shown.project.last_serial)

    def _info(self, shown: ShownProject, version: str, metadata: bytes, origin: str) -> dict[str, Any]:
        try:
            fields = dict(parse_core_metadata(metadata, validation=Validation.LENIENT).fields)
        except InvalidUpload:  # from before a check became stricter: the files are still told
            fields = {}
        files = shown.releases[version]
        index = shown.index
        page = origin + self._addresses.project(index.owner, index.name, shown.project.name)
        yanked = all(file.yanked for file in files)
        return describe(fields) | {
            "name": shown.project.display_name,
            "package_url": page,
            "project_url": page,
            "release_url": page,
            "version": version,
            "yanked": yanked,
            "yanked_reason": next((file.yanked_reason for file in files if yanked and file.yanked_reason), None),
        }

    def _file(self, shown: ShownProject, file: FileRecord, links: Links) -> dict[str, Any]:
        more = shown.digests.get(file.filename, {})
        at = file.uploaded_at.astimezone(UTC).replace(tzinfo=None)
        return {
            "comment_text": None,
            "digests": {**more, "sha256": file.sha256},
            "downloads": -1,
            "filename": file.filename,
            "has_sig": False,
            "md5_digest": more.get("md5"),
            "packagetype": file.kind.value,
            "python_version": _python_tag(file.filename),
            "requires_python": file.requires_python,
            "size": file.size_bytes,
            "upload_time": at.isoformat(timespec="seconds"),
            "upload_time_iso_8601": at.isoformat(timespec="microseconds") + "Z",
            "url": links.origin + self._path(shown.index, file, links),
            "yanked": file.yanked,
            "yanked_reason": file.yanked_reason,
        }

    def _path(self, index: IndexRecord, file: FileRecord, links: Links) -> str:
        address = self._addresses.mirrored_file if links.for_mirrors else self._addresses.file
        return address(index.owner, index.name, file.project, version=file.version, filename=file.filename)

    def _is_shown(self, index: IndexRecord, project: ProjectRecord, record: FileRecord) -> bool:
        file = as_project_file(self._addresses, index, record)
        return refusal_to_show(self._read_policies, index, project.status, project.name, file) is None

    async def _read(self, file: FileRecord) -> bytes:
        try:
            return b"".join([chunk async for chunk in self._store.open(file.core_metadata_sha256)])
        except NotFound as error:
            raise StorageUnavailable("The core metadata of this release are missing in the file store") from error


def _is_final(version: str) -> bool:
    try:
        return not parse_version(version).is_prerelease
    except InvalidUpload:
        return False


def _python_tag(filename: str) -> str:
    try:
        return parse_filename(filename).python_tag
    except InvalidUpload:
        return ""
