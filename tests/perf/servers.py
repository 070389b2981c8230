"""What a benchmark needs to know of a server, whoever wrote it; and pypiserve itself."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from pypiserve import __version__
from pypiserve.settings import read_settings

from .client import Connection, WrongAnswer, check
from .corpus import Corpus
from .processes import ServerProcess
from .uploads import publish
from .wheels import WheelFile

__all__ = ["FORMS", "HTML", "JSON", "PYPISERVE", "Form", "Pypiserve", "Server"]

PYPISERVE = (sys.executable, "-m", "pypiserve")
"""The command of this repository."""

_START_SECONDS = 60
_POLL_SECONDS = 0.002


@dataclass(frozen=True)
class Form:
    """One form of a page: a media type, compressed or not."""

    label: str
    media_type: str
    gzip: bool

    @property
    def headers(self) -> dict[str, str]:
        """What a client sends to get this form."""
        return {"Accept": self.media_type, "Accept-Encoding": "gzip" if self.gzip else "identity"}


_JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML = Form("HTML", "text/html", gzip=False)
JSON = Form("JSON", _JSON_TYPE, gzip=False)
FORMS = (HTML, Form("HTML, gzip", "text/html", gzip=True), JSON, Form("JSON, gzip", _JSON_TYPE, gzip=True))


class Server(ABC):
    """
    A server under measurement.

    Attributes:
        label: Its name in the tables.
        forms: The forms of a project page that it offers.
        has_etag: Whether its pages can be revalidated with ``If-None-Match``.
        has_files: Whether it serves distribution files.
        credentials: Name and password to publish with; None when it takes no uploads.
        upload_path: Where files are posted to.
        accepts: The media type that its first answer is asked for in.
    """

    label: str
    forms: tuple[Form, ...] = (HTML,)
    has_etag = False
    has_files = True
    credentials: tuple[str, str] | None = None
    upload_path = "/"
    accepts: str = HTML.media_type

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: ServerProcess | None = None
        folder.mkdir()

    @abstractmethod
    def version(self) -> str:
        """Say name and version of what runs."""

    @abstractmethod
    def command(self) -> list[str]:
        """Say how the server is started on ``self.port``."""

    async def prepare(self) -> None:
        """Start the server, empty and ready to take uploads."""
        await self.start()

    async def fill(self, corpus: Corpus) -> None:
        """Put the corpus into the server, and leave it running."""
        await self.prepare()
        async with self.connection() as connection:
            for wheel in corpus.wheels:
                await publish(connection, wheel, self.authorization, path=self.upload_path)

    @property
    def process(self) -> ServerProcess:
        """The running process."""
        if self._process is None:
            raise RuntimeError(f"{self.label} does not run")
        return self._process

    @property
    def authorization(self) -> dict[str, str]:
        """The header that an upload carries."""
        return {"Authorization": "Basic " + base64.b64encode(":".join(self.credentials or ()).encode()).decode()}

    def page_path(self, project: str, form: Form = HTML) -> str:  # noqa: ARG002 - some servers need it
        """Say where a project's page is."""
        return f"/simple/{project}/"

    async def file_path(self, wheel: WheelFile) -> str:
        """Find a file's address the way a client does: on the page of its project."""
        page = self.page_path(wheel.name)
        async with self.connection() as connection:
            html: str = check(await connection.get(page, HTML.headers), f"{self.label}: {page}").body.decode()
        link = re.search(rf'href="([^"#]*{re.escape(wheel.filename)})["#]', html)
        if link is None:
            raise WrongAnswer(f"{self.label}: {page} does not list {wheel.filename}")
        address: str = link[1]
        return urljoin(page, address)

    def connection(self) -> Connection:
        """Make a connection to the running server."""
        return Connection(self.port)

    async def start(self, path: str = "/simple/") -> float:
        """Start the server and return the seconds until a path was answered with 200."""
        self.port = _free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYPISERVE_")}
        environment["TMPDIR"] = str(self.folder)
        command = self.command()
        began = time.perf_counter()
        self._process = ServerProcess(
            command, folder=self.folder, log=self.folder / "server.log", environment=environment
        )
        while not await self._answers(path):
            ended = self._process.ended()
            if ended is not None or time.perf_counter() - began > _START_SECONDS:
                raise WrongAnswer(f"{self.label} did not answer {path}: {ended or 'it still runs'}")
            await asyncio.sleep(_POLL_SECONDS)
        return time.perf_counter() - began

    async def _answers(self, path: str) -> bool:
        try:
            async with self.connection() as connection:
                return (await connection.get(path, {"Accept": self.accepts})).status == 200
        except (ConnectionError, WrongAnswer):
            return False

    def stop(self) -> None:
        """End the server, if it runs."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """End the server when the block ends, however it ends."""
        try:
            yield
        finally:
            self.stop()


class Pypiserve(Server):
    """The server of this repository: a process for each core, SQLite, a folder."""

    label = "pypiserve"
    forms = FORMS
    has_etag = True

    def version(self) -> str:
        workers = read_settings(file=None, environment={}, flags={}).number_of_workers
        return f"pypiserve {__version__} ({workers} workers)"

    def command(self) -> list[str]:
        return [*PYPISERVE, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", str(self.folder / "data")]

    async def prepare(self) -> None:
        await self.start()
        self.credentials = ("__token__", await asyncio.to_thread(self._new_token))

    def _new_token(self) -> str:
        command = [*PYPISERVE, "token", "create", "perf", "--data", str(self.folder / "data"), "--json"]
        made = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=60)
        token: str = json.loads(made.stdout)["token"]
        return token


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
