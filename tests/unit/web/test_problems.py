"""How errors are answered."""

from __future__ import annotations

import http
import json

import pytest

from pypiserve.core import errors
from pypiserve.web.problems import NotAcceptable, UnsupportedEncoding, answer, answer_to, status_of

ONE = errors.Problem("one-thing", "One thing is wrong")
TWO = errors.Problem("another", "Another one too")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidUpload(ONE), 400),
        (errors.FileTooLarge(5), 413),
        (errors.AuthenticationFailed("No"), 401),
        (errors.PermissionDenied("No"), 403),
        (errors.PolicyDenied(errors.Problem("not-wanted", "No")), 403),
        (errors.NotFound("It"), 404),
        (NotAcceptable(["text/html"]), 406),
        (errors.FilenameTaken("demo-1.0.tar.gz"), 409),
        (UnsupportedEncoding(), 415),
        (errors.StorageFull(), 507),
        (errors.Unavailable("It"), 503),
        (errors.StorageUnavailable("It"), 503),
        (errors.PluginContractBroken("it", "odd"), 500),
        (errors.InvalidSetting("file", "key", "odd", "mend it"), 500),
    ],
)
def test_each_error_has_its_status(error: errors.PypiserveError, status: int) -> None:
    """Everything that is not listed is the operator's business: 500."""
    assert status_of(error) == status
    assert answer_to(error, None).status == status


def test_one_problem_is_one_line() -> None:
    """The sentence is the body and the reason phrase; clients show both."""
    given = answer_to(errors.InvalidUpload(ONE), None)
    assert (given.reason, given.body) == ("One thing is wrong", b"One thing is wrong\n")


def test_several_problems_are_one_line_and_a_list() -> None:
    """The first line has everything, for clients that show one line."""
    given = answer_to(errors.InvalidUpload(ONE, TWO), "*/*")
    first = "2 problems: One thing is wrong; Another one too"
    assert given.body.decode().split("\n") == [
        first,
        "- One thing is wrong [one-thing]",
        "- Another one too [another]",
        "",
    ]
    assert given.reason == first


def test_what_only_the_operator_may_know_stays_inside() -> None:
    """A configuration error names paths; the client hears that the log says more."""
    given = answer_to(errors.InvalidSetting("/etc/secret.toml", "key", "odd", "mend it"), None)
    assert given.body == b"The server failed; its log says more\n"


@pytest.mark.parametrize(
    "message",
    ["line\nbreak", "carriage\r\nreturn", "nul\0byte", "escape \x1b[31mred", "del\x7f", "c1\x85\x9b", "lone \ud800"],
)
def test_control_characters_never_reach_the_client(message: str) -> None:
    """Names that a client sent stand in sentences: they forge neither lines, nor headers, nor terminal colours."""
    given = answer(400, [errors.Problem("odd", message)], None)
    line = given.body.decode().removesuffix("\n")
    assert line.isprintable()
    assert given.reason.isascii()
    assert given.reason.isprintable()


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "text/plain; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/plain; charset=utf-8"),
        ("application/vnd.pypi.simple.v1+json", "text/plain; charset=utf-8"),
        ("application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7", "application/json"),
        ("application/problem+json", "application/problem+json"),
        ("application/json", "application/json"),
    ],
)
def test_the_form_of_the_answer_follows_the_client(accept: str | None, media_type: str) -> None:
    """Text unless somebody prefers JSON, and never nothing: an error must be readable."""
    given = answer_to(errors.NotFound("It"), accept)
    assert dict(given.headers)["Content-Type"] == media_type


def test_json_carries_all_problems() -> None:
    """Programs find each of them, and the members that the clients of PyPI read: uv shows ``code``."""
    given = answer_to(errors.InvalidUpload(ONE, TWO), "application/json")
    sentence = "2 problems: One thing is wrong; Another one too"
    assert json.loads(given.body) == {
        "title": "Bad Request",
        "status": 400,
        "message": sentence,
        "code": f"400 {sentence}",
        "problems": [
            {"code": "one-thing", "message": "One thing is wrong"},
            {"code": "another", "message": "Another one too"},
        ],
    }


def test_problem_json_is_as_the_standard_has_it() -> None:
    """RFC 9457, with the first problem's code as an extension."""
    given = json.loads(answer_to(errors.InvalidUpload(ONE, TWO), "application/problem+json").body)
    assert (given["type"], given["title"], given["status"], given["code"]) == (
        "about:blank",
        "Bad Request",
        400,
        "one-thing",
    )
    assert given["detail"] == "2 problems: One thing is wrong; Another one too"
    assert [problem["code"] for problem in given["problems"]] == ["one-thing", "another"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 409, 413, 415, 500, 503, 507])
def test_every_status_has_a_title(status: int) -> None:
    """No status that is answered lacks its standard phrase."""
    title = json.loads(answer(status, [ONE], "application/json").body)["title"]
    assert title == http.HTTPStatus(status).phrase


def test_json_takes_any_text() -> None:
    """A lone surrogate out of a damaged name is no reason to fail."""
    given = answer(400, [errors.Problem("odd", "lone \ud800")], "application/json")
    assert json.loads(given.body)["problems"][0]["code"] == "odd"


def test_a_sign_in_is_always_asked_for_in_the_same_words() -> None:
    """Pip and keyrings key their stores on the realm."""
    given = answer_to(errors.AuthenticationFailed("Sign in"), None)
    assert dict(given.headers)["WWW-Authenticate"] == 'Basic realm="pypiserve", charset="UTF-8"'


def test_a_retry_is_told_in_seconds() -> None:
    """Poetry reads a number, not a date."""
    given = answer_to(errors.Unavailable("It", retry_after_seconds=7), None)
    assert dict(given.headers)["Retry-After"] == "7"
    assert given.body == b"It; try again in 7 s\n"


def test_errors_are_never_kept_by_caches() -> None:
    """What is missing now may be published in a second, and the form depends on Accept."""
    headers = dict(answer_to(errors.NotFound("It"), None).headers)
    assert (headers["Cache-Control"], headers["Vary"]) == ("no-store", "Accept")
