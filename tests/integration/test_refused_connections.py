"""A refusal costs nobody the connection: clients ask again on it, with credentials this time."""

from __future__ import annotations

import pytest
from raw_http import RawConnection

from pypiserve.testing.fixtures import MakeServer

# Method, path and status of what is refused before its method runs.
REFUSED = [
    ("GET", "/simple/", 401),
    ("HEAD", "/simple/demo/", 401),
    ("GET", "/api/packages/main/pypi/files/demo/1.0/demo-1.0-py3-none-any.whl.metadata", 401),
    ("POST", "/", 401),
    ("DELETE", "/simple/", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), REFUSED)
def test_a_refusal_leaves_the_connection_usable(make_server: MakeServer, method: str, path: str, status: int) -> None:
    """The next request on the connection of a refused one is answered, as uv takes for granted after a 401."""
    server = make_server("private = true\n")
    with RawConnection(server) as connection:
        for _ in range(2):
            connection.ask(method, path)
            reply = connection.reply(to_head=method == "HEAD")
            assert reply.status == status
            assert "connection" not in reply.headers
