"""What is asked of whom: every request that needs a right, with the column of the table that answers it."""

from __future__ import annotations

import http.client
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pypiserve.testing import a_wheel
from pypiserve.testing.builders import BuiltFile
from pypiserve.testing.server import Reply, ServerUnderTest, multipart_form

__all__ = ["REQUESTS", "Asker", "Request", "spelt"]

_BASE = "/api/packages/{owner}/pypi"
_API = "/api/v1/packages/{owner}"
_OWNER = "/api/v1/owners/{owner}"
_PROJECT = _API + "/pypi/{project}"
_RELEASE = _PROJECT + "/1.0"
_FILE = _RELEASE + "/files/{file}"


@dataclass(frozen=True)
class Request:
    """
    A request.

    Attributes:
        column: Which of the table says who may.
        path: With ``{owner}``, ``{project}`` and ``{file}``, the name of its wheel.
        status: That of the answer to who may; of what is asked to be in vain it is an error.
        body: What is sent: a document, a method of XML-RPC, or ``wheel``.
        names: Whether the answer names the projects of which it tells.
    """

    column: str
    method: str
    path: str
    status: int = 200
    body: str = ""
    names: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}{self.body and f' {self.body}'}"


def _get(column: str, *paths: str, names: bool = False) -> list[Request]:
    return [Request(column, "GET", path, names=names) for path in paths]


REQUESTS: Sequence[Request] = (
    *_get("lists", _BASE + "/"),
    *_get("lists", f"{_BASE}/simple/", f"{_BASE}/mirror/simple/", f"{_BASE}/rss/updates.xml", names=True),
    *_get("lists", f"{_BASE}/rss/packages.xml", f"{_BASE}/stats", _API, names=True),
    *(
        Request("lists", "POST", _BASE + path, body="list_packages", names=True)
        for path in ("/pypi", "/RPC2", "/mirror/pypi")
    ),
    *_get("reads", _BASE + "/simple/{project}/", _BASE + "/mirror/simple/{project}/"),
    *_get("reads", _BASE + "/files/{project}/1.0/{file}", _BASE + "/files/{project}/1.0/{file}.metadata"),
    *_get("reads", "/packages/{owner}/pypi/{project}/1.0/{file}"),
    *_get("reads", *(_BASE + tree + "/pypi/{project}/json" for tree in ("", "/mirror"))),
    *_get("reads", *(_BASE + tree + "/pypi/{project}/1.0/json" for tree in ("", "/mirror"))),
    *_get("reads", _BASE + "/{project}/json", _BASE + "/{project}/1.0/json"),
    *_get("reads", _BASE + "/rss/project/{project}/releases.xml"),
    *_get("reads", _PROJECT, _PROJECT + "/-/latest", _PROJECT + "/-/status", _RELEASE, _RELEASE + "/files", _FILE),
    *(Request("publishes", "POST", _BASE + path, body="wheel") for path in ("/", "/legacy/")),
    Request("yanks", "PUT", _RELEASE + "/yank", 204, '{"reason": "broken"}'),
    Request("yanks", "DELETE", _RELEASE + "/yank", 204),
    Request("yanks", "PUT", _FILE + "/yank", 204),
    Request("yanks", "DELETE", _FILE + "/yank", 204),
    Request("deletes", "PUT", _PROJECT + "/-/status", 204, '{"status": "active"}'),
    # Each deletion is followed by what takes it back.
    Request("deletes", "DELETE", _FILE, 204),
    Request("deletes", "POST", _FILE + "/restore"),
    Request("deletes", "DELETE", _RELEASE, 204),
    Request("deletes", "POST", _RELEASE + "/restore"),
    Request("deletes", "DELETE", _PROJECT, 204),
    Request("deletes", "POST", _PROJECT + "/-/restore"),
    *_get("administers", _OWNER, *(_OWNER + path for path in ("/indexes", "/indexes/pypi", "/teams", "/grants"))),
    *_get("administers", "/api/v1/explain?subject=anyone&action=read&target={owner}", "/api/v1/audit?owner={owner}"),
    Request("administers", "PATCH", _OWNER, 400, '{"visibility": "secret"}'),
    Request("administers", "POST", _OWNER + "/indexes", 409, '{"name": "pypi"}'),
    Request("administers", "PATCH", _OWNER + "/indexes/pypi", 200, '{"rules": {}}'),
    Request("administers", "POST", _OWNER + "/teams", 400, '{"name": "!"}'),
    Request("administers", "PUT", _OWNER + "/grants", 400, '{"subject": "!", "role": "reader"}'),
    *_get("server", "/api/v1/users", "/api/v1/grants", "/api/v1/audit"),
    Request("server", "POST", "/api/v1/owners", 409, '{"name": "elsewhere"}'),
    Request("server", "PUT", "/api/v1/grants", 400, '{"subject": "!", "role": "reader"}'),
)


class Asker:
    """
    Asks a server, on one connection.

    Attributes:
        tokens: Credentials of some, by their names.
    """

    def __init__(self, server: ServerUnderTest, tokens: Mapping[str, str] | None = None) -> None:
        self.tokens = tokens or {}
        self._server = server
        self._connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        self._wheels: dict[str, BuiltFile] = {}

    def ask(self, request: Request, *, owner: str, project: str, token: str = "") -> Reply:
        """Send a request about a project of an owner."""
        wheel = self._wheel(project)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        media_type, body = _body(request.body, wheel)
        if body is not None:
            headers["Content-Type"] = media_type
        self._server.secrets.note_header(headers.get("Authorization"))
        path = request.path.format(owner=owner, project=project, file=wheel.filename)
        self._connection.request(request.method, path, body=body, headers=headers)
        response = self._connection.getresponse()
        sent = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, response.reason, sent, response.read())

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _wheel(self, project: str) -> BuiltFile:
        if project not in self._wheels:
            self._wheels[project] = a_wheel(project, "1.0")
        return self._wheels[project]


def _body(text: str, wheel: BuiltFile) -> tuple[str, bytes | None]:
    if text == "wheel":
        return multipart_form(
            {":action": "file_upload", "sha256_digest": wheel.sha256}, wheel.filename, wheel.content
        )
    if text == "list_packages":
        return "text/xml", xmlrpc.client.dumps((), text).encode()
    return "application/json", text.encode() or None


def spelt(reply: Reply, *names: str) -> tuple[int, str, Mapping[str, str], str]:
    """Return an answer without what differs between any two, and with a star for some names."""
    kept = {name: value for name, value in reply.headers.items() if name not in {"date", "x-request-id"}}
    reason, body = reply.reason, reply.text
    for name in names:
        reason, body = reason.replace(name, "*"), body.replace(name, "*")
    return reply.status, reason, kept, body
