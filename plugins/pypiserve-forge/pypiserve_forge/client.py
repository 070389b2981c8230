"""
Asking a forge over HTTP, within bounds.

Tornado's simple client is what the server has anyway: one deadline for the whole request, a bound on what it reads,
no redirects unless asked for, no proxy that a variable of the environment slips in between. It makes a connection for
each request, which costs little where answers are remembered.
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from pypiserve.core.errors import Unavailable
from pypiserve_forge.breaker import CircuitBreaker
from pypiserve_forge.connecting import ClosingTCPClient

__all__ = ["RENAMED", "Bounds", "ForgeClient", "Reply", "Throttled"]

_log = logging.getLogger("pypiserve_forge")

T = TypeVar("T")

RENAMED = (301, 302, 307, 308)
"""What a forge may answer about what has another name now. It is not followed: names are given away again."""

_MAX_WAIT_SECONDS = 300
_REDIRECTS = range(300, 400)
_SERVER_ERRORS = range(500, 600)


class Throttled(Unavailable):
    """The forge answers these credentials no more for a time."""


@dataclass(frozen=True)
class Bounds:
    """
    What a forge may take up.

    Attributes:
        connect_seconds: Until connected, name look-up and TLS included.
        request_seconds: For one request, from connecting to the last byte.
        max_connections: At the same time.
        max_body_bytes: Largest answer that is read.
        max_header_bytes: Largest head of one.
        failures: In a row, until the forge is left alone.
        pause_seconds: For how long.
    """

    connect_seconds: float = 2.0
    request_seconds: float = 5.0
    max_connections: int = 10
    max_body_bytes: int = 1 << 20
    max_header_bytes: int = 1 << 16
    failures: int = 5
    pause_seconds: float = 10.0


@dataclass(frozen=True)
class Reply:
    """
    What the forge answered.

    Attributes:
        headers: By name in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class ForgeClient:
    """
    Sends requests to one forge, all to the same base URL. Close it at the end.

    No error holds a request, whose headers have a token.
    """

    def __init__(
        self,
        forge: str,
        base_url: str,
        *,
        ca_file: Path | None = None,
        bounds: Bounds | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Connect to nothing yet.

        Args:
            forge: Name of the forge, for people.
            base_url: What the paths are relative to.
            ca_file: Certificates in PEM of the authorities that are trusted in place of the system's.
            bounds: The usual ones unless given.
            now: A clock that never goes back, in seconds.

        Raises:
            OSError: The file cannot be read, or holds no certificate.
        """
        self._forge = forge
        self._base_url = base_url
        self._bounds = bounds or Bounds()
        # Reading the authorities of the system takes a while; http, to this machine, needs none.
        self._tls = ssl.create_default_context(cafile=ca_file) if base_url.startswith("https:") else None
        self._slots = asyncio.Semaphore(self._bounds.max_connections)
        self._breaker = CircuitBreaker(
            forge, failures=self._bounds.failures, pause_seconds=self._bounds.pause_seconds, now=now
        )
        self._http = SimpleAsyncHTTPClient(
            force_instance=True,
            max_clients=self._bounds.max_connections,
            max_buffer_size=self._bounds.max_body_bytes + self._bounds.max_header_bytes,
            max_body_size=self._bounds.max_body_bytes,
            max_header_size=self._bounds.max_header_bytes,
        )
        self._http.tcp_client = ClosingTCPClient(self._http.resolver)

    async def ask(self, method: str, path: str, *, headers: Mapping[str, str], expected: frozenset[int]) -> Reply:
        """
        Send one request, without a body.

        Args:
            method: ``GET`` or ``POST``.
            path: From the base URL on, with a slash in front, quoted.
            headers: The secret among them.
            expected: The statuses that mean something; ``Unavailable`` is raised for every other.

        Raises:
            Unavailable: The forge does not answer, or says what it is not known to say.
            Throttled: It wants to be asked later.
        """
        self._breaker.admit()
        async with self._slots:
            reply = await self._fetch(method, path, headers)
        if isinstance(reply, str):
            raise self._failure(method, path, reply)
        _log.debug("%s: %s %s: %d", self._forge, method, path, reply.status)
        if _is_throttled(reply):
            self._breaker.failed()
            raise Throttled(f"{self._forge} wants to be asked later", retry_after_seconds=_wait_seconds(reply))
        if reply.status in expected:
            if reply.status != 200:  # noqa: PLR2004 - the number is the status; whether 200 makes sense its body tells
                self._breaker.succeeded()
            return reply
        if reply.status in _SERVER_ERRORS or reply.status in _REDIRECTS:
            hint = "; its address in the settings is not the last one" if reply.status in _REDIRECTS else ""
            raise self._failure(method, path, f"status {reply.status}{hint}")
        # About these credentials, so it is not counted: a stranger must not be able to shut everybody out.
        _log.warning("%s: %s %s: answered with the unexpected status %d", self._forge, method, path, reply.status)
        raise Unavailable(f"{self._forge} gave an answer that cannot be understood")

    def read(self, reply: Reply, into: type[T]) -> T:
        """
        Read the JSON of a reply.

        Raises:
            Unavailable: It is none, or of another form.
        """
        try:
            value = msgspec.json.decode(reply.body, type=into)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._breaker.failed()
            _log.warning("%s: an answer of %d bytes is not the JSON that it should be", self._forge, len(reply.body))
            raise Unavailable(f"{self._forge} gave an answer that cannot be understood") from None
        self._breaker.succeeded()
        return value

    async def close(self) -> None:
        """Close all connections."""
        self._http.close()

    async def _fetch(self, method: str, path: str, headers: Mapping[str, str]) -> Reply | str:
        """Return the reply, or what went wrong: no exception leaves here, for it would drag the request along."""
        bounds = self._bounds
        request = HTTPRequest(
            self._base_url + path,
            method,
            headers=dict(headers),
            body=b"" if method == "POST" else None,
            connect_timeout=bounds.connect_seconds,
            request_timeout=bounds.request_seconds,
            follow_redirects=False,
            decompress_response=False,
            ssl_options=self._tls,
        )
        try:
            response = await self._http.fetch(request, raise_error=False)
        except Exception as error:  # noqa: BLE001 - besides its own errors the client lets those of its streams out
            return _describe(error)
        return _as_reply(response)

    def _failure(self, method: str, path: str, problem: str) -> Unavailable:
        self._breaker.failed()
        _log.warning("%s: %s %s: %s", self._forge, method, path, problem)
        return Unavailable(f"{self._forge} does not answer")


def _as_reply(response: HTTPResponse) -> Reply | str:
    if response.error is not None and response.code == 599:  # noqa: PLR2004 - Tornado's own, for no answer
        return _describe(response.error)
    headers = {name.lower(): value for name, value in response.headers.get_all()}
    return Reply(response.code, headers, response.body or b"")


def _describe(error: BaseException) -> str:
    """Say on one line what happened; what the forge sent may stand in it."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _is_throttled(reply: Reply) -> bool:
    """Tell whether a limit was hit. GitHub says so with 403 too, and then by these headers or only in words."""
    if reply.status != 403:  # noqa: PLR2004 - the numbers are the statuses
        return reply.status == 429  # noqa: PLR2004
    by_headers = "retry-after" in reply.headers or reply.headers.get("x-ratelimit-remaining") == "0"
    return by_headers or b"rate limit" in reply.body.lower()


def _wait_seconds(reply: Reply) -> int:
    """Read when to come again: seconds, a date, or GitHub's time of the reset; within bounds."""
    said = reply.headers.get("retry-after", "").strip()
    reset = reply.headers.get("x-ratelimit-reset", "").strip()
    seconds = 30.0
    if said.isdecimal():
        seconds = float(said[:9])
    elif said:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except (ValueError, OverflowError):
            _log.debug("A Retry-After is neither seconds nor a date")
    elif reset.isdecimal():
        seconds = float(reset[:12]) - time.time()
    return max(1, min(_MAX_WAIT_SECONDS, math.ceil(seconds)))
