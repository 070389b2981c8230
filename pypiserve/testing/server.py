"""A real server for tests: built like the one that ``pypiserve serve`` runs, in a thread, on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import http.client
import secrets
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pypiserve.compose import OfflineCatalog, Server, make_catalog
from pypiserve.picks import pick
from pypiserve.plugin._loading import load_plugins
from pypiserve.settings import Settings, read_settings
from pypiserve.testing.builders import BuiltFile
from pypiserve.testing.secret_search import SecretSearch

__all__ = ["Reply", "ServerUnderTest"]

_CATALOG = "catalog.sqlite3"
_START_SECONDS = 30
_REQUEST_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """
    What the server answered.

    Attributes:
        headers: By lowercase name.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class ServerUnderTest:
    """
    A running server; a context manager.

    At its end it fails if a secret that a request carried stands in an answer, in the log, or in a file that the
    server has written.

    Attributes:
        folder: Where its settings file and its data folder are.
        host: ``127.0.0.1``.
        port: A free one.
        token: The administrator's API token; empty when no authenticator would recognise one.
        secrets: What must not be written down; note here what is not sent in a header.
    """

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.folder = folder
        self._file = folder / "pypiserve.toml"
        self._file.write_text(f'listen = "127.0.0.1:0"\n{settings}')
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread
        self._server: Server | None = None
        self.host = "127.0.0.1"
        self.port = 0
        self.token = ""
        self.secrets = SecretSearch()

    @property
    def url(self) -> str:
        """Address of the server, without trailing slash."""
        return f"http://{self.host}:{self.port}"

    @property
    def settings(self) -> Settings:
        """The settings, read anew."""
        return read_settings(file=self._file, environment={}, flags={})

    @property
    def activity(self) -> tuple[int, int]:
        """How many connections are open at the moment, idle ones included, and how many requests are under way."""
        return (0, 0) if self._server is None else self._server.activity

    def start(self) -> Self:
        """
        Start.

        Raises:
            ConfigurationError: The settings cannot work.
        """
        settings = self.settings
        self.secrets.listen()
        server = Server(settings, pick(settings, load_plugins(settings.plugins)))
        _lay_catalog(settings.data)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="server-under-test")
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(server.start(), self._loop).result(_START_SECONDS)
        except BaseException:
            self._end_thread()
            raise
        self._server = server
        self.port = server.port
        if server.prepared.first_token is not None:
            self.token = server.prepared.first_token.secret
            self.secrets.note(self.token)
        return self

    def stop(self) -> None:
        """Stop as on SIGTERM; safe to call again."""
        if self._server is not None:
            bound = self.settings.shutdown_seconds + _START_SECONDS
            asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(bound)
            self._server = None
            self._end_thread()

    def catalog(self) -> OfflineCatalog:
        """Open the catalog as the command line does, beside the running server; close it with ``with``."""
        return OfflineCatalog(self.settings)

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Send one request on a connection of its own; redirects are not followed."""
        self.secrets.note_header((headers or {}).get("Authorization"))
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_REQUEST_SECONDS)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            sent = {name.lower(): value for name, value in response.getheaders()}
            reply = Reply(response.status, response.reason, sent, response.read())
        finally:
            connection.close()
        self.secrets.check(f"the answer to {method} {path}", reply.reason, str(reply.headers), reply.body)
        return reply

    def get(self, path: str, *, token: str | None = None, **headers: str) -> Reply:
        """GET; keyword ``if_none_match="…"`` becomes the header ``If-None-Match``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            named["Authorization"] = f"Bearer {token}"
        return self.request("GET", path, headers=named)

    def publish(
        self, built: BuiltFile, *, token: str | None = None, path: str = "/api/packages/main/pypi/", **fields: str
    ) -> Reply:
        """
        Publish a file as a client does.

        Args:
            built: The file.
            token: API token; the administrator's unless given, none when empty.
            path: Where to.
            fields: More form fields, or others than the usual.
        """
        form = {":action": "file_upload", "protocol_version": "1", "sha256_digest": built.sha256, **fields}
        content_type, body = multipart_form(form, built.filename, built.content)
        headers = {"Content-Type": content_type}
        secret = self.token if token is None else token
        if secret:
            headers["Authorization"] = f"Bearer {secret}"
        return self.request("POST", path, headers=headers, body=body)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()
        self.secrets.check_log()
        if error is None:
            self.secrets.check_folder(self.folder)

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _lay_catalog(data: Path) -> None:
    """Give a new data folder its empty catalog: to make that anew takes longer than all else of a start."""
    if not data.exists() and data.parent.is_dir():
        # A folder that cannot be written is for the server to tell of.
        with contextlib.suppress(OSError):
            data.mkdir(mode=0o700)
            catalog = data / _CATALOG
            catalog.touch(mode=0o600)
            catalog.write_bytes(_empty_catalog())


@functools.cache
def _empty_catalog() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        make_catalog(read_settings(file=None, environment={}, flags={"data": folder}))
        return (Path(folder) / _CATALOG).read_bytes()


def multipart_form(fields: Mapping[str, str], filename: str, content: bytes) -> tuple[str, bytes]:
    """Encode an upload; return its ``Content-Type`` and body."""
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n\r\n'
    body = b"".join([*parts, head.encode(), content, f"\r\n--{boundary}--\r\n".encode()])
    return f"multipart/form-data; boundary={boundary}", body
