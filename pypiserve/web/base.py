"""What all handlers share: who asks, whether they may, and how errors are told."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.web import HTTPError, stream_request_body

from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import Problem, PypiserveError
from pypiserve.core.identity import ANONYMOUS, Action, Identity
from pypiserve.web import problems
from pypiserve.web.credentials import read_credentials
from pypiserve.web.rules import Rule, rule_of
from pypiserve.web.site import IndexPath, Site

__all__ = ["BaseHandler", "declared_bytes"]

_log = logging.getLogger("pypiserve.web")

MAX_DRAIN_BYTES = 256 << 20
"""How much of a refused body is read and thrown away, so that the client gets to see the answer."""


@stream_request_body
class BaseHandler(tornado.web.RequestHandler):
    """
    Admits or refuses each request by the rule of its method, then leaves it to the method.

    A refusal of a request with a body is held back until the body was received and thrown away: clients such as
    twine read no answer before they have sent everything, and would report a broken connection instead.
    """

    index: IndexRecord
    """The index of the request; set for methods that require an action."""

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
        self._root = root
        self.identity: Identity = ANONYMOUS
        self.is_refused = False
        self._leaves_body = False

    async def prepare(self) -> None:
        """Admit the request, or refuse it."""
        self.site.requests.begin(self)
        try:
            await self.admit(rule_of(type(self), self.request.method or ""))
        except Exception as error:  # noqa: BLE001 - it is raised, now or in place of the method
            self.refuse(error)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:  # noqa: ARG002 - Tornado passes it
        """Throw the body away; handlers that take one override this."""
        return None

    @property
    def connection(self) -> HTTP1Connection:
        """The connection of the request; the server speaks HTTP/1 only."""
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)  # noqa: S101 - nothing else is ever made
        return connection

    def refuse(self, refusal: Exception) -> None:
        """
        Refuse the request, to be called in ``prepare``: at once, or when its body was received and thrown away.

        The method of the request does not run.
        """
        self.is_refused = True
        if not self._is_worth_draining():
            self._leaves_body = True
            raise refusal

        async def tell(*_: object, **__: object) -> None:
            raise refusal

        # In place of the method itself, so that none can run by forgetting to look. Also when there is no body: what
        # prepare() raises is answered before Tornado has noticed that, so it closes the connection, unannounced, and
        # clients that send the request again with credentials on the same connection (uv) meet a reset.
        setattr(self, (self.request.method or "").lower(), tell)

    def compute_etag(self) -> None:
        """Entity tags are set from digests; hashing every body again would cost more than the rest."""
        return

    def set_default_headers(self) -> None:
        """Say less about the software than Tornado does, and never let a browser guess a type."""
        self.set_header("Server", "pypiserve")
        self.set_header("X-Content-Type-Options", "nosniff")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell what went wrong, in one sentence first."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        accept = self.request.headers.get("Accept")
        if isinstance(error, PypiserveError):
            answer = problems.answer_to(error, accept)
        else:
            answer = problems.answer(status_code, [self._http_problem(status_code)], accept)
        self.set_status(answer.status, answer.reason)
        for name, value in answer.headers:
            self.set_header(name, value)
        if self._leaves_body:
            self.set_header("Connection", "close")
        if answer.status == 405:  # noqa: PLR2004 - the number is the status
            self.set_header("Allow", ", ".join(self._allowed()))
        self.finish(answer.body)

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
        self.site.requests.end(self)

    def on_connection_close(self) -> None:
        """Likewise when the client went away."""
        super().on_connection_close()
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
        if rule is None:
            raise HTTPError(405)
        self._named = self._index_name()
        if rule.action is not None:
            await self.authorise(rule.action)

    async def authorise(self, action: Action) -> None:
        """
        Find out who asks, and whether they may do this in the index of the request as things stand now.

        Raises:
            PypiserveError: The sign-in failed, or the rights do not suffice.
        """
        owner, index = self._named
        header = self.request.headers.get("Authorization")
        if self.site.follower.is_behind:
            await self.site.follower.catch_up()
        if header is not None:
            self.identity = await self.site.authentication.identify(read_credentials(header))
        self.index = await self.site.directory.authorise(self.identity, action, owner=owner, index=index)

    def _index_name(self) -> IndexPath:
        named = IndexPath(self.path_kwargs.pop("owner", ""), self.path_kwargs.pop("index", ""))
        return self._root or named

    def _is_worth_draining(self) -> bool:
        # A client that waits for "100 Continue" has sent nothing yet and reads the answer at once.
        if self.request.headers.get("Expect", "").lower() == "100-continue":
            return False
        if declared_bytes(self.request.headers.get("Content-Length", "")) > MAX_DRAIN_BYTES:
            return False
        self.connection.set_max_body_size(MAX_DRAIN_BYTES)
        return True

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

    @property
    def may_be_shared(self) -> bool:
        """Whether caches between here and the client may keep what they see."""
        return self.index.public

    @property
    def cache_control(self) -> str:
        """Pages are asked for again each time: who has just published wants to install."""
        return "no-cache" if self.may_be_shared else "private, no-cache"


def declared_bytes(content_length: str) -> int:
    """Read ``Content-Length``; 0 for what is none. What has more digits than any body only has to be too much."""
    return int(content_length[:20]) if content_length.isdecimal() else 0
