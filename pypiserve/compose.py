"""The one place where parts are put together."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pypiserve.catalog.database import Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.catalog.migrate import migrate
from pypiserve.core.addresses import Addresses
from pypiserve.core.errors import InvalidSetting
from pypiserve.instances import Instances, build_instances, build_store
from pypiserve.parts import Parts
from pypiserve.picks import Picks
from pypiserve.plugin import BuildContext
from pypiserve.services.accounts import Accounts
from pypiserve.services.administration import Administration
from pypiserve.services.audit import Audit
from pypiserve.services.authentication import Authentication
from pypiserve.services.changelog import ChangeLog
from pypiserve.services.coherence import JournalFollower
from pypiserve.services.curation import Curation
from pypiserve.services.delivery import Delivery
from pypiserve.services.directory import Directory
from pypiserve.services.downloads import Downloads
from pypiserve.services.explaining import Explaining
from pypiserve.services.feeds import Feeds
from pypiserve.services.first_start import FIRST_OWNER, Prepared, prepare_start
from pypiserve.services.indexes import Indexes
from pypiserve.services.json_api import JsonApi
from pypiserve.services.kept_documents import KeptDocuments
from pypiserve.services.leases import Lease
from pypiserve.services.listing import Listing
from pypiserve.services.packages import Packages
from pypiserve.services.pages import Pages
from pypiserve.services.publishing import Publishing
from pypiserve.services.search import Search
from pypiserve.services.shared_numbers import SharedNumbers
from pypiserve.services.sign_in_failures import SignInFailures
from pypiserve.services.sign_in_throttle import SignInLimits
from pypiserve.services.sign_ins import SignIns
from pypiserve.services.staging import StagingArea
from pypiserve.services.token_lookup import TokenLookup
from pypiserve.services.token_uses import TokenUses
from pypiserve.services.upkeep import Upkeep
from pypiserve.services.users import Users
from pypiserve.settings import Settings
from pypiserve.web.client_addresses import ClientAddresses
from pypiserve.web.listening import bind
from pypiserve.web.routes import make_application
from pypiserve.web.server import Activity, WebServer
from pypiserve.web.site import IndexPath, Limits, Site

__all__ = ["OfflineCatalog", "Server", "listening_sockets", "make_catalog"]

_log = logging.getLogger("pypiserve")

_HANDLER_THREADS = 8
_HASHING_THREADS = 2
_ADMINISTRATOR_THREADS = 2
_DOCUMENTS_PART = 8
"""JSON documents have this part of the memory for pages, beside it: hosts of any name may be asked for them."""


class OfflineCatalog:
    """The catalog of a data folder for the command line, beside a running server or without one."""

    def __init__(self, settings: Settings) -> None:
        """
        Open the catalog.

        Raises:
            ConfigurationError: There is none in the data folder, or it cannot be used.
        """
        if not _catalog_file(settings).exists():
            raise InvalidSetting(
                settings.source_of("data"),
                "data",
                f"no catalog is in the folder {settings.data}",
                "name the folder of a server with --data, or make one with: pypiserve serve",
            )
        self._settings = settings
        self._database, _ = _open_catalog(settings)
        self.curation = Curation(self._database, now=_utc_now)
        administration = _administration(settings, self._database)
        self.accounts = administration.accounts
        self.indexes = administration.indexes
        self.explaining = administration.explaining
        self.audit = administration.audit
        self.users = administration.users

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    @asynccontextmanager
    async def upkeep(self, picks: Picks) -> AsyncIterator[Upkeep]:
        """
        Open the file store too, to hold the two against each other.

        Raises:
            ConfigurationError: The store cannot be built.
        """
        parts = Parts()
        context = BuildContext("", self._settings.data, _utc_now, TokenLookup(self._database))
        try:
            store = build_store(picks, context, parts)
            yield Upkeep(self._database, store, staging=_staging(self._settings), now=_utc_now)
        finally:
            await parts.close()


class Server:
    """
    A whole server: everything between the settings and the listening socket.

    Attributes:
        port: Where it listens, once started.
        prepared: How the start found the catalog, and the administrator's token if this start made one.
    """

    def __init__(
        self,
        settings: Settings,
        picks: Picks,
        *,
        sockets: Sequence[socket.socket] | None = None,
        share: int = 1,
        sign_ins: SharedNumbers | None = None,
    ) -> None:
        """
        Take what the server is made of.

        Args:
            settings: All settings.
            picks: What they ask for of the plugins.
            sockets: To serve instead of the address in the settings; they listen.
            share: How many servers in as many processes have the memory of the settings together.
            sign_ins: What all of them know of sign-ins that failed, or were good.
        """
        self._settings = settings
        self._picks = picks
        self._sockets = sockets
        self._share = share
        self._sign_ins = SharedNumbers() if sign_ins is None else sign_ins
        self._parts = Parts()
        self._web: WebServer | None = None
        self.port = 0
        self.prepared = Prepared(None, settings.private)

    async def start(self) -> None:
        """
        Build all parts and listen.

        Raises:
            ConfigurationError: Something in the settings cannot work; the sentence says what.
            StorageUnavailable: The file store cannot be used.
        """
        try:
            await self._start()
        except BaseException:
            await self._parts.close()
            raise

    @property
    def activity(self) -> Activity:
        """What is under way at the moment."""
        return Activity(0, 0) if self._web is None else self._web.activity

    async def stop(self) -> None:
        """Let running requests finish within the bound, then release everything, last built first."""
        await self._parts.close()

    async def _start(self) -> None:
        settings = self._settings
        database, doorbell = _open_catalog(settings)
        self._parts.closing("The catalog", lambda: asyncio.to_thread(database.close))
        tokens = TokenLookup(database)
        instances = build_instances(self._picks, BuildContext("", settings.data, _utc_now, tokens), self._parts)
        await instances.store.check()
        site = self._build_site(database, doorbell, tokens, instances)
        for name, subscriber in instances.subscribers:
            lease = Lease(settings.data / f"telling-{name}.lock")
            self._parts.running(f"Telling {name}", lease.while_held(Delivery(name, subscriber, database).run))
        self._listen(site)
        # After all that can fail: a token that was made and never shown would be lost. No request comes in between,
        # since nothing is awaited.
        self.prepared = self._prepare(database)

    def _build_site(self, database: Database, doorbell: Doorbell, tokens: TokenLookup, instances: Instances) -> Site:
        settings = self._settings
        addresses = Addresses(settings.path_prefix)
        directory = Directory(database)
        listing = Listing(database, addresses, instances.read_policies)
        page_bytes = settings.page_cache_bytes // self._share
        pages = Pages(listing, instances.renderers, max_bytes=page_bytes)
        self._parts.threads("Rendering", pages.threads)
        downloads = Downloads(database, instances.store, addresses=addresses, read_policies=instances.read_policies)
        json_api = JsonApi(database, instances.store, addresses=addresses, read_policies=instances.read_policies)
        documents = KeptDocuments(max_bytes=page_bytes // _DOCUMENTS_PART)
        kept = [directory.notice, tokens.notice, pages.notice, downloads.notice, documents.notice]
        follower = JournalFollower(database, doorbell, kept)
        self._parts.running("Following the journal", follower.run())
        hashing = ThreadPoolExecutor(_HASHING_THREADS, thread_name_prefix="hash")
        self._parts.threads("Hashing", hashing)
        staging = _staging(settings, hashing)
        if swept := staging.sweep():
            _log.info("Removed %d unfinished uploads of an earlier run", swept)
        publishing = self._publishing(database, instances, staging, follower)
        failures = SignInFailures(database, now=_utc_now)
        self._write_down("Failed sign-ins", failures)
        sign_ins = SignIns(database, now=_utc_now)
        self._write_down("Who has signed in", sign_ins)
        token_uses = TokenUses(database, now=_utc_now)
        self._write_down("Uses of tokens", token_uses)
        threads = ThreadPoolExecutor(_HANDLER_THREADS, thread_name_prefix="web")
        self._parts.threads("Receiving and sending", threads)
        administrators = ThreadPoolExecutor(_ADMINISTRATOR_THREADS, thread_name_prefix="admin")
        self._parts.threads("Administration", administrators)
        return Site(
            authentication=Authentication(
                instances.authenticators,
                _sign_in_limits(settings),
                self._sign_ins,
                issuer=_token_authenticator(settings),
                sign_ins=sign_ins,
                token_uses=token_uses,
            ),
            failures=failures,
            administration=_administration(settings, database),
            administrators=administrators,
            client_addresses=ClientAddresses(settings.trusted_proxies),
            directory=directory,
            follower=follower,
            pages=pages,
            downloads=downloads,
            json_api=json_api,
            documents=documents,
            change_log=ChangeLog(database),
            search=Search(database, json_api),
            feeds=Feeds(database, json_api, addresses),
            publishing=publishing,
            curation=Curation(database, now=_utc_now),
            packages=Packages(database, addresses, instances.read_policies),
            staging=staging,
            addresses=addresses,
            renderers=instances.renderers,
            limits=Limits(settings.max_file_size_bytes, settings.max_form_bytes),
            threads=threads,
            public_url=settings.public_url,
        )

    def _publishing(
        self, database: Database, instances: Instances, staging: StagingArea, follower: JournalFollower
    ) -> Publishing:
        publishing = Publishing(
            database,
            instances.store,
            staging=staging,
            policies=instances.upload_policies,
            follower=follower,
            now=_utc_now,
        )
        self._parts.threads("Publishing", publishing.threads)
        self._parts.threads("Publishing small files", publishing.thread_for_small)
        return publishing

    def _write_down(self, name: str, noted: SignInFailures | SignIns | TokenUses) -> None:
        """Have what is noted in memory written down from time to time, and at the end."""
        self._parts.closing(name, noted.write)
        self._parts.running(f"{name}, from time to time", noted.run())

    def _listen(self, site: Site) -> None:
        settings = self._settings
        server = WebServer(
            make_application(site, root=_root_index(settings)),
            site.requests,
            stop_seconds=settings.shutdown_seconds,
        )
        self._web = server
        sockets = listening_sockets(settings)[0] if self._sockets is None else self._sockets
        self.port = sockets[0].getsockname()[1]
        server.serve(sockets)
        self._parts.closing("The web server", server.stop, seconds=settings.shutdown_seconds + 10)

    def _prepare(self, database: Database) -> Prepared:
        settings = self._settings
        root = _root_index(settings)
        return prepare_start(
            _accounts(settings, database),
            owner=root.owner if root else FIRST_OWNER,
            private=settings.private,
            make_token=_token_authenticator(settings) is not None,
        )


def make_catalog(settings: Settings) -> None:
    """
    Make the catalog of a data folder, or bring it up to date, without anything in it.

    Raises:
        ConfigurationError: The folder cannot be used.
    """
    database, _ = _open_catalog(settings)
    database.close()


def listening_sockets(settings: Settings, *, sets: int = 1) -> list[list[socket.socket]]:
    """
    Listen where the settings say, with a set of sockets for each process that serves.

    Raises:
        InvalidSetting: The address cannot be listened on.
    """
    return bind(settings.listen.host, settings.listen.port, source=settings.source_of("listen"), sets=sets)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _open_catalog(settings: Settings) -> tuple[Database, Doorbell]:
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        doorbell = Doorbell(settings.data / "doorbell")
    except OSError as error:
        problem = f"the folder {settings.data} cannot be used ({error.strerror})"
        raise InvalidSetting(
            settings.source_of("data"), "data", problem, "name a folder that may be written"
        ) from error
    database = Database(_catalog_file(settings), doorbell)
    try:
        migrate(database.engine)
    except BaseException:
        database.close()
        raise
    return database, doorbell


def _staging(settings: Settings, hashing: Executor | None = None) -> StagingArea:
    return StagingArea(settings.data / "staging", hashing)


def _catalog_file(settings: Settings) -> Path:
    return settings.data / "catalog.sqlite3"


def _accounts(settings: Settings, database: Database) -> Accounts:
    return Accounts(database, now=_utc_now, token_authenticator=_token_authenticator(settings) or "token")


def _administration(settings: Settings, database: Database) -> Administration:
    return Administration(
        accounts=_accounts(settings, database),
        indexes=Indexes(database, now=_utc_now),
        explaining=Explaining(database, token_authenticator=_token_authenticator(settings) or "token"),
        audit=Audit(database),
        users=Users(database, now=_utc_now, token_authenticator=_token_authenticator(settings) or "token"),
    )


def _sign_in_limits(settings: Settings) -> SignInLimits:
    return SignInLimits(
        settings.failed_sign_ins_per_user, settings.failed_sign_ins_per_address, settings.failed_sign_ins_seconds
    )


def _token_authenticator(settings: Settings) -> str | None:
    """Return the name of the authenticator that recognises our API tokens: their subjects begin with it."""
    return next((table.name for table in settings.authenticators if table.kind == "token"), None)


def _root_index(settings: Settings) -> IndexPath | None:
    return IndexPath(*settings.root_index.split("/")) if settings.root_index else None
