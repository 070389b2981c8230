"""The access log: one line for each request, whatever the request says."""

from __future__ import annotations

import logging

import pytest
from raw_http import RawConnection

from pypiserve.testing.fixtures import MakeServer


def test_an_address_cannot_write_control_characters_into_the_log(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes beyond ASCII, among them line ends and commands of terminals, are logged as escapes."""
    server = make_server()
    with caplog.at_level(logging.INFO, "pypiserve.access"):
        with RawConnection(server) as connection:
            connection.ask("GET", "/a\x85b\x9b31m")
            assert connection.reply().status == 404
        # The line is written after the answer.
        server.stop()
    (line,) = [record.getMessage() for record in caplog.records if record.name == "pypiserve.access"]
    assert r" GET /a\x85b\x9b31m 404 " in line
    assert line.isascii()
