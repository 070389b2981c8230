"""What the head of a request says about its body."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from pypiserve.web.bodies import declared_bytes, has_body, read_expectations, waits_for_permission


def headers_of(headers: dict[str, str], version: str = "HTTP/1.1") -> HTTPHeaders:
    """Make the headers of a request whose expectations were read."""
    made = HTTPHeaders(headers)
    read_expectations(made, version)
    return made


@pytest.mark.parametrize(
    ("length", "expected"),
    [("", 0), ("0", 0), ("12", 12), ("-1", 0), ("1e3", 0), ("5, 5", 0), ("²", 0), ("9" * 5000, 10**18 - 1)],
)
def test_the_length_is_a_number_or_nothing(length: str, expected: int) -> None:
    """What has more digits than any body is too much, and no error."""
    assert declared_bytes(headers_of({"Content-Length": length} if length else {})) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"Content-Length": "0"}, False),
        ({"Content-Length": "1"}, True),
        ({"Transfer-Encoding": "chunked"}, True),
        ({"Transfer-Encoding": "Chunked"}, True),
        ({"Transfer-Encoding": "gzip, chunked"}, False),
        ({"Transfer-Encoding": "chunked", "Content-Length": "1"}, False),
    ],
)
def test_a_body_is_announced_in_one_way_only(headers: dict[str, str], *, expected: bool) -> None:
    """What contradicts itself has no body that would be read."""
    assert has_body(HTTPHeaders(headers)) is expected


@pytest.mark.parametrize(
    ("value", "version", "expected"),
    [
        ("100-continue", "HTTP/1.1", True),
        ("100-Continue", "HTTP/1.1", True),
        ("100-continue", "HTTP/1.0", False),
        ("something-else", "HTTP/1.1", False),
    ],
)
def test_an_expectation_is_read_in_any_letter_case(value: str, version: str, *, expected: bool) -> None:
    """And not at all from a client of HTTP/1.0. Spec: RFC 9110, section 10.1.1."""
    assert waits_for_permission(headers_of({"Expect": value}, version)) is expected
