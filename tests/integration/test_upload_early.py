"""Refusals are told as soon as they are known: at the head, or when the file begins."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator

import pytest
from raw_http import RawConnection
from uploading import (
    BOUNDARY,
    Part,
    content_part,
    data_of,
    encode,
    head_of,
    keeps_nothing,
    kept_by,
    published,
    usual_parts,
)

from pypiserve.catalog.database import Database
from pypiserve.core.errors import Unavailable
from pypiserve.core.model import ProjectStatus
from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import Reply, ServerUnderTest

MEGABYTE = 1 << 20
PROBLEM = "application/problem+json"
LARGE = b"x" * (30 * MEGABYTE)


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


def test_a_form_that_turns_out_wrong_is_refused_in_the_middle(site: ServerUnderTest) -> None:
    """The answer comes with the fault, not with the last byte."""
    with keeps_nothing(site), RawConnection(site) as connection:
        begin = f"--{BOUNDARY}\r\nContent-Disposition: attachment\r\n\r\n".encode()
        connection.send(head_of(site, Content_Length=str(len(LARGE))) + begin + LARGE[: 2 * MEGABYTE])
        reply = connection.reply()
        assert (reply.status, reply.text) == (
            http.client.BAD_REQUEST,
            "The multipart form cannot be read; send the upload again\n",
        )
        connection.send(LARGE[2 * MEGABYTE + len(begin) :])
        connection.ask("GET", "/-/health")
        assert connection.reply().status == http.client.OK


def refusal_of(server: ServerUnderTest, *parts: Part, filename: str, accept: str = "*/*") -> Reply:
    """Send the fields of a large upload and the first bytes of its file, and return what is answered to them."""
    begin = encode([*parts, Part("content", b"PK", filename=filename)]).partition(b"PK")[0]
    with keeps_nothing(server), RawConnection(server) as connection:
        connection.send(head_of(server, Content_Length=str(len(LARGE)), Accept=accept) + begin + b"PK")
        time.sleep(0.05)
        assert kept_by(data_of(server)).staged == ()
        return connection.reply()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("filetype", "sdist", "filetype-mismatch"),
        ("name", "other", "name-mismatch"),
        ("name", "no name", "name-mismatch"),
        ("version", "2", "version-mismatch"),
        ("version", "no version", "version-mismatch"),
        ("protocol_version", "3", "unknown-protocol-version"),
        ("sha256_digest", "abc", "invalid-digest"),
        ("md5_digest", "g" * 32, "invalid-digest"),
        (":action", "doc_upload", "unknown-action"),
    ],
)
def test_what_the_fields_tell_is_refused_when_the_file_begins(
    site: ServerUnderTest, field: str, value: str, code: str
) -> None:
    """Nobody sends 30 MB to learn of a field that was wrong."""
    refused = refusal_of(site, Part(field, value), filename="demo-1.0-py3-none-any.whl", accept=PROBLEM)
    assert (refused.status, json.loads(refused.body)["code"]) == (http.client.BAD_REQUEST, code)


def test_all_that_the_fields_tell_is_told_at_once(site: ServerUnderTest) -> None:
    """The publisher mends everything in one go, as far as it is known."""
    reply = refusal_of(site, Part("protocol_version", "3"), Part("md5_digest", "x"), filename="../demo-1.0.tar.gz")
    assert [line.rpartition("[")[2] for line in reply.text.strip().split("\n")[1:]] == [
        "unknown-protocol-version]",
        "invalid-digest]",
        "invalid-filename]",
    ]


def test_a_name_that_is_taken_is_refused_when_the_file_begins(site: ServerUnderTest) -> None:
    """The digest that came before the file says that its content is other; without one, that remains to be seen."""
    wheel = a_wheel("early-taken")
    site.publish(wheel)
    reply = refusal_of(site, Part("sha256_digest", "0" * 64), filename=wheel.filename)
    assert reply.status == http.client.CONFLICT
    assert reply.text.startswith("File already exists")


def test_a_name_that_differs_in_letter_case_only_is_refused_when_the_file_begins(site: ServerUnderTest) -> None:
    """Whatever its content."""
    site.publish(a_wheel("early-case", tag="1a-py3-none-any"))
    reply = refusal_of(site, filename="early_case-1.0-1A-py3-none-any.whl")
    assert (reply.status, "letter case" in reply.text) == (http.client.CONFLICT, True)


@pytest.mark.parametrize("status", [ProjectStatus.ARCHIVED, ProjectStatus.QUARANTINED])
def test_a_project_that_takes_no_files_says_so_when_one_begins(site: ServerUnderTest, status: ProjectStatus) -> None:
    """403, and the sentence that the end of the upload would have had."""
    site.publish(a_wheel(f"early-{status}"))
    with site.catalog() as catalog:
        catalog.curation.set_status("main/pypi", f"early-{status}", status)
    reply = refusal_of(site, filename=f"early_{status}-2.0.tar.gz")
    assert (reply.status, f"is {status} and takes no new files" in reply.text) == (http.client.FORBIDDEN, True)


def test_success_is_never_answered_early(site: ServerUnderTest) -> None:
    """That the same file is there already is known from its digest, and believed when the bytes have come."""
    wheel = a_wheel("early-again", padding_bytes=2 * MEGABYTE)
    site.publish(wheel)
    body = encode([*usual_parts(wheel), content_part(wheel)])
    with RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(body))) + body[:-10])
        connection.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.reply()
        connection.socket.settimeout(20)
        connection.send(body[-10:])
        assert connection.reply().status == http.client.OK


@pytest.mark.parametrize("same", [True, False])
def test_a_digest_that_was_claimed_is_verified_all_the_same(site: ServerUnderTest, *, same: bool) -> None:
    """Who claims the digest of the published file and sends another one is refused at the end."""
    name = f"early-claimed-{same}"
    first = a_wheel(name, padding_bytes=2 * MEGABYTE)
    site.publish(first)
    sent = first if same else a_wheel(name, padding_bytes=3 * MEGABYTE)
    with keeps_nothing(site):
        reply = site.publish(sent, sha256_digest=first.sha256)
    assert reply.status == (http.client.OK if same else http.client.BAD_REQUEST)


def test_the_catalog_may_be_away_when_the_file_begins(site: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again when the file has come; that it could not be asked before is no reason to refuse."""
    asked = []
    # What the sign-in has to read is kept from here on.
    assert site.publish(a_wheel("early-signed-in")).status == http.client.CREATED

    def fail(_self: Database, work: object) -> None:
        asked.append(work)
        raise Unavailable("The catalog is busy")

    monkeypatch.setattr(Database, "read_now", fail)
    wheel = a_wheel("early-away", padding_bytes=2 * MEGABYTE)
    body = encode([*usual_parts(wheel), content_part(wheel)])
    with RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(body))) + body[:-10])
        deadline = time.monotonic() + 20
        while not asked:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        monkeypatch.undo()
        connection.send(body[-10:])
        assert connection.reply().status == http.client.CREATED


def test_the_limit_of_the_index_is_that_of_its_uploads(make_server: MakeServer) -> None:
    """It is looked at where the server's own is: at the declared length, and while the file comes in."""
    server = make_server()
    with server.catalog() as catalog:
        catalog.indexes.change_rules("main/pypi", {"max_file_size_bytes": "500000"})
    with keeps_nothing(server), RawConnection(server) as connection:
        connection.send(head_of(server, Content_Length=str(len(LARGE))))
        refused = connection.reply()
    assert (refused.status, "(500000 bytes)" in refused.text) == (http.client.REQUEST_ENTITY_TOO_LARGE, True)
    assert server.publish(a_wheel(padding_bytes=600_000)).text == refused.text
    assert server.publish(a_wheel(padding_bytes=400_000)).status == http.client.CREATED


@pytest.mark.parametrize("rule", ["max_project_size_bytes", "max_index_size_bytes"])
def test_a_file_beyond_a_quota_is_refused_at_the_head(make_server: MakeServer, rule: str) -> None:
    """When it alone is larger than all files together may be."""
    server = make_server()
    with server.catalog() as catalog:
        catalog.indexes.change_rules("main/pypi", {rule: "5000000"})
    with keeps_nothing(server), RawConnection(server) as connection:
        connection.send(head_of(server, Content_Length=str(len(LARGE)), Expect="100-continue"))
        refused = connection.reply()
    assert (refused.status, f"larger than the 5000000 bytes that {rule} allows" in refused.text) == (403, True)


@pytest.mark.parametrize("rule", ["max_project_size_bytes", "max_index_size_bytes"])
def test_a_file_that_has_no_room_is_refused_when_it_begins(make_server: MakeServer, rule: str) -> None:
    """With what is there already it is too much; the same file again is not, since it takes no room."""
    server = make_server()
    first = a_wheel("roomy", padding_bytes=20 * MEGABYTE)
    assert server.publish(first).status == http.client.CREATED
    with server.catalog() as catalog:
        catalog.indexes.change_rules("main/pypi", {rule: "32000000"})
    reply = refusal_of(server, filename="roomy-2.0-py3-none-any.whl")
    assert (reply.status, rule in reply.text) == (http.client.FORBIDDEN, True)
    assert "the file needs at least " in reply.text
    assert server.publish(first).status == http.client.OK


def test_a_rule_about_new_projects_is_told_when_a_file_begins(make_server: MakeServer) -> None:
    """Nobody sends 30 MB to learn that the name is taken by a look-alike."""
    server = make_server()
    server.publish(a_wheel("look1ng"))
    reply = refusal_of(server, filename="looking-1.0-py3-none-any.whl")
    assert (reply.status, "looks too much like" in reply.text) == (http.client.BAD_REQUEST, True)


@pytest.mark.parametrize("spelling", ["100-continue", "100-Continue"])
@pytest.mark.parametrize(("token", "length", "status"), [("wrong", "1000", 401), (None, "10000000000", 413)])
def test_who_asks_first_is_refused_instead(
    site: ServerUnderTest, spelling: str, token: str | None, length: str, status: int
) -> None:
    """Rights and the declared length are looked at before the client is told to go on, which it then is not."""
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, token=token, Content_Length=length, Expect=spelling))
        reply = connection.reply()
        assert (reply.status, reply.headers["connection"]) == (status, "close")
        assert connection.is_at_end()


@pytest.mark.parametrize(
    ("header", "status"), [("Content-Type: text/plain", 400), ("Content-Encoding: gzip", 415)], ids=["type", "coding"]
)
def test_who_asks_first_with_what_is_no_form_is_refused_instead(
    site: ServerUnderTest, header: str, status: int
) -> None:
    """The head tells that too."""
    head = head_of(site, Content_Length="1000", Expect="100-continue").replace(b"Content-Type:", b"X-Type:")
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head.replace(b"\r\n", f"\r\n{header}\r\n".encode(), 1))
        assert connection.reply().status == status
        assert connection.is_at_end()


@pytest.mark.parametrize("spelling", ["100-continue", "100-Continue"])
def test_who_asks_first_and_may_is_told_to_go_on(site: ServerUnderTest, spelling: str) -> None:
    """Expectations are compared without regard to letter case."""
    body = body_of(f"asked-first-{len(published(site))}-{spelling[4].lower()}")
    with RawConnection(site) as connection:
        connection.send(head_of(site, Content_Length=str(len(body)), Expect=spelling))
        assert connection.head().startswith(b"HTTP/1.1 100 ")
        connection.send(body)
        assert connection.reply().status in {http.client.CREATED, http.client.OK}


def test_an_old_client_is_not_told_to_go_on(site: ServerUnderTest) -> None:
    """HTTP/1.0 knows no answers before the answer. Spec: RFC 9110, section 10.1.1."""
    body = body_of("old-client")
    head = head_of(site, Content_Length=str(len(body)), Expect="100-continue").replace(b"HTTP/1.1", b"HTTP/1.0")
    with RawConnection(site) as connection:
        connection.send(head + body)
        assert connection.reply().status == http.client.CREATED


def test_who_asks_first_and_sends_all_the_same_sees_the_refusal(site: ServerUnderTest) -> None:
    """A client that waited long enough sends on, perhaps just when it is refused: no reset."""
    with keeps_nothing(site), RawConnection(site) as connection:
        connection.send(head_of(site, token="wrong", Content_Length=str(len(LARGE)), Expect="100-continue"))
        time.sleep(0.1)
        connection.send(LARGE)
        assert connection.reply().status == http.client.UNAUTHORIZED


@pytest.mark.parametrize("filename", ["slow-1.0-py3-none-any.whl", "no such name"])
def test_a_slow_client_is_understood(site: ServerUnderTest, filename: str) -> None:
    """The form may come in the smallest pieces, also up to the refusal."""
    wheel = a_wheel("slow", padding_bytes=2 * MEGABYTE)
    body = encode([*usual_parts(wheel), content_part(wheel, filename)])
    with RawConnection(site) as connection:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.send(head_of(site, Content_Length=str(len(body))))
        for at in range(600):
            connection.send(body[at : at + 1])
            time.sleep(0.001)
        connection.send(body[600:])
        assert connection.reply().status == (400 if " " in filename else 201)
