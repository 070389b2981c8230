"""Bad input: one clear line for each, the right status, and nothing kept."""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Iterator, Sequence

import pytest
from uploading import BASE, BOUNDARY, JSON_LIKE_UV, Part, content_part, encode, keeps_nothing, post, usual_parts

from pypiserve.testing import BuiltFile, a_wheel, an_sdist
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import Reply, ServerUnderTest
from pypiserve.web.reason import reason_phrase

MAX_FILE_BYTES = 400_000
MAX_FORM_BYTES = 100_000
WHEEL = a_wheel()
USUAL = usual_parts(WHEEL)
CONTENT = content_part(WHEEL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server with small limits that refuses everything in this module."""
    limits = f"max_file_size_bytes = {MAX_FILE_BYTES}\nmax_form_bytes = {MAX_FORM_BYTES}\n"
    with ServerUnderTest(tmp_path_factory.mktemp("site"), limits) as running:
        yield running


def upload_of(content: bytes, filename: str = WHEEL.filename) -> list[Part]:
    """Make a form for any bytes, with their right digest."""
    built = BuiltFile(filename, content, b"")
    return [*usual_parts(built), content_part(built)]


def of(built: BuiltFile, **fields: str | None) -> list[Part]:
    """Make the form of a file, with other fields."""
    return [*usual_parts(built, **fields), content_part(built)]


def assert_refused(reply: Reply, status: int, words: str) -> None:
    """Expect one clear first line, repeated as the reason phrase."""
    line = reply.text.split("\n")[0]
    assert reply.status == status, line
    assert words in line
    assert reply.reason == reason_phrase(line)
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert "pypiserve-data" not in reply.text  # no path of the server's


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        pytest.param(USUAL, "The form has no file", id="no-content"),
        pytest.param([*USUAL, Part("content", WHEEL.content)], "it has no filename", id="content-without-filename"),
        pytest.param([*USUAL, CONTENT, CONTENT], "two files named content", id="two-contents"),
        pytest.param(of(WHEEL, sha256_digest="0" * 64), "SHA-256 digest does not match", id="digest-mismatch"),
        pytest.param([*USUAL, content_part(WHEEL, "other-1.0-py3-none-any.whl")], "other", id="another-project"),
        pytest.param([*USUAL, content_part(WHEEL, "demo-2.0-py3-none-any.whl")], "2.0", id="another-version"),
        pytest.param(upload_of(WHEEL.content[:-30]), "not a readable zip archive", id="truncated-zip"),
        pytest.param(upload_of(b"no zip at all" * 9), "not a readable zip archive", id="no-zip"),
        pytest.param(upload_of(b"\x1f\x8bno tar" * 9, "demo-1.0.tar.gz"), "archive", id="no-tar"),
        pytest.param(upload_of(an_sdist().content), "not a readable zip archive", id="sdist-as-wheel"),
        pytest.param(upload_of(WHEEL.content, "demo-1.0.tar.gz"), "archive", id="wheel-as-sdist"),
        pytest.param(upload_of(b""), "The file is empty", id="empty-file"),
        pytest.param(of(a_wheel(metadata={"Version": "1.1"})), "1.1", id="metadata-of-another-version"),
        pytest.param(of(a_wheel(metadata={"Name": "other"})), "other", id="metadata-of-another-name"),
        pytest.param(of(a_wheel(metadata={"Name": ()})), "name: it is missing", id="metadata-without-a-name"),
        pytest.param(of(a_wheel(metadata={"Version": "one"})), "version", id="metadata-with-an-invalid-version"),
        pytest.param(of(a_wheel(version="not-a-version")), "is refused", id="invalid-version"),
        pytest.param(of(WHEEL, name="other"), "the form says 'other'", id="form-name"),
        pytest.param(of(WHEEL, version="1.1"), "the form says '1.1'", id="form-version"),
        pytest.param(of(WHEEL, filetype="sdist"), "filetype 'sdist'", id="form-filetype"),
        pytest.param(of(WHEEL, protocol_version="2"), "Unknown protocol version", id="protocol-version"),
        pytest.param(of(WHEEL, name="o" * 1025), "name is longer than 1024 bytes", id="oversized-field"),
        pytest.param(of(WHEEL, description="o" * MAX_FORM_BYTES), "larger than 100000 bytes", id="oversized-form"),
        pytest.param([Part("x", "")] * 10_001, "more than 10000 parts", id="too-many-parts"),
        pytest.param([Part("x", "", head=b"X: " + b"y" * 5000)], "longer than 4 KiB", id="long-part-header"),
        pytest.param([Part("x", "", head=b"X-Y: z"), CONTENT], "form cannot be read", id="part-without-a-name"),
        pytest.param([Part("name", b"\xff"), CONTENT], "name is not UTF-8", id="field-is-not-utf-8"),
        pytest.param(of(WHEEL, name="b\N{LATIN SMALL LETTER O WITH DIAERESIS}se"), "the form says", id="latin-1"),
        pytest.param(of(WHEEL, name="\N{SNOWMAN}\n<b>"), "the form says", id="unicode-in-the-form"),
        pytest.param(of(WHEEL, version="1.0\r\nX-Injected: yes"), "the form says", id="header-injection"),
    ],
)
def test_a_bad_form_is_refused_in_one_line(
    site: ServerUnderTest, caplog: pytest.LogCaptureFixture, parts: Sequence[Part], words: str
) -> None:
    """400, one sentence that says what to mend, in body and reason phrase; no row, no event, no file, no log."""
    with keeps_nothing(site):
        reply = post(site, parts)
    assert_refused(reply, http.client.BAD_REQUEST, words)
    assert "x-injected" not in reply.headers
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    "filename",
    [
        "demo\0-1.0-py3-none-any.whl",
        "../demo-1.0-py3-none-any.whl",
        "/etc/demo-1.0-py3-none-any.whl",
        "a\\demo-1.0-py3-none-any.whl",
        ".demo-1.0-py3-none-any.whl",
        "demo-1.0-py3-none-any.exe",
        "demo-1.0-py3-none-any.whl%0d%0a",
        "d\N{LATIN SMALL LETTER E WITH ACUTE}mo-1.0-py3-none-any.whl",
        "\N{CJK UNIFIED IDEOGRAPH-4E2D}-1.0.tar.gz",
        "<script>-1.0.tar.gz",
        "demo-1.0-" + "x" * 300 + ".whl",
        "demo.whl",
        "-1.0.tar.gz",
    ],
)
def test_a_bad_file_name_is_refused_in_one_line(site: ServerUnderTest, filename: str) -> None:
    """Paths, control characters, foreign letters and what is no distribution never reach a disk or a page."""
    with keeps_nothing(site):
        reply = post(site, [*USUAL, content_part(WHEEL, filename)])
    line = reply.text.split("\n")[0]
    assert reply.status == http.client.BAD_REQUEST
    assert "file name" in line
    assert line.isascii()
    assert line.isprintable()
    assert reply.reason[:12] == line[:12]


def test_a_file_name_in_latin_1_is_refused(site: ServerUnderTest) -> None:
    """Headers of parts are UTF-8; anything else cannot be read."""
    head = b'Content-Disposition: form-data; name="content"; filename="d\xe9mo-1.0.tar.gz"'
    with keeps_nothing(site):
        reply = post(site, [*USUAL, Part("content", WHEEL.content, head=head)])
    assert_refused(reply, http.client.BAD_REQUEST, "form cannot be read")


@pytest.mark.parametrize("missing", [2, 10, 30, 400])
def test_a_form_that_ends_early_is_refused(site: ServerUnderTest, missing: int) -> None:
    """The length was right, the form is not complete: nothing of it counts."""
    body = encode([*USUAL, CONTENT])[: -2 - missing]
    with keeps_nothing(site):
        reply = post(site, body)
    assert_refused(reply, http.client.BAD_REQUEST, "ended before its last part was complete")


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=x"]
)
def test_what_is_no_form_is_refused(site: ServerUnderTest, content_type: str) -> None:
    """The sentence says what to publish with."""
    with keeps_nothing(site):
        reply = post(site, encode([*USUAL, CONTENT]), headers={"Content-Type": content_type})
    assert_refused(reply, http.client.BAD_REQUEST, "publish with twine, uv or the like")


def test_no_body_at_all_is_refused(site: ServerUnderTest) -> None:
    """The shortest of all bad uploads."""
    assert_refused(post(site, b""), http.client.BAD_REQUEST, "ended before its last part was complete")


@pytest.mark.parametrize("coding", ["gzip", "br", "identity"])
def test_a_compressed_request_is_refused(site: ServerUnderTest, coding: str) -> None:
    """415: the digests are those of the bytes as they are sent."""
    with keeps_nothing(site):
        reply = post(site, [*USUAL, CONTENT], headers={"Content-Encoding": coding})
    assert_refused(reply, http.client.UNSUPPORTED_MEDIA_TYPE, "without Content-Encoding")


@pytest.mark.parametrize("padding_bytes", [MAX_FILE_BYTES, 6_000_000, 20_000_000])
def test_a_file_over_the_limit_is_refused(site: ServerUnderTest, padding_bytes: int) -> None:
    """413 with the limit and the setting, which the client sees although it has sent everything."""
    with keeps_nothing(site):
        reply = post(site, of(a_wheel(padding_bytes=padding_bytes)))
    assert_refused(reply, http.client.REQUEST_ENTITY_TOO_LARGE, "larger than this index accepts (400000 bytes)")


def test_a_file_of_the_largest_size_is_accepted(make_server: MakeServer) -> None:
    """The limit is the largest size, not the first that is too large."""
    wheel = a_wheel(padding_bytes=10_000)
    server = make_server(f"max_file_size_bytes = {len(wheel.content)}\n")
    assert post(server, of(wheel)).status == http.client.CREATED
    larger = a_wheel("longer", padding_bytes=10_000)
    with keeps_nothing(server):
        assert post(server, of(larger)).status == http.client.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize(
    "credentials", [None, "Bearer nothing", "Basic X190b2tlbl9fOnB5cGlzZXJ2ZS13cm9uZw==", "Negotiate abc", "Basic !"]
)
def test_a_stranger_is_told_so_after_a_large_body(site: ServerUnderTest, credentials: str | None) -> None:
    """Clients send everything before they read: they must see 401 and the challenge, not a broken connection."""
    body = encode(of(a_wheel(padding_bytes=20_000_000)))
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if credentials is not None:
        headers["Authorization"] = credentials
    with keeps_nothing(site):
        reply = site.request("POST", BASE, headers=headers, body=body)
    assert reply.status == http.client.UNAUTHORIZED
    assert reply.headers["www-authenticate"] == 'Basic realm="pypiserve", charset="UTF-8"'
    assert reply.reason == reply.text.strip()


def test_all_problems_are_told_at_once(site: ServerUnderTest) -> None:
    """The publisher mends everything in one go: the first line has all of it, then one line for each."""
    parts = of(WHEEL, name="other", version="2", sha256_digest=None, protocol_version="3", filetype="sdist")
    with keeps_nothing(site):
        reply = post(site, parts)
    first, *others = reply.text.strip().split("\n")
    assert first.startswith("5 problems: ")
    assert [other.rpartition("[")[2] for other in others] == [
        "unknown-protocol-version]",
        "missing-digest]",
        "filetype-mismatch]",
        "name-mismatch]",
        "version-mismatch]",
    ]
    assert reply.reason.startswith("5 problems: ")


@pytest.mark.parametrize("accept", [JSON_LIKE_UV, "application/problem+json", "application/json, */*;q=0.1"])
def test_who_asks_for_json_gets_json(site: ServerUnderTest, accept: str) -> None:
    """Programs find code and message, for each problem too."""
    reply = post(site, of(WHEEL, name="other", sha256_digest=None), headers={"Accept": accept})
    assert reply.headers["content-type"] in {"application/json", "application/problem+json"}
    document = json.loads(reply.body)
    assert document["status"] == http.client.BAD_REQUEST
    assert [problem["code"] for problem in document["problems"]] == ["missing-digest", "name-mismatch"]
    if reply.headers["content-type"] == "application/problem+json":
        assert document["code"] == "missing-digest"
        sentence = document["detail"]
    else:
        # uv prints this member and nothing else.
        assert document["code"] == f"400 {document['message']}"
        sentence = document["message"]
    assert sentence.startswith("2 problems: No digest was sent; ")


def test_an_address_that_is_not_there_is_told_after_a_large_body(site: ServerUnderTest) -> None:
    """A typing error in the address is 404 to a client that sends 20 MB first."""
    body = encode(of(a_wheel(padding_bytes=20_000_000)))
    with keeps_nothing(site):
        reply = post(site, body, path="/api/package/main/pypi/")
    assert_refused(reply, http.client.NOT_FOUND, "Nothing is at this address")


def test_a_refused_upload_can_be_repeated_at_once(site: ServerUnderTest) -> None:
    """Nothing of a refusal stands in the way of the same file, sent rightly."""
    wheel = a_wheel("repeated")
    cut = BuiltFile(wheel.filename, wheel.content[:-1], b"")
    assert post(site, of(cut)).status == http.client.BAD_REQUEST
    assert post(site, of(wheel)).status == http.client.CREATED
