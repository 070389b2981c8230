"""Finding a file and saying how its bytes are served."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from packaging.utils import NormalizedName

from pypiserve.catalog import projects
from pypiserve.catalog.database import Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.catalog.projects import FileRecord
from pypiserve.core.addresses import Addresses
from pypiserve.core.digests import Sha256
from pypiserve.core.errors import NotFound, PolicyDenied, Problem, StorageUnavailable
from pypiserve.core.events import Event
from pypiserve.core.model import ProjectStatus
from pypiserve.core.versions import same_version
from pypiserve.plugin import FileStore, Location, ReadPolicy
from pypiserve.services.access import refusal_to_show
from pypiserve.services.listing import as_project_file

__all__ = ["METADATA_SUFFIX", "Download", "Downloads"]

METADATA_SUFFIX = ".metadata"
_MAX_PROJECTS_KEPT = 5_000
_MAX_FILES_KEPT = 1_000

_Project = tuple[str, str, NormalizedName]
_Found = tuple[FileRecord, ProjectStatus]


@dataclass(frozen=True)
class Download:
    """
    A file, or the core metadata of one, ready to be served.

    Attributes:
        filename: The last segment of its address.
        sha256: Digest of what is served.
        size_bytes: Exact.
        published_at: When it became available, aware, UTC.
        location: How the store serves it.
    """

    filename: str
    sha256: Sha256
    size_bytes: int
    published_at: datetime
    location: Location


class Downloads:
    """Looks files up, keeping what it found until the journal says that their project changed."""

    def __init__(
        self,
        database: Database,
        store: FileStore,
        *,
        addresses: Addresses,
        read_policies: Sequence[ReadPolicy],
    ) -> None:
        self._database = database
        self._store = store
        self._addresses = addresses
        self._read_policies = tuple(read_policies)
        self._kept: OrderedDict[_Project, dict[str, _Found]] = OrderedDict()
        self._generation = 0

    async def find(self, index: IndexRecord, project: NormalizedName, *, version: str, filename: str) -> Download:
        """
        Find a file, or with the suffix ``.metadata`` its core metadata.

        Args:
            index: Where; the identity was found to be allowed to read there.
            project: Normalised name of the project.
            version: Version as its address has it, in any spelling.
            filename: Last segment of the address.

        Raises:
            NotFound: The index has no such file.
            PolicyDenied: The file is withheld, by the project's status or a read policy.
            StorageUnavailable: The store does not answer.
        """
        wanted = filename.removesuffix(METADATA_SUFFIX)
        found = await self._record(index, project, wanted)
        missing = NotFound(f"The file {filename} of {project} {version} in {index.path}")
        if found is None or not same_version(found[0].version, version):
            raise missing
        record, status = found
        shown = as_project_file(self._addresses, index, record)
        refusal = refusal_to_show(self._read_policies, index, status, project, shown)
        if refusal is not None:
            raise PolicyDenied(Problem(refusal.code, refusal.reason))
        if wanted == filename:
            sha256, size_bytes = record.sha256, record.size_bytes
        elif shown.core_metadata_sha256 is not None:
            sha256, size_bytes = shown.core_metadata_sha256, record.core_metadata_size_bytes
        else:
            raise missing
        location = await self._store.locate(sha256, filename=filename)
        return Download(filename, sha256, size_bytes, record.uploaded_at, location)

    async def stream(self, download: Download, *, start: int, stop: int) -> AsyncIterator[bytes]:
        """
        Read a part of a file through the store.

        Raises:
            StorageUnavailable: The store does not answer, or does not have what the catalog names.
        """
        try:
            async for chunk in self._store.open(download.sha256, start=start, stop=stop):
                yield chunk
        except NotFound as error:
            raise StorageUnavailable("The bytes of this file are missing in the file store") from error

    def notice(self, event: Event) -> None:
        """Forget the files of a project that an event touched; all files when it cannot be told what it did."""
        if event.kind.changes_addresses:
            self._generation += 1
            self._kept.clear()
        if event.owner is not None and event.index is not None and event.project is not None:
            self._generation += 1
            self._kept.pop((event.owner, event.index, NormalizedName(event.project)), None)

    async def _record(self, index: IndexRecord, project: NormalizedName, filename: str) -> _Found | None:
        key = (index.owner, index.name, project)
        found = self._kept.get(key, {}).get(filename)
        if found is not None:
            return found
        generation = self._generation
        found = await self._database.read(lambda c: projects.file_of(c, index.id, project, filename))
        if found is not None and generation == self._generation:
            self._keep(key, filename, found)
        return found

    def _keep(self, key: _Project, filename: str, found: _Found) -> None:
        files = self._kept.setdefault(key, {})
        if len(files) >= _MAX_FILES_KEPT:
            files.clear()
        files[filename] = found
        self._kept.move_to_end(key)
        if len(self._kept) > _MAX_PROJECTS_KEPT:
            self._kept.popitem(last=False)
