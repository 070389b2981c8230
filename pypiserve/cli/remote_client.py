"""Speaking to the interface for programs of a running server: one request at a time, each answer bounded."""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import click
import msgspec

from pypiserve.core.errors import PypiserveError

__all__ = ["RemoteClient", "ServerRefusal", "ServerUnreachable", "code_of", "path_of"]

T = TypeVar("T")

_SECONDS = 60
_ANSWER_BYTES = 16 << 20
_PAGE_LENGTH = 100
_OK = frozenset({200, 201, 204})


class ServerRefusal(PypiserveError):
    """The running server refused; code and sentence are its own."""

    code = "server-refusal"

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(status, code, sentence)
        self.status = status
        self.server_code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class ServerUnreachable(PypiserveError):
    """The running server does not answer, or what answers is none of ours."""

    code = "server-unreachable"

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url, problem)
        self.url = url
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.url} cannot be asked: {self.problem}; check --url"


class RemoteClient:
    """
    Asks one server with one token.

    Redirects are not followed: the token is for this server only.
    """

    def __init__(self, url: str, token: str) -> None:
        """
        Take where to.

        Args:
            url: ``https://HOST[:PORT][/PREFIX]``, or http.
            token: The secret that is sent with each request.

        Raises:
            click.UsageError: That is no such address.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None or parts.query:
            raise click.UsageError("--url is the address of a server, https://HOST, without a user and a query.")
        if not token.isascii() or not token.isprintable() or not token:
            raise click.UsageError("The token is empty, or has characters that no token has.")
        self.url = url.rstrip("/")
        self._parts = parts
        self._token = token
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            click.echo(f"Warning: the token goes to {parts.hostname} unencrypted; use https.", err=True)

    def ask(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """
        Send a request; return what the answer's JSON says, ``None`` for none.

        Args:
            method: Of HTTP.
            path: Below ``/api/v1``.
            query: Values that are ``None`` are left out.
            body: Is sent as JSON unless it is ``None``.

        Raises:
            ServerRefusal: The answer is an error.
            ServerUnreachable: There is no answer.
        """
        return self._ask(method, path, query, body)[0]

    def read(self, kind: type[T], method: str, path: str, **more: Any) -> T:
        """Send a request; return the answer as a struct. Raises as ``ask`` does."""
        try:
            return msgspec.convert(self.ask(method, path, **more), kind)
        except msgspec.ValidationError as error:
            raise ServerUnreachable(self.url, f"its answer is not as expected ({error})") from None

    def pages(self, kind: type[T], path: str, **query: Any) -> Iterator[T]:
        """Yield the items of a list, over all its pages. Raises as ``ask`` does."""
        page, rest = 1, True
        while rest:
            found, headers = self._ask("GET", path, {**query, "page": page, "limit": _PAGE_LENGTH}, None)
            yield from msgspec.convert(found, list[kind])  # type: ignore[valid-type] # a type made of a type
            rest = 'rel="next"' in headers.get("Link", "")
            page += 1

    def with_headers(self, path: str, query: Mapping[str, Any]) -> tuple[Any, Mapping[str, str]]:
        """Return what the answer says, and its headers. Raises as ``ask`` does."""
        return self._ask("GET", path, query, None)

    def _ask(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: Any
    ) -> tuple[Any, Mapping[str, str]]:
        given = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        address = f"{self._parts.path.rstrip('/')}/api/v1{path}" + (f"?{urlencode(given)}" if given else "")
        headers = {"Accept": "application/json, application/problem+json", "Authorization": f"Bearer {self._token}"}
        connection = self._connect()
        try:
            connection.request(method, address, None if body is None else msgspec.json.encode(body), headers)
            response = connection.getresponse()
            content = response.read(_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnreachable(self.url, str(error) or type(error).__name__) from None
        finally:
            connection.close()
        if len(content) > _ANSWER_BYTES:
            raise ServerUnreachable(self.url, "its answer is too long")
        document = _document(content)
        if response.status not in _OK:
            raise self._refusal(response.status, document)
        return document, dict(response.getheaders())

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=_SECONDS)

    def _refusal(self, status: int, document: Any) -> PypiserveError:
        problems = document.get("problems") if isinstance(document, dict) else None
        if not isinstance(problems, list) or not problems or not isinstance(problems[0], dict):
            return ServerUnreachable(self.url, f"it answers {status}, and not as pypiserve does")
        code, sentence = (str(problems[0].get(name, "")) for name in ("code", "message"))
        return ServerRefusal(status, code, sentence)


def code_of(error: PypiserveError) -> str:
    """Return the code of an error, which is the server's own for its refusals."""
    return error.server_code if isinstance(error, ServerRefusal) else error.code


def path_of(*segments: str) -> str:
    """Return a path of segments, each encoded as a whole."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def _document(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    return "true" if value is True else "false" if value is False else str(value)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
