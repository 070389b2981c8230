"""
The upload endpoint: one POST for each file, answered where it was sent and never redirected.

Spec: legacy upload API (the practice of PyPI and its clients).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from pypiserve.core.errors import FileTooLarge
from pypiserve.core.identity import Action
from pypiserve.web.base import BaseHandler, declared_bytes
from pypiserve.web.multipart import UploadReceiver
from pypiserve.web.problems import UnsupportedEncoding
from pypiserve.web.rules import requires

__all__ = ["UploadHandler"]

T = TypeVar("T")

_FRAMING_BYTES = 4 << 20
"""Room for boundaries and part headers, beside the bounds on what the parts hold."""

_BATCH_BYTES = 1 << 20
"""Bytes that are parsed, hashed and written in one step in a thread; smaller steps cost more than they hold."""


class UploadHandler(BaseHandler):
    """Receives, and publishes through ``services.publishing``."""

    async def prepare(self) -> None:
        """Refuse at the headers what can be refused there, and get ready to receive the rest."""
        self._receiver: UploadReceiver | None = None
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._feeding: asyncio.Future[None] | None = None
        self._is_complete = False
        await super().prepare()
        if self._refusal is None and self.request.method == "POST":
            self._refusal = self._refusal_at_headers()
        if self._refusal is not None and not self._is_worth_draining():
            raise self._refusal

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Take bytes of the body; the connection reads on when a full batch was dealt with."""
        if self._refusal is not None or self._receiver is None:
            return None
        self._batch.append(chunk)
        self._batch_bytes += len(chunk)
        return self._hand_over() if self._batch_bytes >= _BATCH_BYTES else None

    @requires(Action.PUBLISH)
    async def post(self) -> None:
        """Publish the file: 201 for a new one, 200 when the same bytes are there already."""
        self._is_complete = True
        receiver = self._receiver
        try:
            self.check_refusal()
            assert receiver is not None  # noqa: S101 - prepare() made it, or there is a refusal
            await self._hand_over()
            await self._settle()
            upload = await self._in_thread(receiver.finish)
            if receiver.is_registration:
                self._send(200, "Nothing to register: publish a file, and its project is there")
                return
            publication = await self.site.publishing.publish(self.index, self.identity, upload)
        finally:
            await self._discard()
        if publication.created:
            self._send(201, f"Published {publication.filename}")
        else:
            self._send(200, f"Unchanged: {publication.filename} is published with the same content")

    def on_connection_close(self) -> None:
        """Forget an upload whose client went away in the middle."""
        super().on_connection_close()
        # When the body is complete, the method runs to its end and cleans up itself.
        if not self._is_complete and self._receiver is not None:
            asyncio.get_running_loop().create_task(self._discard())

    def _refusal_at_headers(self) -> Exception | None:
        headers = self.request.headers
        if "Content-Encoding" in headers:
            return UnsupportedEncoding()
        limits = self.site.limits
        max_body_bytes = limits.max_file_size_bytes + limits.max_form_bytes + _FRAMING_BYTES
        if declared_bytes(headers.get("Content-Length", "")) > max_body_bytes:
            return FileTooLarge(limits.max_file_size_bytes)
        self.connection.set_max_body_size(max_body_bytes)
        self._receiver = UploadReceiver(headers.get("Content-Type", ""), staging=self.site.staging, limits=limits)
        return None

    async def _hand_over(self) -> None:
        """Give the batch to a thread, when it is done with the one before: the next is received meanwhile."""
        await self._settle()
        if self._batch and self._receiver is not None:
            data = b"".join(self._batch)
            self._batch.clear()
            self._batch_bytes = 0
            self._feeding = asyncio.ensure_future(self._in_thread(partial(self._receiver.feed, data)))

    async def _settle(self) -> None:
        if self._feeding is not None:
            feeding, self._feeding = self._feeding, None
            await feeding

    async def _discard(self) -> None:
        if self._receiver is not None:
            await self._settle()
            await self._in_thread(self._receiver.discard)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.site.threads, work)

    def _send(self, status: int, text: str) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(text + "\n")
