"""What the addresses for programs share: bounded JSON bodies, pages of lists, answers that nobody keeps."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec.structs import fields

from pypiserve.core.errors import InvalidUpload, NotFound
from pypiserve.core.versions import parse_version
from pypiserve.services.curation import Change, Curation, Target
from pypiserve.web.base import BaseHandler
from pypiserve.web.bodies import declared_bytes
from pypiserve.web.problems import BodyTooLarge, InvalidRequest, UnsupportedEncoding
from pypiserve.web.simple import project_name
from pypiserve.web.site import IndexPath, Site

__all__ = ["MAX_BODY_BYTES", "ApiHandler"]

T = TypeVar("T")
Query = TypeVar("Query", bound=msgspec.Struct)

MAX_BODY_BYTES = 64 * 1024
"""Longest body of a request."""


class ApiHandler(BaseHandler):
    """Takes and sends JSON. Credentials come in ``Authorization`` alone, so that no browser sends them unasked."""

    def initialize(self, *, site: Site, root: IndexPath | None = None) -> None:
        """Take what the routes hand over; nothing is received yet."""
        super().initialize(site=site, root=root)
        self._body: list[bytes] = []
        self._body_bytes = 0

    async def prepare(self) -> None:
        """Refuse at the headers what can be refused there."""
        await super().prepare()
        if self.is_refused:
            return
        if "Content-Encoding" in self.request.headers:
            self.refuse(UnsupportedEncoding())
        elif declared_bytes(self.request.headers) > MAX_BODY_BYTES:
            self.refuse(BodyTooLarge(MAX_BODY_BYTES))

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Keep the body, within the bound."""
        if self.is_refused:
            return super().data_received(chunk)
        self._body_bytes += len(chunk)
        if self._body_bytes > MAX_BODY_BYTES:
            self._body.clear()
            self.refuse(BodyTooLarge(MAX_BODY_BYTES))
        else:
            self._body.append(chunk)
        return None

    def hint_for_method(self) -> str:
        """Say where the addresses are described."""
        return "the reference of the interface for programs lists what each address takes"

    def read_body(self, kind: type[T], *, empty: T | None = None) -> T:
        """
        Read the body as a JSON object.

        Args:
            kind: What it is to be; unknown members are refused.
            empty: What an empty body stands for; ``None`` refuses it.

        Raises:
            InvalidRequest: It is something else.
        """
        body = b"".join(self._body)
        if not body.strip() and empty is not None:
            return empty
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequest(f"its body is not the JSON object that is wanted: {error}") from None

    def read_query(self, kind: type[Query]) -> Query:
        """
        Read the query.

        Args:
            kind: What it is to be; of what is given twice the last counts.

        Raises:
            InvalidRequest: It is something else.
        """
        given = {name: values[-1].decode("utf-8", "replace") for name, values in self.request.query_arguments.items()}
        try:
            known = {
                field.name: _from_text(given[field.name], field.type) for field in fields(kind) if field.name in given
            }
            return msgspec.convert(given | known, kind)
        except msgspec.ValidationError as error:
            raise InvalidRequest(f"its query is not as wanted: {error}") from None

    def send_json(self, document: Any, *, status: int = 200) -> None:
        """Send JSON that no cache keeps."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(msgspec.json.encode(document) + b"\n")

    def send_nothing(self) -> None:
        """Say that it is done."""
        self.set_status(204)
        self.set_header("Cache-Control", "no-store")
        self.finish()

    def set_page_headers(self, page: int, limit: int, total: int) -> None:
        """Say how long the whole list is, and where its other pages are. Spec: RFC 8288."""
        last = max(1, -(-total // limit))
        wanted = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
        links = [
            f'<{self.address_with(page=str(number))}>; rel="{name}"'
            for name, number in wanted.items()
            if 1 <= number <= last and number != page
        ]
        self.set_header("X-Total-Count", str(total))
        if links:
            self.set_header("Link", ", ".join(links))

    @property
    def curation(self) -> Curation:
        """Changes in the name of who asks."""
        return self.site.curation.acting_as(self.actor)

    async def change(self, change: Change[T]) -> T:
        """
        Make a change in the index of the request; the next answer of this process knows of it.

        Raises:
            PypiserveError: It is refused.
        """
        done = await self.site.curation.apply(self.index, change)
        await self.site.follower.catch_up()
        return done

    def target(self, project: str, version: str | None = None, filename: str | None = None) -> Target:
        """
        Return what an address is about.

        Raises:
            NotFound: No project or release can be called so.
        """
        name = project_name(project)
        if version is not None:
            self.known_version(version)
        return Target(name, version, filename)

    def known_version(self, version: str) -> str:
        """
        Return a version of an address as it is.

        Raises:
            NotFound: It is none.
        """
        try:
            parse_version(version)
        except InvalidUpload:
            raise NotFound(f"A release {version[:80]!r}") from None
        return version

    def address_with(self, **changed: str) -> str:
        """Return the address of the request with other values in its query."""
        query = {name: values[-1].decode("utf-8", "replace") for name, values in self.request.query_arguments.items()}
        return f"{self.site.addresses.prefix}{self.request.path}?{urlencode(query | changed)}"


def _from_text(text: str, kind: Any) -> Any:
    """Read numbers and switches from text; but no times from numbers, and nothing from the word "null"."""
    found = msgspec.convert(text, kind, strict=False)
    return found if isinstance(found, int) else msgspec.convert(text, kind)
