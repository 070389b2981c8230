"""Documents that were written once, kept within a bound until the journal says that their project changed."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from packaging.utils import NormalizedName

from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.events import Event
from pypiserve.services.json_api import Links
from pypiserve.services.pages import Page

__all__ = ["DocumentKey", "KeptDocuments"]

_MAX_ORIGIN_LENGTH = 300  # a host name has at most 253; whatever a client sends as one is not counted beside the page
_Project = tuple[str, str, NormalizedName]


class DocumentKey(NamedTuple):
    """
    One document in one form.

    Attributes:
        version: As published; ``None`` for the project.
        links: A part of the key, since a host may have many names.
    """

    project: _Project
    version: str | None
    links: Links

    @classmethod
    def of(cls, index: IndexRecord, project: NormalizedName, version: str | None, links: Links) -> DocumentKey:
        """Name a document of a project of an index."""
        return cls((index.owner, index.name, project), version, links)


class KeptDocuments:
    """Keeps documents, least recently used out first."""

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept_bytes = 0
        self._kept: OrderedDict[DocumentKey, Page] = OrderedDict()
        self._of_project: dict[_Project, set[DocumentKey]] = {}
        self.generation = 0
        """Rises with each event: what was begun before one must not be kept after it."""

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: DocumentKey) -> Page | None:
        """Return a document that is kept."""
        page = self._kept.get(key)
        if page is not None:
            self._kept.move_to_end(key)
        return page

    def keep(self, key: DocumentKey, page: Page, *, generation: int) -> None:
        """Keep a document, unless it is too large, its host no name, or something has changed since a generation."""
        if generation != self.generation or len(key.links.origin) > _MAX_ORIGIN_LENGTH:
            return
        if page.size_bytes > self._max_bytes:
            return
        self._drop(key)
        self._kept[key] = page
        self._of_project.setdefault(key.project, set()).add(key)
        self._kept_bytes += page.size_bytes
        while self._kept_bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def notice(self, event: Event) -> None:
        """Drop the documents of a project that an event changed; all when it cannot be told what it did."""
        self.generation += 1
        if event.kind.changes_addresses:
            self._kept.clear()
            self._of_project.clear()
            self._kept_bytes = 0
        elif event.owner is not None and event.index is not None and event.project is not None:
            project = (event.owner, event.index, NormalizedName(event.project))
            for key in tuple(self._of_project.get(project, ())):
                self._drop(key)

    def _drop(self, key: DocumentKey) -> None:
        page = self._kept.pop(key, None)
        if page is None:
            return
        self._kept_bytes -= page.size_bytes
        keys = self._of_project[key.project]
        keys.discard(key)
        if not keys:
            del self._of_project[key.project]
