"""
Ready-made pages: rendered and compressed once per change, kept until the journal says that they changed.

The cost of a hit does not depend on the number of files, projects or owners.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from packaging.utils import NormalizedName

from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.events import Event
from pypiserve.core.model import ProjectDetail, ProjectList
from pypiserve.core.project_patterns import Reach
from pypiserve.plugin import Renderer
from pypiserve.services.listing import Listing

__all__ = ["Page", "Pages", "make_page"]

_GZIP_LEVEL = 6
_GZIP_FROM_BYTES = 512  # below, the header eats the gain
_RENDERING_THREADS = 2
_Key = tuple[str, str, NormalizedName | None, str]


@dataclass(frozen=True)
class Page:
    """
    One page in one media type.

    Attributes:
        media_type: Its ``Content-Type``.
        body: The page.
        compressed: The page compressed with gzip; ``None`` when that does not pay.
        etag: Strong entity tag of ``body``, quotes included.
        compressed_etag: Strong entity tag of ``compressed``.
        last_serial: Serial of the last event that changed it.
    """

    media_type: str
    body: bytes
    compressed: bytes | None
    etag: str
    compressed_etag: str
    last_serial: int

    @property
    def size_bytes(self) -> int:
        """Memory that it takes, about."""
        return len(self.body) + len(self.compressed or b"") + 1024


class Pages:
    """Keeps pages, least recently used last, within a bound in bytes; renders each missing one once at a time."""

    def __init__(self, listing: Listing, renderers: Sequence[Renderer], *, max_bytes: int) -> None:
        self._listing = listing
        self._renderers = tuple(renderers)
        self._max_bytes = max_bytes
        self._kept_bytes = 0
        self._kept: OrderedDict[_Key, Page] = OrderedDict()
        self._in_work: dict[_Key, asyncio.Task[Page]] = {}
        self.threads = ThreadPoolExecutor(_RENDERING_THREADS, thread_name_prefix="render")

    async def project_list(self, index: IndexRecord, renderer: Renderer, reach: Reach) -> Page:
        """
        Return the project list of an index.

        Args:
            index: Which.
            renderer: In which representation.
            reach: The projects that may be read. Lists of a part are made for each request: few may read parts only.
        """

        async def make() -> Page:
            projects = await self._listing.project_list(index, reach)
            return await self._in_thread(lambda: _page(renderer, projects))

        if not reach.everything:
            return await make()
        return await self._get((index.owner, index.name, None, renderer.name), make)

    async def project_detail(self, index: IndexRecord, project: NormalizedName, renderer: Renderer) -> Page:
        """
        Return the page of a project.

        Raises:
            NotFound: The index has no such project.
        """

        async def make() -> Page:
            detail = await self._listing.project_detail(index, project)
            return await self._in_thread(lambda: _page(renderer, detail))

        return await self._get((index.owner, index.name, project, renderer.name), make)

    def notice(self, event: Event) -> None:
        """Drop what an event changed, and do not keep what is being rendered from before it."""
        if event.kind.changes_addresses:
            self._in_work.clear()
            self._kept.clear()
            self._kept_bytes = 0
        if not event.kind.changes_pages or event.owner is None or event.index is None:
            return
        project = NormalizedName(event.project or "")
        for renderer in self._renderers:
            for name in (None, project):
                self._drop((event.owner, event.index, name, renderer.name))

    async def _get(self, key: _Key, make: Callable[[], Awaitable[Page]]) -> Page:
        page = self._kept.get(key)
        if page is not None:
            self._kept.move_to_end(key)
            return page
        task = self._in_work.get(key)
        if task is None:
            task = asyncio.ensure_future(self._make_and_keep(key, make))
            self._in_work[key] = task
        # Shielded: a client that goes away must not take the page from those who wait for it too.
        return await asyncio.shield(task)

    async def _make_and_keep(self, key: _Key, make: Callable[[], Awaitable[Page]]) -> Page:
        this = asyncio.current_task()
        try:
            page = await make()
            # An event that came meanwhile took this task off the list: whoever waits for it asked before the
            # event and may have the page, but it is not kept.
            if self._in_work.get(key) is this:
                self._keep(key, page)
            return page
        finally:
            if self._in_work.get(key) is this:
                del self._in_work[key]

    def _keep(self, key: _Key, page: Page) -> None:
        if page.size_bytes > self._max_bytes:
            return
        self._kept[key] = page
        self._kept_bytes += page.size_bytes
        while self._kept_bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.size_bytes

    def _drop(self, key: _Key) -> None:
        self._in_work.pop(key, None)
        page = self._kept.pop(key, None)
        if page is not None:
            self._kept_bytes -= page.size_bytes

    async def _in_thread(self, work: Callable[[], Page]) -> Page:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


def _page(renderer: Renderer, model: ProjectList | ProjectDetail) -> Page:
    if isinstance(model, ProjectList):
        body = renderer.render_project_list(model)
    else:
        body = renderer.render_project_detail(model)
    return make_page(renderer.media_type, body, model.last_serial)


def make_page(media_type: str, body: bytes, last_serial: int) -> Page:
    """Make a page ready to be sent: its entity tags, and its compressed form when that pays."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    # mtime=0: equal pages compress to equal bytes, on every node.
    compressed = gzip.compress(body, _GZIP_LEVEL, mtime=0) if len(body) >= _GZIP_FROM_BYTES else None
    return Page(media_type, body, compressed, f'"{digest}"', f'"{digest}-gz"', last_serial)
