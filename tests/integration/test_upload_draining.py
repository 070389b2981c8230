"""What a refused client still sends is read and thrown away, within bounds, and leaves nothing."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_http import RawConnection
from uploading import (
    content_part,
    data_of,
    encode,
    head_of,
    keeps_nothing,
    kept_by,
    usual_parts,
)

from pypiserve.services.staging import StagedFile
from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest
from pypiserve.web import draining, upload
from pypiserve.web.draining import DrainBounds

MEGABYTE = 1 << 20
_SECONDS = 15.0
LARGE = b"x" * (30 * MEGABYTE)
WHEEL = a_wheel("stalled", padding_bytes=4 * MEGABYTE)
TINY_BOUNDS = DrainBounds(reuse_bytes=MEGABYTE, max_bytes=2 * MEGABYTE, grace_seconds=0.2)
SMALL_BOUNDS = DrainBounds(reuse_bytes=4 * MEGABYTE, max_bytes=64 * MEGABYTE, idle_seconds=20.0, seconds=60.0)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server that the tests of this module share; each has projects of its own."""
    with ServerUnderTest(tmp_path_factory.mktemp("site"), "max_file_size_bytes = 40000000\n") as running:
        yield running
        assert kept_by(data_of(running)).staged == ()


def body_of(project: str) -> bytes:
    """Write the form of a wheel."""
    wheel = a_wheel(project)
    return encode([*usual_parts(wheel), content_part(wheel)])


def seconds_until_cut(connection: RawConnection, piece: bytes, *, pause_seconds: float = 0.0) -> float:
    """Send until the server takes no more, and return how long that took."""
    begun = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < begun + _SECONDS:
            connection.send(piece)
            time.sleep(pause_seconds)
    return time.monotonic() - begun


def test_a_stranger_is_answered_before_the_body_has_come(site: ServerUnderTest) -> None:
    """Who looks while sending can stop; who sends on finds the connection open, and can use it again."""
    body = body_of("after-the-early-answer")
    with RawConnection(site) as connection:
        with keeps_nothing(site, connections=1):
            connection.send(head_of(site, token="wrong", Content_Length=str(len(LARGE))) + LARGE[:1000])
            reply = connection.reply()
            assert (reply.status, "connection" in reply.headers) == (http.client.UNAUTHORIZED, False)
            connection.send(LARGE[1000:])
        connection.send(head_of(site, Content_Length=str(len(body))) + body)
        assert connection.reply().status == http.client.CREATED


def test_the_next_request_may_be_sent_behind_a_refused_one(site: ServerUnderTest) -> None:
    """A refused body ends where it was said to end: what is behind it is answered, and in order."""
    body = body_of("behind-a-refused-one")
    with RawConnection(site) as connection:
        refused = head_of(site, token="wrong", Content_Length=str(len(LARGE))) + LARGE
        connection.send(refused + head_of(site, Content_Length=str(len(body))) + body)
        assert connection.reply().status == http.client.UNAUTHORIZED
        assert connection.reply().status == http.client.CREATED


def test_beyond_the_bound_our_side_of_the_connection_is_closed(
    site: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is told so, sees the end behind the answer, and can send everything without meeting a reset."""
    monkeypatch.setattr(draining, "BOUNDS", SMALL_BOUNDS)
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, token="wrong", Content_Length=str(len(LARGE))) + LARGE[:1000])
        reply = connection.reply()
        assert (reply.status, reply.headers["connection"]) == (http.client.UNAUTHORIZED, "close")
        assert connection.is_at_end()
        connection.send(LARGE[1000:])


def test_a_client_that_reads_only_at_the_end_sees_the_answer(
    site: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twine and its like send everything first: the answer waits for them, although our side is closed for long."""
    monkeypatch.setattr(draining, "BOUNDS", SMALL_BOUNDS)
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, token="wrong", Content_Length=str(len(LARGE))) + LARGE)
        assert connection.reply().status == http.client.UNAUTHORIZED
        assert connection.is_at_end()


def test_a_client_that_sends_without_end_is_cut(site: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody makes the server read for ever; the answer is there for who looks for it."""
    monkeypatch.setattr(draining, "BOUNDS", TINY_BOUNDS)
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, token="wrong", Content_Length="9" * 17))
        assert connection.reply().status == http.client.UNAUTHORIZED
        assert seconds_until_cut(connection, LARGE[:MEGABYTE]) < _SECONDS


def test_a_body_in_chunks_without_end_is_cut_too(site: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """It declares no length, so that the bound is noticed on the way."""
    monkeypatch.setattr(draining, "BOUNDS", TINY_BOUNDS)
    chunk = b"100000\r\n" + LARGE[:MEGABYTE] + b"\r\n"
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, token="wrong", Transfer_Encoding="chunked"))
        assert connection.reply().status == http.client.UNAUTHORIZED
        assert seconds_until_cut(connection, chunk) < _SECONDS


@pytest.mark.parametrize("length", [len(LARGE), 10**17], ids=["would-be-kept", "is-closed"])
def test_a_refused_client_that_stalls_is_dropped(
    site: ServerUnderTest, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """Nobody holds a connection by sending nothing."""
    monkeypatch.setattr(draining, "BOUNDS", DrainBounds(idle_seconds=0.2))
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, token="wrong", Content_Length=str(length)) + LARGE[:1000])
        connection.reply()
        assert connection.is_at_end()
        time.sleep(0.6)
        assert seconds_until_cut(connection, b"x", pause_seconds=0.01) < 1.0


def test_a_refused_client_that_trickles_is_dropped(site: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor by sending a byte now and then."""
    monkeypatch.setattr(draining, "BOUNDS", DrainBounds(idle_seconds=0.5, seconds=1.0))
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, token="wrong", Content_Length=str(len(LARGE))))
        assert 0.9 < seconds_until_cut(connection, b"x", pause_seconds=0.05) < _SECONDS


def test_a_refused_client_that_goes_away_leaves_nothing(site: ServerUnderTest) -> None:
    """The one line in the access log was written with the answer."""
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, token="wrong", Content_Length=str(len(LARGE))) + LARGE[:100_000])
        assert connection.reply().status == http.client.UNAUTHORIZED
    begun = time.monotonic()
    site.stop()
    assert time.monotonic() - begun < 10
    site.start()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9999])
def test_every_refusal_is_in_the_access_log_once(
    site: ServerUnderTest, caplog: pytest.LogCaptureFixture, share: float
) -> None:
    """Also when the client sees the answer and goes away without sending the rest."""
    caplog.set_level("INFO", "pypiserve.access")
    caplog.clear()
    with RawConnection(site) as connection:
        connection.send(head_of(site, token="wrong", Content_Length="1000000") + LARGE[: int(1_000_000 * share)])
        connection.reply()
    with RawConnection(site) as connection:
        connection.ask("GET", "/-/health")
        connection.reply()
    lines = [record.getMessage() for record in caplog.records if record.name == "pypiserve.access"]
    assert [line.split()[4] for line in lines if " POST " in line] == ["401"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    token=st.sampled_from([None, "wrong"]),
    filename=st.sampled_from(["cut-1.0-py3-none-any.whl", "no such name"]),
    at=st.one_of(st.integers(0, 2000), st.integers(0, 3 * MEGABYTE)),
    chunked=st.booleans(),
    reset=st.booleans(),
)
def test_a_client_that_goes_away_anywhere_leaves_nothing(
    site: ServerUnderTest, *, token: str | None, filename: str, at: int, chunked: bool, reset: bool
) -> None:
    """Whether it was going to be published or was refused already, and whether it ends with a word or without."""
    wheel = a_wheel("cut", padding_bytes=3 * MEGABYTE)
    body = encode([*usual_parts(wheel), content_part(wheel, filename)])
    if chunked:
        request = head_of(site, token=token, Transfer_Encoding="chunked") + b"%x\r\n" % len(body) + body
    else:
        request = head_of(site, token=token, Content_Length=str(len(body))) + body
    with keeps_nothing(site), RawConnection(site) as connection:
        with contextlib.suppress(ConnectionError):
            connection.send(request[:at])
        if reset:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize("sent_bytes", [0, 1000, 2 * MEGABYTE])
def test_an_upload_that_stalls_is_given_up(
    site: ServerUnderTest, monkeypatch: pytest.MonkeyPatch, sent_bytes: int
) -> None:
    """408 for who still listens, and the room is free again; who has vanished is forgotten soon after."""
    monkeypatch.setattr(upload, "_SILENT_SECONDS", 0.3)
    monkeypatch.setattr(draining, "BOUNDS", DrainBounds(idle_seconds=0.2))
    body = encode([*usual_parts(WHEEL), content_part(WHEEL)])
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(body))) + body[:sent_bytes])
        reply = connection.reply()
        assert (reply.status, reply.text) == (
            http.client.REQUEST_TIMEOUT,
            "Nothing more of the upload has come for 0.3 s; send it again\n",
        )
        assert kept_by(data_of(site)).staged == ()
        assert connection.is_at_end()


def test_an_upload_that_is_slow_is_not_given_up(site: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take far longer than a silence, as long as something comes."""
    monkeypatch.setattr(upload, "_SILENT_SECONDS", 0.4)
    body = body_of("slow-but-sure")
    with RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(body))))
        for at in range(0, len(body), len(body) // 10):
            time.sleep(0.1)
            connection.send(body[at : at + len(body) // 10])
        assert connection.reply().status == http.client.CREATED


def test_a_slow_disk_is_no_silence(site: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the server does not read on, nobody can send."""
    monkeypatch.setattr(upload, "_SILENT_SECONDS", 0.1)
    write = StagedFile.write

    def write_slowly(self: StagedFile, chunk: bytes) -> None:
        time.sleep(0.2)
        write(self, chunk)

    monkeypatch.setattr(StagedFile, "write", write_slowly)
    wheel = a_wheel("slow-disk", padding_bytes=3 * MEGABYTE)
    with RawConnection(site) as connection:
        body = encode([*usual_parts(wheel), content_part(wheel)])
        connection.send(head_of(site, Content_Length=str(len(body))) + body)
        assert connection.reply().status == http.client.CREATED


def test_an_address_that_is_no_text_is_told_after_a_large_body(site: ServerUnderTest) -> None:
    """Even that refusal is seen by clients that send everything first."""
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, path="/api/packages/%ff/pypi", Content_Length=str(len(LARGE))) + LARGE)
        assert connection.reply().status == http.client.BAD_REQUEST
        connection.ask("GET", "/-/health")
        assert connection.reply().status == http.client.OK
