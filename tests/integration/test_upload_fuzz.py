"""Hostile bytes: the server never fails, never hangs, and keeps nothing of what it refuses."""

from __future__ import annotations

import http.client
import logging
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from raw_http import RawConnection
from uploading import (
    BOUNDARY,
    Part,
    content_part,
    data_of,
    encode,
    head_of,
    kept_by,
    usual_parts,
)

from pypiserve.testing import a_wheel
from pypiserve.testing.server import Reply, ServerUnderTest

WHEEL = a_wheel()
BODY = encode([*usual_parts(WHEEL, name="demo", version="1.0"), Part("classifiers", "A"), content_part(WHEEL)])
PIECES = [
    f"--{BOUNDARY}".encode(),
    f"\r\n--{BOUNDARY}\r\n".encode(),
    f"--{BOUNDARY}--\r\n".encode(),
    b'Content-Disposition: form-data; name="content"; filename="demo-1.0.tar.gz"\r\n\r\n',
    b'Content-Disposition: form-data; name=":action"\r\n\r\nsubmit',
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Type: multipart/mixed; boundary=x\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b'"',
    b"%00%0a%22",
    b"\xff\xfe",
    WHEEL.content,
    WHEEL.content[:50],
]
FUZZ = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server with small limits, which stands at the end as it stood at the beginning."""
    limits = "max_file_size_bytes = 100000\nmax_form_bytes = 10000\n"
    with ServerUnderTest(tmp_path_factory.mktemp("site"), limits) as running:
        yield running
        assert running.get("/-/health").status == http.client.OK
        assert kept_by(data_of(running)).staged == ()


def reply_to(server: ServerUnderTest, request: bytes, *, end: bool = False) -> Reply | None:
    """
    Send a request and read the answer; ``None`` when the connection was closed without one.

    Args:
        end: Say that nothing more will come. Who does so is taken for gone, and may get no answer.
    """
    with RawConnection(server) as connection:
        try:
            connection.send(request)
            if end:
                connection.socket.shutdown(socket.SHUT_WR)
            return connection.reply()
        except ConnectionError:
            return None


def changes() -> st.SearchStrategy[list[tuple[int, int, bytes]]]:
    """Some places in the body, how much is cut out there, and what is put in."""
    piece = st.one_of(st.sampled_from(PIECES), st.binary(max_size=20))
    return st.lists(st.tuples(st.integers(0, len(BODY)), st.integers(0, 40), piece), min_size=1, max_size=4)


@FUZZ
@given(changes=changes())
def test_a_damaged_upload_is_answered(
    site: ServerUnderTest, caplog: pytest.LogCaptureFixture, changes: list[tuple[int, int, bytes]]
) -> None:
    """A refusal in one line, or a publication, when the damage did no harm."""
    body = BODY
    for at, cut, piece in changes:
        body = body[:at] + piece + body[at + cut :]
    caplog.clear()
    reply = reply_to(site, head_of(site, Content_Length=str(len(body))) + body)
    assert reply is not None
    event(str(reply.status))
    assert reply.status < http.client.INTERNAL_SERVER_ERROR
    assert reply.text.split("\n")[0].isprintable()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@FUZZ
@given(body=st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)))
def test_any_body_is_answered(site: ServerUnderTest, body: bytes) -> None:
    """Random bytes, and random orders of what forms are made of."""
    reply = reply_to(site, head_of(site, Content_Length=str(len(body))) + body)
    assert reply is not None
    assert reply.status in {http.client.OK, http.client.CREATED, http.client.BAD_REQUEST}


@FUZZ
@given(
    name=st.sampled_from(
        [
            "Content-Type",
            "Content-Length",
            "Authorization",
            "Accept",
            "Expect",
            "Transfer-Encoding",
            "Host",
            "Connection",
        ]
    ),
    value=st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60),
    begin=st.sampled_from(["", "multipart/form-data; boundary=", "Bearer ", "Basic ", "text/", "chunked", "1"]),
)
def test_any_header_is_answered(site: ServerUnderTest, name: str, value: str, begin: str) -> None:
    """No header makes the server fail; a request that is none may find its connection closed."""
    head = head_of(site, **{name.replace("-", "_"): begin + value})
    if name not in {"Content-Length", "Transfer-Encoding"}:
        head = head.replace(b"\r\n", b"\r\nContent-Length: %d\r\n" % len(BODY), 1)
    reply = reply_to(site, head + BODY, end=True)
    event(str(reply.status if reply else None))
    assert reply is None or reply.status < http.client.INTERNAL_SERVER_ERROR


@FUZZ
@given(path=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_any_address_is_answered(site: ServerUnderTest, path: str) -> None:
    """What stands behind the host reaches no handler that it could break."""
    for begin in ("/", "/api/packages/main/pypi", "/api/packages/"):
        head = head_of(site, path=begin + path, Content_Length=str(len(BODY)))
        reply = reply_to(site, head + BODY)
        assert reply is None or reply.status < http.client.INTERNAL_SERVER_ERROR
