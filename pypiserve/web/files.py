"""
Serving files and their core metadata: ranges, validators, no content coding.

Spec: RFC 9110 sections 13 and 14; Simple repository API for ``.metadata`` (PEP 658).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from email.utils import format_datetime
from typing import BinaryIO, TypeVar

from tornado.iostream import StreamClosedError

from pypiserve.core.errors import StorageUnavailable
from pypiserve.core.identity import Action
from pypiserve.core.index_rules import ExistingFiles
from pypiserve.plugin import LocalFile, Redirect
from pypiserve.services.downloads import METADATA_SUFFIX, Download
from pypiserve.web.base import BaseHandler
from pypiserve.web.ranges import ByteRange, Unsatisfiable, etag_matches, if_range_matches, parse_range
from pypiserve.web.rules import requires
from pypiserve.web.sendfile import FIRST_BYTES, open_at, send_rest
from pypiserve.web.simple import project_name

__all__ = ["FileHandler"]

T = TypeVar("T")

_YEAR_SECONDS = 31_536_000


class FileHandler(BaseHandler):
    """``files/{project}/{version}/{filename}``, and the same with ``.metadata``."""

    @requires(Action.READ)
    async def get(self, project: str, version: str, filename: str) -> None:
        """Send a file, a range of it, or word that the client has it."""
        download = await self.site.downloads.find(
            self.index, project_name(project), version=version, filename=filename
        )
        etag = f'"{download.sha256}"'
        self._set_headers(download, etag)
        if etag_matches(self.request.headers.get("If-None-Match"), etag):
            self.set_status(304)
            self.finish()
        elif isinstance(download.location, Redirect):
            self._redirect_away(download.location)
        else:
            await self._send_range(download, etag)

    head = get

    def _set_headers(self, download: Download, etag: str) -> None:
        is_metadata = download.filename.endswith(METADATA_SUFFIX)
        self.set_header("Content-Type", "text/plain; charset=utf-8" if is_metadata else "application/octet-stream")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("ETag", etag)
        self.set_header("Last-Modified", format_datetime(download.published_at.replace(microsecond=0), usegmt=True))
        # no-transform: a proxy that labels or unpacks a .tar.gz breaks pip's hashes.
        shared = "public" if self.may_be_shared else "private"
        # Where a file can be replaced, its ETag tells whether it was; elsewhere a name has one content for ever.
        may_change = self.index.rules.existing_files is ExistingFiles.OVERWRITE
        age = "no-cache" if may_change else f"max-age={_YEAR_SECONDS}, immutable"
        self.set_header("Cache-Control", f"{shared}, {age}, no-transform")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")

    def _redirect_away(self, location: Redirect) -> None:
        # Kept for less than the address lives, and never as a permanent redirect: pip remembers those for ever.
        lifetime = int(location.lifetime.total_seconds()) // 2
        self.set_header("Cache-Control", f"private, max-age={lifetime}")
        self.clear_header("ETag")
        self.clear_header("Last-Modified")
        self.redirect(location.url, status=302)

    async def _send_range(self, download: Download, etag: str) -> None:
        size = download.size_bytes
        try:
            wanted = self._wanted_range(download, etag)
        except Unsatisfiable as error:
            self.set_status(416)
            self.set_header("Content-Range", error.content_range)
            self.set_header("Cache-Control", "no-store")
            self.finish()
            return
        if wanted is not None:
            self.set_status(206)
            self.set_header("Content-Range", wanted.content_range(size))
        start, stop = (wanted.start, wanted.stop) if wanted is not None else (0, size)
        self.set_header("Content-Length", str(stop - start))
        if self.request.method == "HEAD":
            self.finish()
            return
        try:
            await self._send_bytes(download, start, stop)
        except StreamClosedError:
            # The client has gone; there is nobody to tell.
            self.site.requests.end(self)

    def _wanted_range(self, download: Download, etag: str) -> ByteRange | None:
        headers = self.request.headers
        header = headers.get("Range")
        if header is None or not if_range_matches(headers.get("If-Range"), etag, download.published_at):
            return None
        return parse_range(header, download.size_bytes)

    async def _send_bytes(self, download: Download, start: int, stop: int) -> None:
        if not isinstance(download.location, LocalFile):
            async for chunk in self.site.downloads.stream(download, start=start, stop=stop):
                self.write(chunk)
                await self.flush()
            self.finish()
            return
        path = download.location.path
        length = stop - start
        file, first = await self._in_thread(lambda: _opened(path, start, min(length, FIRST_BYTES)))
        try:
            self.write(first)
            if len(first) < length:
                await self.flush()
                await send_rest(self, file, start=start + len(first), stop=stop)
        finally:
            file.close()
        self.finish()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.site.threads, work)


def _opened(path: os.PathLike[str], start: int, length: int) -> tuple[BinaryIO, bytes]:
    try:
        return open_at(path, start, length)
    except FileNotFoundError as error:
        # The catalog names bytes that the store does not have: the operator's problem, and not for ever.
        raise StorageUnavailable("The bytes of this file are missing in the file store") from error
    except OSError as error:
        raise StorageUnavailable("The file store cannot be read") from error
