"""
XML-RPC: what bandersnatch and ``pip search`` ask for, and nothing else. Spec: PyPI's XML-RPC methods.

A request is read as UTF-8 and has no document type: there are no entities to expand.
"""

from __future__ import annotations

import asyncio
import xmlrpc.client
from collections.abc import Awaitable
from typing import Any

from pypiserve.core.identity import Action
from pypiserve.services.access import Extent
from pypiserve.web.base import BaseHandler
from pypiserve.web.problems import UnsupportedMediaType
from pypiserve.web.rules import requires

__all__ = ["XmlRpcHandler"]

_MEDIA_TYPES = frozenset({"text/xml", "application/xml"})
_MAX_BYTES = 64 * 1024
_MAX_SERIAL = 2**31 - 1  # XML-RPC has no greater numbers
_CANNOT_READ = -32700
_WRONG_ARGUMENTS = -32602
_NOT_OFFERED = -32500
_OFFERED = frozenset(
    {
        "browse",
        "changelog_last_serial",
        "changelog_since_serial",
        "list_packages",
        "list_packages_with_serial",
        "package_roles",
        "search",
        "user_packages",
    }
)


class XmlRpcHandler(BaseHandler):
    """``pypi``: the change log."""

    def initialize(self, **given: Any) -> None:
        """Begin with no body."""
        super().initialize(**given)
        self._body = bytearray()

    async def prepare(self) -> None:
        """Refuse whatever is no XML: twine, pointed here, would take any answer with status 200 for success."""
        await super().prepare()
        if self.is_refused or self.request.method != "POST":
            return
        media_type = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type not in _MEDIA_TYPES:
            base = self.site.addresses.base(self.index.owner, self.index.name)
            self.refuse(UnsupportedMediaType("XML-RPC (text/xml)", f"{self.origin()}{base}/"))

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Keep the body up to its bound, and one byte more to know that there was more."""
        if self.is_refused:
            return super().data_received(chunk)
        self._body += chunk[: _MAX_BYTES + 1 - len(self._body)]
        return None

    @requires(Action.READ, extent=Extent.SOME_PROJECT)
    async def post(self) -> None:
        """Call a method; what goes wrong with it is a fault, with status 200."""
        try:
            method, arguments = _read(bytes(self._body))
            answer: Any = (await self._call(method, arguments),)
        except xmlrpc.client.Fault as fault:
            answer = fault
        # Not on the loop: fifty thousand changes take their time.
        text = await asyncio.get_running_loop().run_in_executor(self.site.threads, _write, answer)
        self.set_header("Content-Type", "text/xml; charset=utf-8")
        self.set_header("Cache-Control", "private, no-store")
        self.finish(text.encode())

    async def _call(self, method: str, arguments: tuple[Any, ...]) -> object:
        changes, index, reach = self.site.change_log, self.index, self.permit.reach
        match method, arguments:
            case "changelog_last_serial", ():
                return await changes.last_serial(index, reach)
            case "changelog_since_serial", (int(serial),) if 0 <= serial <= _MAX_SERIAL:
                return await changes.since(index, reach, serial)
            case "list_packages_with_serial", ():
                return await changes.serials(index, reach)
            case "list_packages", ():
                return list(await changes.serials(index, reach))
            case "search", ({"name": str() | list() as words}, *operator) if operator in ([], ["and"], ["or"]):
                every = operator != ["or"]
                return await self.site.search.by_name(index, reach, _words(words), every=every)
            case ("package_roles" | "user_packages", (str(),)) | ("browse", (list(),)):
                # Who may do what is not for everybody who may read, and there is no list of classifiers.
                return []
            case _ if method in _OFFERED:
                raise xmlrpc.client.Fault(_WRONG_ARGUMENTS, f"TypeError: wrong arguments for {method}")
        raise xmlrpc.client.Fault(_NOT_OFFERED, "RuntimeError: This index does not offer this method")


def _words(words: str | list[Any]) -> list[str]:
    return [words] if isinstance(words, str) else [word for word in words if isinstance(word, str)]


def _write(answer: Any) -> str:
    return xmlrpc.client.dumps(answer, methodresponse=True, allow_none=True, encoding="utf-8")


def _read(body: bytes) -> tuple[str, tuple[Any, ...]]:
    if len(body) > _MAX_BYTES:
        raise xmlrpc.client.Fault(_CANNOT_READ, f"ValueError: a request has at most {_MAX_BYTES} bytes")
    try:
        text = body.decode()
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise ValueError("a document type")  # noqa: TRY301 - all that cannot be read is told alike
        # From text, the parser does not heed the encoding that it declares.
        arguments, method = xmlrpc.client.loads(text, use_builtin_types=True)
    except Exception as error:
        raise xmlrpc.client.Fault(_CANNOT_READ, "ValueError: the request is no XML-RPC call") from error
    return method or "", arguments
