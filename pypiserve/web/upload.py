"""
The upload endpoint: one POST for each file, answered where it was sent and never redirected.

Spec: legacy upload API (the practice of PyPI and its clients).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from pypiserve.core.errors import FileTooLarge, Problem, PypiserveError
from pypiserve.core.filenames import parse_filename
from pypiserve.core.identity import Action
from pypiserve.services.access import Extent
from pypiserve.services.admission import check_length
from pypiserve.services.upload_checks import Form, Upload
from pypiserve.web.base import BaseHandler
from pypiserve.web.bodies import declared_bytes
from pypiserve.web.multipart import NothingToPublish, UploadReceiver
from pypiserve.web.problems import UnsupportedEncoding, UploadStalled
from pypiserve.web.rules import requires
from pypiserve.web.silence import Silence
from pypiserve.web.site import IndexPath, Limits, Site
from pypiserve.web.success import outcome_of, success_body

__all__ = ["UploadHandler"]

T = TypeVar("T")

_FRAMING_BYTES = 4 << 20
"""Room for boundaries and part headers, beside the bounds on what the parts hold."""

_BODY_SECONDS = 6 * 3600
"""How long one upload may take: 2 GiB at 100 KB/s. What a vanished client left unfinished is given up then."""

_SILENT_SECONDS = 300.0
"""How long nothing may come of an upload that is not complete: its client has vanished, or is of no use."""

_BATCH_BYTES = 1 << 20
"""Bytes that are parsed, hashed and written in one step in a thread; smaller steps cost more than they hold."""


class UploadHandler(BaseHandler):
    """Receives, and publishes through ``services.publishing``."""

    def initialize(self, *, site: Site, root: IndexPath | None = None) -> None:
        """Take what the routes hand over; nothing is received yet."""
        super().initialize(site=site, root=root)
        self._receiver: UploadReceiver | None = None
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._feeding: asyncio.Future[None] | None = None
        self._is_large = False
        self._at_least_bytes = 0
        self._silence: Silence | None = None
        self._forgetting: asyncio.Future[None] | None = None
        self._is_complete = False

    async def prepare(self) -> None:
        """Refuse at the headers what can be refused there, and get ready to receive the rest."""
        await super().prepare()
        if not self.is_refused and self.request.method == "POST":
            try:
                self._receiver = self._new_receiver()
                self._silence = Silence(_SILENT_SECONDS, self._stall)
            except PypiserveError as error:
                self.refuse(error)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Take bytes of the body; the connection reads on when a full batch was dealt with."""
        if self._receiver is None or self.is_refused:
            return super().data_received(chunk)
        self._heard()
        self._batch.append(chunk)
        self._batch_bytes += len(chunk)
        return self._hand_over() if self._is_batch() else None

    @requires(Action.PUBLISH, extent=Extent.SOME_PROJECT)
    async def post(self) -> None:
        """Publish the file: 201 for a new one, 200 when the same bytes are there already."""
        self._is_complete = True
        self._end_silence()
        receiver = self._receiver
        try:
            assert receiver is not None  # noqa: S101 - prepare() made it, or this method does not run
            await self._settle()
            # Again: the body may have taken hours, and what was withdrawn meanwhile is withdrawn.
            await self.authorise(Action.PUBLISH)
            rest = b"".join(self._batch)
            publication = await self.site.publishing.publish(
                self.index,
                self.identity,
                lambda: self._checked(receiver.finish(rest)),
                is_small=not self._is_large,
                by=self.actor,
            )
        except NothingToPublish:
            self._send(200, "Nothing to register: publish a file, and its project is there")
            return
        finally:
            await self._discard()
        status, text = outcome_of(publication)
        self._send(status, text, publication.warnings)

    def refuse(self, refusal: Exception) -> None:
        """Refuse, and wait no longer for the rest."""
        self._end_silence()
        self._batch.clear()
        super().refuse(refusal)

    def hint_for_method(self) -> str:
        """Say what else there is to do."""
        return "it is for publishing, and the pages to install from are at simple/"

    def on_connection_close(self) -> None:
        """Forget an upload whose client went away in the middle."""
        self._end_silence()
        if self._is_complete:
            # The method runs to its end, cleans up itself, and is waited for by a stop until then.
            return
        # A stop waits for this request until nothing of it is left.
        self._forgetting = asyncio.ensure_future(self._discard())
        self._forgetting.add_done_callback(lambda _: super(UploadHandler, self).on_connection_close())

    def _new_receiver(self) -> UploadReceiver:
        headers = self.request.headers
        if "Content-Encoding" in headers:
            raise UnsupportedEncoding
        limits = self._limits()
        declared = declared_bytes(headers)
        self._at_least_bytes = max(0, declared - limits.max_form_bytes - _FRAMING_BYTES)
        if self._at_least_bytes > limits.max_file_size_bytes:
            raise FileTooLarge(limits.max_file_size_bytes)
        check_length(self.index, self._at_least_bytes)
        # The receiver counts. A body in chunks does not say how long it is, and what is too much is thrown away.
        self.connection.set_max_body_size(sys.maxsize)
        self.connection.set_body_timeout(_BODY_SECONDS)
        self._is_large = "Content-Length" not in headers or declared > _BATCH_BYTES
        receiver = UploadReceiver(
            headers.get("Content-Type", ""), staging=self.site.staging, limits=limits, admit=self._refuse_early
        )
        if receiver.fault is not None:
            raise receiver.fault
        return receiver

    def _refuse_early(self, form: Form) -> None:
        # What is complete in a moment is judged once.
        if self._is_large:
            self._check_project(form)
            self.site.publishing.refuse_early(
                self.index, self.identity, form, at_least_bytes=self._at_least_bytes or None
            )

    def _check_project(self, form: Form) -> None:
        """Hold the project, which is known by now, against the right to publish in some of them."""
        if not self.permit.reach.everything:
            self.permit.check(parse_filename(form.filename).project)

    def _checked(self, upload: Upload) -> Upload:
        self._check_project(upload)
        return upload

    def _limits(self) -> Limits:
        limits, of_index = self.site.limits, self.index.rules.max_file_size_bytes
        if of_index is None or of_index > limits.max_file_size_bytes:
            return limits
        return replace(limits, max_file_size_bytes=of_index)

    def _is_batch(self) -> bool:
        if self._batch_bytes >= _BATCH_BYTES:
            return True
        # Of what is large each piece is looked at until the file begins: then it may turn out that it is in vain.
        return self._is_large and self._receiver is not None and not self._receiver.has_file

    async def _hand_over(self) -> None:
        """Give the batch to a thread, when it is done with the one before: the next is received meanwhile."""
        await self._settle()
        if self._batch and self._receiver is not None and not self.is_refused:
            data = b"".join(self._batch)
            self._batch.clear()
            self._batch_bytes = 0
            self._feeding = asyncio.ensure_future(self._feed(self._receiver, partial(self._receiver.feed, data)))

    async def _feed(self, receiver: UploadReceiver, work: Callable[[], None]) -> None:
        await self._in_thread(work)
        self._heard()
        if receiver.fault is not None and self._may_refuse():
            self.refuse(receiver.fault)

    def _may_refuse(self) -> bool:
        """Tell whether the body is still coming in; afterwards the method answers, and for a lost client nobody."""
        return not (self._is_complete or self.is_refused or self._forgetting)

    def _stall(self) -> None:
        receiver = self._receiver
        assert receiver is not None  # noqa: S101 - the silence is that of what it receives
        if self._feeding is not None and not self._feeding.done():
            # The disk is as slow; that nothing comes is not the client's fault.
            self._silence = Silence(_SILENT_SECONDS, self._stall)
            return
        give_up = partial(receiver.give_up, UploadStalled(_SILENT_SECONDS))
        self._feeding = asyncio.ensure_future(self._feed(receiver, give_up))

    def _heard(self) -> None:
        if self._silence is not None:
            self._silence.heard()

    def _end_silence(self) -> None:
        if self._silence is not None:
            self._silence.end()

    async def _settle(self) -> None:
        feeding = self._feeding
        if feeding is None:
            return
        try:
            await feeding
        finally:
            # Not before: whoever looks meanwhile shall see that it runs.
            if self._feeding is feeding:
                self._feeding = None

    async def _discard(self) -> None:
        if self._receiver is None:
            return
        await self._settle()
        if self._is_large:
            await self._in_thread(self._receiver.discard)
        else:
            # A file of this size is in memory, or gone in less time than a thread takes to wake up.
            self._receiver.discard()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.site.threads, work)

    def _send(self, status: int, text: str, warnings: Sequence[Problem] = ()) -> None:
        media_type, body = success_body(text, warnings, self.request.headers.get("Accept"))
        self.set_status(status)
        self.set_header("Content-Type", media_type)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Vary", "Accept")
        self.finish(body)
