"""What all handlers share: who asks, whether they may, and how errors are told."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import tornado.web
from packaging.utils import NormalizedName, canonicalize_name
from tornado.http1connection import HTTP1Connection
from tornado.web import HTTPError, stream_request_body

from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import AuthenticationFailed, OwnerMoved, Problem, PypiserveError, TooManySignIns
from pypiserve.core.events import Actor
from pypiserve.core.identity import ANONYMOUS, Action, Identity
from pypiserve.services.directory import Permit
from pypiserve.web import draining, problems
from pypiserve.web.bodies import declared_bytes, has_body, read_expectations, waits_for_permission
from pypiserve.web.credentials import read_credentials
from pypiserve.web.request_ids import HEADER, request_id
from pypiserve.web.rules import Rule, rule_of
from pypiserve.web.site import IndexPath, Site

__all__ = ["BaseHandler"]

_log = logging.getLogger("pypiserve.web")

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_AGE_SECONDS = 60.0
"""Who changes something was recognised within the last minute, also where somebody else's word is remembered."""


@stream_request_body
class BaseHandler(tornado.web.RequestHandler):
    """
    Admits or refuses each request by the rule of its method, then leaves it to the method.

    A refusal is answered as soon as it is known, and the rest of the request's body received and thrown away: clients
    such as twine read no answer before they have sent everything, and would report a broken connection instead.
    """

    index: IndexRecord
    """The index of the request; set for methods that require an action."""

    permit: Permit
    """The leave to do what the method does; likewise."""

    request_id: str = ""
    """Id of the request, as the log, the answer and the journal have it."""

    wake: Callable[[], object] | None = None
    """Called when the client has gone: whoever waits for it by other means than Tornado's puts itself here."""

    def initialize(self, *, site: Site, root: IndexPath | None = None) -> None:
        """
        Take what the routes hand over.

        Args:
            site: The services.
            root: The index for addresses at the host's root.
        """
        self.site = site
        request = self.request
        given = request.headers.get(HEADER)
        is_trusted = given is not None and site.client_addresses.trusts(request.remote_ip or "")
        self.request_id = request_id(given, is_trusted=is_trusted)
        self.set_header(HEADER, self.request_id)
        request.remote_ip = site.client_addresses.client_of(
            request.remote_ip or "", request.headers.get("X-Forwarded-For")
        )
        self._root = root
        self.identity: Identity = ANONYMOUS
        self.is_refused = False
        self.is_logged = False
        self._drain: draining.Drain | None = None
        self._illegible: HTTPError | None = None
        self._is_prepared = False

    async def prepare(self) -> None:
        """Admit the request, or refuse it."""
        self.site.requests.begin(self)
        self._is_prepared = True
        read_expectations(self.request.headers, self.request.version)
        try:
            await self.admit(rule_of(type(self), self.request.method or ""))
        except Exception as error:  # noqa: BLE001 - it is raised, now or in place of the method
            self.refuse(error)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Read a part of the address; what is no text is refused in ``prepare``, where a body is thought of."""
        try:
            return super().decode_argument(value, name)
        except HTTPError as error:
            if self._is_prepared:
                raise
            self._illegible = error
            return ""

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Throw the body away; handlers that take one override this."""
        return None if self._drain is None else self._drain.take(len(chunk))

    @property
    def connection(self) -> HTTP1Connection:
        """The connection of the request; the server speaks HTTP/1 only."""
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)  # noqa: S101 - nothing else is ever made
        return connection

    def refuse(self, refusal: Exception) -> None:
        """
        Answer the request with an error now, in ``prepare`` or while its body comes in.

        What is still to come of the body is thrown away, and the method of the request does not run.
        """
        self.is_refused = True

        async def tell(*_: object, **__: object) -> None:
            # Without a body the answer waits until Tornado has noticed that: it closes the connection, unannounced,
            # after answers from within prepare(), and clients that send the request again with credentials on the
            # same connection (uv) meet a reset.
            if self._drain is None:
                raise refusal

        # In place of the method itself, so that none can run by forgetting to look.
        setattr(self, (self.request.method or "").lower(), tell)
        if has_body(self.request.headers):
            self._answer_early(refusal)

    def compute_etag(self) -> None:
        """Entity tags are set from digests; hashing every body again would cost more than the rest."""
        return

    def set_default_headers(self) -> None:
        """Say less about the software than Tornado does, and never let a browser guess a type."""
        self.set_header("Server", "pypiserve")
        self.set_header("X-Content-Type-Options", "nosniff")
        if self.request_id:
            self.set_header(HEADER, self.request_id)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell what went wrong, in one sentence first."""
        self.finish(self._error_body(status_code, kwargs.get("exc_info", (None, None, None))[1]))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Keep expected refusals out of the log; they are in the access log with their status."""
        if isinstance(value, PypiserveError) and problems.status_of(value) not in {500, 503, 507}:
            return
        if isinstance(value, PypiserveError):
            _log.error("%s %s: %s", self.request.method, self.request.path, value, exc_info=value.__cause__)
        elif not isinstance(value, HTTPError):
            _log.error(
                "%s %s failed",
                self.request.method,
                self.request.path,
                exc_info=(typ, value, tb) if typ and value else None,
            )

    def on_finish(self) -> None:
        """Let the server stop when the last request is done."""
        self._end_drain()
        self.site.requests.end(self)

    def on_connection_close(self) -> None:
        """Likewise when the client went away."""
        super().on_connection_close()
        self._end_drain()
        self.site.requests.end(self)
        if self.wake is not None:
            self.wake()

    async def admit(self, rule: Rule | None) -> None:
        """
        Find out who asks, and let pass who may.

        Raises:
            HTTPError: 405, there is no such method.
            PypiserveError: The sign-in failed, or the rights do not suffice.
        """
        if self._illegible is not None:
            raise self._illegible
        if rule is None:
            raise HTTPError(405)
        self._named = self._index_name()
        self._of = self._project_name() or rule.extent
        if rule.action is not None:
            await self.authorise(rule.action)
        elif rule.takes_credentials:
            await self.identify()
            if self.identity.is_anonymous:
                raise AuthenticationFailed("Sign in: this is about whoever asks")

    async def authorise(self, action: Action) -> None:
        """
        Find out who asks, and whether they may do this in the index of the request as things stand now.

        Where the address names a project it is about that project.

        Raises:
            PypiserveError: The sign-in failed, or the rights do not suffice.
        """
        owner, index = self._named
        await self.identify()
        self.permit = await self.site.directory.authorise(
            self.identity, action, owner=owner, index=index, of=self._of, formerly=self._root is not None
        )
        self.index = self.permit.index

    async def identify(self) -> None:
        """
        Find out who asks, and what has changed since the last request.

        Raises:
            PypiserveError: The sign-in failed.
        """
        header = self.request.headers.get("Authorization")
        if self.site.follower.is_behind:
            await self.site.follower.catch_up()
        if header is not None:
            try:
                self.identity = await self._signed_in(header)
            except (AuthenticationFailed, TooManySignIns) as error:
                self.site.failures.note(error, address=self.request.remote_ip or "", request_id=self.request_id)
                raise

    async def _signed_in(self, header: str) -> Identity:
        reads = self.request.method in _READING
        return await self.site.authentication.identify(
            read_credentials(header),
            address=self.request.remote_ip or "",
            max_age_seconds=None if reads else _MAX_AGE_SECONDS,
        )

    @property
    def actor(self) -> Actor:
        """Who changes something, as the journal keeps it."""
        identity = self.identity
        return Actor(
            identity.subject, self.request.remote_ip or None, identity.credential or None, self.request_id or None
        )

    def _index_name(self) -> IndexPath:
        named = IndexPath(self.path_kwargs.pop("owner", ""), self.path_kwargs.pop("index", ""))
        return self._root or named

    def _project_name(self) -> NormalizedName | None:
        """Return the project of the address, in the spelling in which patterns of names are held against it."""
        text = self.path_kwargs.get("project")
        return canonicalize_name(text) if text else None

    def _answer_early(self, refusal: Exception) -> None:
        bounds = draining.BOUNDS
        headers = self.request.headers
        # Who waits for "100 Continue" has sent nothing yet, and shall not: there is no telling whether the next bytes
        # would be the body or another request. Without the header Tornado does not say it after the answer.
        closes = waits_for_permission(headers) or declared_bytes(headers) > bounds.reuse_bytes
        headers.pop("Expect", None)
        self.connection.set_max_body_size(sys.maxsize)
        self.log_exception(type(refusal), refusal, refusal.__traceback__)
        self.clear()
        body = self._error_body(refusal.status_code if isinstance(refusal, HTTPError) else 500, refusal)
        self.set_header("Content-Length", len(body))
        if closes:
            self.set_header("Connection", "close")
        self.write(body)
        drain = self._drain = draining.Drain(self.connection.stream, bounds)
        written = self.flush()
        if closes:
            written.add_done_callback(lambda _: drain.close_our_side())
        # Now, since clients that look for the answer go away in the middle.
        self.application.log_request(self)
        self.is_logged = True

    def _end_drain(self) -> None:
        if self._drain is not None:
            self._drain.end()

    def _error_body(self, status_code: int, error: BaseException | None) -> bytes:
        accept = self.request.headers.get("Accept")
        if isinstance(error, PypiserveError):
            answer = problems.answer_to(error, accept)
        else:
            answer = problems.answer(status_code, [self._http_problem(status_code)], accept)
        self.set_status(answer.status, answer.reason)
        for name, value in answer.headers:
            self.set_header(name, value)
        if isinstance(error, OwnerMoved) and self.request.method in {"GET", "HEAD"}:
            address = self._address_under(error.name)
            if address is not None:
                self.set_status(301)
                self.set_header("Location", address)
        if answer.status == 405:  # noqa: PLR2004 - the number is the status
            self.set_header("Allow", ", ".join(self._allowed()))
        return answer.body

    def _address_under(self, owner: str) -> str | None:
        """Return the address of the request with another owner in it, if it has one."""
        segments = self.request.path.split("/")
        # All addresses of an owner have it after one of these.
        place = next((number for number, text in enumerate(segments) if text in {"packages", "owners"}), None)
        if place is None:
            return None
        segments[place + 1] = owner
        query = f"?{self.request.query}" if self.request.query else ""
        return f"{self.site.addresses.prefix}{'/'.join(segments)}{query}"

    def _allowed(self) -> list[str]:
        return [method for method in self.SUPPORTED_METHODS if rule_of(type(self), method) is not None]

    def _http_problem(self, status: int) -> Problem:
        if status == 405:  # noqa: PLR2004 - the number is the status
            allowed = ", ".join(self._allowed())
            return Problem("method-not-allowed", f"This address takes {allowed} only; {self.hint_for_method()}")
        if status == 404:  # noqa: PLR2004 - the number is the status
            return Problem("not-found", f"Nothing is at this address; {self.hint_for_address()}")
        if status >= 500:  # noqa: PLR2004 - the class of statuses
            return Problem("internal-error", "The server failed; its log says more")
        return Problem("bad-request", "The request cannot be read: its address is not UTF-8, or a value is missing")

    def hint_for_address(self) -> str:
        """Say where something is, after an address of nothing."""
        return "see the address / for what is"

    def hint_for_method(self) -> str:
        """Say what the client probably meant, after a wrong method."""
        return "files are published by POST at the index itself, above simple/"

    def origin(self) -> str:
        """Return scheme and host as the client sees them: what the absolute form of a link begins with."""
        address = self.site.public_url or f"{self.request.protocol}://{self.request.host}"
        return address.removesuffix(self.site.addresses.prefix)

    @property
    def may_be_shared(self) -> bool:
        """Whether caches between here and the client may keep what they see."""
        return self.index.public

    @property
    def cache_control(self) -> str:
        """Pages are asked for again each time: who has just published wants to install."""
        return "no-cache" if self.may_be_shared else "private, no-cache"
