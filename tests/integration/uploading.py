"""Uploads as clients build them and as they should not, and what a server keeps of them."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from raw_http import Address, request_head

from pypiserve.testing import BuiltFile
from pypiserve.testing.server import Reply

__all__ = [
    "BASE",
    "BOUNDARY",
    "JSON_LIKE_UV",
    "Kept",
    "Part",
    "Target",
    "content_part",
    "data_of",
    "digest_of",
    "encode",
    "events_of",
    "head_of",
    "keeps_nothing",
    "kept_by",
    "post",
    "published",
    "usual_parts",
    "wait_until_quiet",
]

BASE = "/api/packages/main/pypi"
BOUNDARY = "boundary-of-a-test"
JSON_LIKE_UV = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7"
_SECONDS = 20.0


class Target(Address, Protocol):
    """A running server, in a thread or in a process of its own."""

    folder: Path
    token: str

    @property
    def activity(self) -> tuple[int, int]:
        """How many connections are open, and how many requests are under way."""

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Send one request on a connection of its own."""


@dataclass(frozen=True)
class Part:
    """One part of a form; ``head`` replaces the generated header lines."""

    name: str
    value: bytes | str
    filename: str | None = None
    content_type: str | None = None
    head: bytes | None = None

    def encode(self) -> bytes:
        """Write the part, without the delimiters around it."""
        value = self.value.encode() if isinstance(self.value, str) else self.value
        if self.head is not None:
            return self.head + b"\r\n\r\n" + value
        head = f'Content-Disposition: form-data; name="{self.name}"'
        if self.filename is not None:
            head += f'; filename="{self.filename}"'
        if self.content_type is not None:
            head += f"\r\nContent-Type: {self.content_type}"
        return head.encode() + b"\r\n\r\n" + value


@dataclass(frozen=True)
class Kept:
    """Everything that an upload could leave behind in a data folder."""

    serial: int
    rows: Mapping[str, int]
    staged: tuple[str, ...]
    stored: tuple[str, ...]


def content_part(built: BuiltFile, filename: str | None = None) -> Part:
    """Make the part that carries the file."""
    return Part("content", built.content, filename=filename or built.filename)


def usual_parts(built: BuiltFile, **fields: str | None) -> list[Part]:
    """Make the fields that every client sends; ``None`` leaves one out, and further ones are added."""
    form = {":action": "file_upload", "protocol_version": "1", "sha256_digest": built.sha256, **fields}
    return [Part(name, value) for name, value in form.items() if value is not None]


def encode(parts: Sequence[Part], boundary: str = BOUNDARY) -> bytes:
    """Write a multipart body."""
    delimiter = b"--" + boundary.encode()
    return b"".join(delimiter + b"\r\n" + part.encode() + b"\r\n" for part in parts) + delimiter + b"--\r\n"


def data_of(server: Target) -> Path:
    """Name the data folder of a server with default settings."""
    return server.folder / "pypiserve-data"


def post(
    server: Target,
    body: bytes | Sequence[Part],
    *,
    path: str = BASE,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """POST a form with the administrator's token."""
    all_headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Authorization": f"Bearer {server.token}",
        **(headers or {}),
    }
    return server.request("POST", path, headers=all_headers, body=body if isinstance(body, bytes) else encode(body))


def head_of(server: Target, *, path: str = BASE, token: str | None = None, **headers: str | None) -> bytes:
    """Write the head of an upload request, for tests that send the body in their own way."""
    fields: dict[str, str | None] = {
        "Host": f"{server.host}:{server.port}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Authorization": f"Bearer {server.token if token is None else token}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return request_head("POST", path, {name: value for name, value in fields.items() if value is not None})


def kept_by(data: Path) -> Kept:
    """Take stock of a data folder."""
    with contextlib.closing(sqlite3.connect(data / "catalog.sqlite3")) as catalog:
        serial = catalog.execute("SELECT serial FROM journal_head").fetchone()[0]
        tables = ("projects", "releases", "blobs", "files", "events")
        rows = {table: catalog.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    staged = tuple(sorted(path.name for path in (data / "staging").iterdir()))
    stored = tuple(sorted(path.name for path in (data / "files").rglob("*") if path.is_file()))
    return Kept(serial, rows, staged, stored)


@contextlib.contextmanager
def keeps_nothing(server: Target, *, connections: int = 0) -> Iterator[None]:
    """
    Expect that what happens inside leaves no trace.

    Stock is taken when the server has nothing under way: what a lost connection sent may still be received when its
    client has forgotten it, and would be taken for something that was there before.

    Args:
        server: It may be asked by nobody else meanwhile.
        connections: How many are open around this, idle.
    """
    wait_until_quiet(server, connections=connections)
    before = kept_by(data_of(server))
    yield
    wait_until_quiet(server, connections=connections)
    after = kept_by(data_of(server))
    assert after == before, f"{before} has become {after}"


def wait_until_quiet(server: Target, *, connections: int = 0) -> None:
    """Wait until the server is done with all that was sent so far, and only so many connections are open."""
    # Connections are taken in the order in which they were made: those made before are known when this is answered.
    server.request("GET", "/-/health")
    deadline = time.monotonic() + _SECONDS
    while server.activity != (connections, 0):
        assert time.monotonic() < deadline, f"under way: {server.activity}"
        time.sleep(0.005)


def published(server: Target, project: str = "demo") -> list[str]:
    """Name the files on a project's page, as a client sees it now."""
    headers = {"Accept": "application/vnd.pypi.simple.v1+json", "Authorization": f"Bearer {server.token}"}
    reply = server.request("GET", f"{BASE}/simple/{project}/", headers=headers)
    if reply.status == http.client.NOT_FOUND:
        return []
    assert reply.status == http.client.OK
    return [file["filename"] for file in json.loads(reply.body)["files"]]


def events_of(server: Target, kind: str = "file.published") -> list[dict[str, Any]]:
    """Read the events of one kind from the journal, in order."""
    with contextlib.closing(sqlite3.connect(data_of(server) / "catalog.sqlite3")) as catalog:
        catalog.row_factory = sqlite3.Row
        rows = catalog.execute("SELECT * FROM events WHERE kind = ? ORDER BY serial", (kind,))
        return [dict(row) for row in rows]


def digest_of(algorithm: str, content: bytes) -> str:
    """Compute a digest by the name of its form field."""
    if algorithm == "blake2_256_digest":
        return hashlib.blake2b(content, digest_size=32).hexdigest()
    return hashlib.new(algorithm.removesuffix("_digest"), content).hexdigest()
