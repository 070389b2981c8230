"""What handlers work with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from pypiserve.core.addresses import Addresses
from pypiserve.plugin import Renderer
from pypiserve.services.administration import Administration
from pypiserve.services.authentication import Authentication
from pypiserve.services.changelog import ChangeLog
from pypiserve.services.coherence import JournalFollower
from pypiserve.services.curation import Curation
from pypiserve.services.directory import Directory
from pypiserve.services.downloads import Downloads
from pypiserve.services.feeds import Feeds
from pypiserve.services.json_api import JsonApi
from pypiserve.services.kept_documents import KeptDocuments
from pypiserve.services.packages import Packages
from pypiserve.services.pages import Pages
from pypiserve.services.publishing import Publishing
from pypiserve.services.search import Search
from pypiserve.services.sign_in_failures import SignInFailures
from pypiserve.services.staging import StagingArea
from pypiserve.web.client_addresses import ClientAddresses

__all__ = ["IndexPath", "Limits", "RunningRequests", "Site"]


class IndexPath(NamedTuple):
    """An index as it was asked for."""

    owner: str
    name: str


@dataclass(frozen=True)
class Limits:
    """
    Bounds on what a client may send.

    Attributes:
        max_file_size_bytes: Of one distribution file.
        max_form_bytes: Of all other parts of an upload together.
    """

    max_file_size_bytes: int
    max_form_bytes: int


class RunningRequests:
    """The requests that are being answered, so that a stop can wait for them."""

    def __init__(self) -> None:
        self._running: set[object] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, request: object) -> None:
        """Note a request."""
        self._running.add(request)
        self._idle.clear()

    def end(self, request: object) -> None:
        """Strike a request off; safe to call again."""
        self._running.discard(request)
        if not self._running:
            self._idle.set()

    async def wait_until_none(self) -> None:
        """Return when no request is running."""
        await self._idle.wait()


@dataclass(frozen=True)
class Site:
    """
    The services, and the little else that handlers need.

    Attributes:
        renderers: In the order of preference between equally acceptable ones.
        administrators: Threads for blocking work of administrators: nobody else waits for them.
        threads: For blocking work of handlers: receiving uploads, opening files.
        public_url: The server's address as clients see it, without trailing slash, if the settings say.
    """

    authentication: Authentication
    failures: SignInFailures
    administration: Administration
    administrators: ThreadPoolExecutor
    client_addresses: ClientAddresses
    directory: Directory
    follower: JournalFollower
    pages: Pages
    downloads: Downloads
    json_api: JsonApi
    documents: KeptDocuments
    change_log: ChangeLog
    search: Search
    feeds: Feeds
    publishing: Publishing
    curation: Curation
    packages: Packages
    staging: StagingArea
    addresses: Addresses
    renderers: Sequence[Renderer]
    limits: Limits
    threads: ThreadPoolExecutor
    public_url: str | None
    requests: RunningRequests = field(default_factory=RunningRequests)
