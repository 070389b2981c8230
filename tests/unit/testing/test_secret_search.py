"""The search for secrets that were written down."""

from __future__ import annotations

import base64
import logging
from pathlib import Path

import pytest

from pypiserve.testing.secret_search import SecretSearch
from pypiserve.testing.server import ServerUnderTest


def basic(text: str) -> str:
    """Write a header of HTTP Basic."""
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("Bearer swordfish-1", "swordfish-1"),
        (basic("alice:swordfish-1"), "swordfish-1"),
        (basic("alice:swordfish-1"), basic("alice:swordfish-1").split()[1]),
        (basic("swordfish-1:"), "swordfish-1"),
        (basic("swordfish-1:x-oauth-basic"), "swordfish-1"),
        (basic("alice:päss-wörd"), "päss-wörd"),
    ],
)
def test_what_a_header_carries_is_found(header: str, secret: str) -> None:
    """The secret, and the header as it was sent; the message shows the beginning only."""
    search = SecretSearch()
    search.note_header(header)
    search.check("a page", "alice", b"nothing")
    with pytest.raises(AssertionError, match="a page") as caught:
        search.check("a page", f"before{secret}after")
    assert secret not in str(caught.value)


def test_what_is_no_secret_is_passed_over() -> None:
    """No header, one that cannot be read, and what is too short to mean anything."""
    search = SecretSearch()
    for header in (None, "", "Basic !!!", "Bearer x", basic("a:b")):
        search.note_header(header)
    search.check("a page", "Basic Bearer x a b")


def test_logs_are_searched_with_their_tracebacks() -> None:
    """An exception that carries the secret is found, and afterwards nothing is listened to."""
    search = SecretSearch()
    search.note("swordfish-1")
    search.listen()
    try:
        int("swordfish-1")
    except ValueError:
        logging.getLogger("pypiserve").exception("It failed")
    with pytest.raises(AssertionError, match="the log"):
        search.check_log()


def test_files_are_searched(tmp_path: Path) -> None:
    """Databases, logs and core dumps; what strangers published is theirs."""
    search = SecretSearch()
    search.note("swordfish-1")
    for folder in ("files", "staging", "deep"):
        (tmp_path / folder).mkdir()
    (tmp_path / "files" / "a").write_text("swordfish-1")
    (tmp_path / "staging" / "a").write_text("swordfish-1")
    search.check_folder(tmp_path)
    (tmp_path / "deep" / "core").write_bytes(b"\0\xffswordfish-1\0")
    with pytest.raises(AssertionError, match="core"):
        search.check_folder(tmp_path)


def test_the_log_of_a_server_is_searched(tmp_path: Path) -> None:
    """A token that somebody logs fails the test at its end."""
    with pytest.raises(AssertionError, match="the log"), ServerUnderTest(tmp_path) as server:
        logging.getLogger("pypiserve").warning("This is %s", server.token)


def test_the_folder_of_a_server_is_searched(tmp_path: Path) -> None:
    """So does one that is written into the data folder."""
    with pytest.raises(AssertionError, match="notes"), ServerUnderTest(tmp_path) as server:
        (tmp_path / "pypiserve-data" / "notes").write_text(server.token)


def test_answers_are_searched(server: ServerUnderTest) -> None:
    """A page that repeats a secret fails at once; here a redirect to an address with one in it."""
    server.secrets.note("swordfish-one")
    with pytest.raises(AssertionError, match="the answer to GET"):
        server.get("/simple/swordfish-One")
