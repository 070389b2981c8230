"""Uploads over bare connections: cut, stretched, in chunks, hesitating."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator

import pytest
from raw_http import RawConnection
from uploading import (
    content_part,
    data_of,
    encode,
    head_of,
    keeps_nothing,
    kept_by,
    published,
    usual_parts,
)

from pypiserve.core.identity import Role
from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

MAX_FILE_BYTES = 3_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server that the tests of this module share; each has projects of its own."""
    with ServerUnderTest(tmp_path_factory.mktemp("site"), f"max_file_size_bytes = {MAX_FILE_BYTES}\n") as running:
        yield running


def body_of(project: str, *, padding_bytes: int = 0) -> bytes:
    """Write the form of a wheel."""
    wheel = a_wheel(project, padding_bytes=padding_bytes)
    return encode([*usual_parts(wheel), content_part(wheel)])


def in_chunks(body: bytes, step: int) -> Iterator[bytes]:
    """Cut a body as ``Transfer-Encoding: chunked`` wants it."""
    for at in range(0, len(body), step):
        piece = body[at : at + step]
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("padding_bytes", [0, 2_500_000])
def test_a_connection_that_is_cut_leaves_nothing(site: ServerUnderTest, share: float, padding_bytes: int) -> None:
    """Wherever the client goes away, what was received is removed at once, not at the next start."""
    body = body_of("cut", padding_bytes=padding_bytes)
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(body))) + body[: int(len(body) * share)])
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.is_at_end()


@pytest.mark.parametrize("loss", ["token", "role"])
def test_what_was_withdrawn_during_an_upload_is_withdrawn(site: ServerUnderTest, loss: str) -> None:
    """Rights count when the last byte has come, since the first may be hours ago."""
    with site.catalog() as catalog:
        token = catalog.accounts.create_token(f"{loss}-lost", Role.PUBLISHER, owner="main").secret
    body = body_of(f"{loss}-lost")
    with RawConnection(site) as connection:
        head = head_of(site, token=token, Content_Length=str(len(body)), Expect="100-continue")
        connection.send(head)
        assert connection.head().startswith(b"HTTP/1.1 100 ")
        with site.catalog() as catalog:
            if loss == "token":
                catalog.accounts.revoke_token(f"{loss}-lost")
            else:
                catalog.accounts.withdraw(f"token:{loss}-lost", owner="main")
        connection.send(body)
        assert connection.reply().status == (401 if loss == "token" else 403)
    assert published(site, f"{loss}-lost") == []
    assert kept_by(data_of(site)).staged == ()


def test_a_connection_that_is_reset_leaves_nothing(site: ServerUnderTest) -> None:
    """The same when it ends with an error instead of an end."""
    body = body_of("reset", padding_bytes=2_500_000)
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(body))) + body[:-1000])
        deadline = time.monotonic() + 20
        while not kept_by(data_of(site)).staged:
            assert time.monotonic() < deadline
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_a_body_shorter_than_declared_is_not_published(site: ServerUnderTest) -> None:
    """The client says that it has sent all: the server does not believe the form, complete as it looks."""
    body = body_of("shorter")
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(body) + 10)) + body)
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.is_at_end()


def test_a_body_longer_than_declared_is_refused(site: ServerUnderTest) -> None:
    """What is read is an incomplete form; what comes behind it is no request."""
    body = body_of("longer")
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(body) - 10)) + body)
        reply = connection.reply()
    assert (reply.status, reply.text) == (
        http.client.BAD_REQUEST,
        "The upload ended before its last part was complete; send it again\n",
    )


@pytest.mark.parametrize("step", [7, 1000, 1 << 20])
def test_a_body_may_come_in_chunks(site: ServerUnderTest, step: int) -> None:
    """No client sends them so today; a proxy may."""
    with RawConnection(site) as connection:
        connection.send(head_of(site, Transfer_Encoding="chunked"))
        connection.send(b"".join(in_chunks(body_of(f"chunked{step}"), step)))
        assert connection.reply().status == http.client.CREATED
    assert len(published(site, f"chunked{step}")) == 1


@pytest.mark.parametrize("padding_bytes", [MAX_FILE_BYTES, 8 * MAX_FILE_BYTES])
def test_a_file_over_the_limit_is_refused_in_chunks_too(site: ServerUnderTest, padding_bytes: int) -> None:
    """Without a declared length the limit is found on the way, and the client still sees the answer."""
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, Transfer_Encoding="chunked"))
        for chunk in in_chunks(body_of("large", padding_bytes=padding_bytes), 1 << 18):
            connection.send(chunk)
        reply = connection.reply()
    assert reply.status == http.client.REQUEST_ENTITY_TOO_LARGE
    assert f"({MAX_FILE_BYTES} bytes)" in reply.text


@pytest.mark.parametrize("size", ["10000000000", "9" * 19, "9" * 5000])
def test_a_body_that_is_hopelessly_large_is_refused_before_it_comes(site: ServerUnderTest, size: str) -> None:
    """413 at once, and the connection is closed: nobody reads ten gigabytes to say no."""
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=size))
        reply = connection.reply()
        assert (reply.status, reply.headers["connection"]) == (http.client.REQUEST_ENTITY_TOO_LARGE, "close")
        assert connection.is_at_end()


def test_who_waits_for_permission_gets_it(site: ServerUnderTest) -> None:
    """A client that asks first is told to go on, and publishes."""
    body = body_of("expected")
    with RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(body)), Expect="100-continue"))
        assert connection.head().startswith(b"HTTP/1.1 100 ")
        connection.send(body)
        assert connection.reply().status == http.client.CREATED


def test_who_waits_for_permission_is_refused_without_sending(site: ServerUnderTest) -> None:
    """A client that asks first learns at once that it has no rights, and sends nothing."""
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, token="wrong", Content_Length="100000", Expect="100-continue"))
        reply = connection.reply()
        assert (reply.status, reply.headers["connection"]) == (http.client.UNAUTHORIZED, "close")
        assert connection.is_at_end()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Length": "-1"},
        {"Content_Length": "1e3"},
        {"Content_Length": "5, 6"},
        {"Content_Length": "5", "Transfer_Encoding": "chunked"},
        {"Transfer_Encoding": "gzip, chunked"},
        {"Transfer_Encoding": "chunked, chunked"},
    ],
)
def test_a_request_that_contradicts_itself_is_refused(site: ServerUnderTest, headers: dict[str, str]) -> None:
    """Two readings of where a request ends are how requests are smuggled past proxies."""
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, **headers) + b"5\r\nhello\r\n0\r\n\r\n")
        assert connection.reply().status == http.client.BAD_REQUEST
        assert connection.is_at_end()


def test_a_connection_serves_one_upload_after_the_other(site: ServerUnderTest) -> None:
    """Also after a refusal: what was thrown away is not taken for the next request."""
    with RawConnection(site) as connection:
        for token, status in [(None, 201), ("wrong", 401), (None, 200), ("wrong", 401), (None, 200)]:
            body = body_of("kept-alive")
            connection.send(head_of(site, token=token, Content_Length=str(len(body))) + body)
            assert connection.reply().status == status


def test_two_uploads_may_be_sent_without_waiting(site: ServerUnderTest) -> None:
    """The second request is already there while the first is answered."""
    requests = [
        head_of(site, Content_Length=str(len(body))) + body for body in (body_of("piped-a"), body_of("piped-b"))
    ]
    with RawConnection(site) as connection:
        connection.send(b"".join(requests))
        assert [connection.reply().status for _ in requests] == [http.client.CREATED] * 2
    assert published(site, "piped-a")
    assert published(site, "piped-b")


def test_an_address_that_is_no_text_is_refused(site: ServerUnderTest, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing fails when the client goes away from it in the middle either."""
    body = body_of("illegible")
    with keeps_nothing(site), RawConnection(site) as connection:
        head = head_of(site, path="/api/packages/%ff/pypi", Content_Length=str(len(body)))
        connection.send(head + body[:-100])
        assert connection.reply().status == http.client.BAD_REQUEST
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
