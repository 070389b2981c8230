"""Ranges and validators, against what slices of a list do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.web.ranges import ByteRange, Unsatisfiable, etag_matches, if_range_matches, parse_range

ETAG = '"abc"'
MODIFIED = datetime(2026, 3, 1, 8, 15, 30, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=2-5", ByteRange(2, 6)),
        ("bytes=5-", ByteRange(5, 10)),
        ("bytes=-3", ByteRange(7, 10)),
        ("bytes=9-9", ByteRange(9, 10)),
        ("bytes=0-9", ByteRange(0, 10)),
        ("bytes=0-", ByteRange(0, 10)),
        ("bytes=-10", ByteRange(0, 10)),
        ("bytes=4-10", ByteRange(4, 10)),
        ("bytes=-10000", ByteRange(0, 10)),
        ("BYTES=1-2", ByteRange(1, 3)),
        (" bytes= 1-2 ", ByteRange(1, 3)),
        ("bytes=0001-00002", ByteRange(1, 3)),
        (f"bytes=1-{10**100}", ByteRange(1, 10)),
    ],
)
def test_one_range_is_cut_to_the_file(header: str, expected: ByteRange) -> None:
    """A single range is served, cut to the file's end, also when it spans the whole file."""
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=0-1,4-5",
        "bytes=0-1,",
        "bytes=--1",
        "bytes=-1-2",
        "bytes=+1-2",
        "bytes=1_0-20",
        "bytes=1.0-2",
        "bytes=\N{ARABIC-INDIC DIGIT THREE}-\N{ARABIC-INDIC DIGIT FIVE}",
        "bytes =0-1",
        "items=0-1",
        "bytes=0-1\r\n",
        f"bytes={'9' * 5000}-",
        f"bytes=0-{'9' * 5000}",
    ],
)
def test_other_headers_are_ignored(header: str | None) -> None:
    """Several ranges, other units and malformed values are no error: the whole file is sent."""
    assert parse_range(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0", f"bytes={10**100}-", "bytes=-000"])
def test_a_range_outside_the_file_is_unsatisfiable(header: str) -> None:
    """A range that begins at the file's end or later is refused, with the file's size."""
    with pytest.raises(Unsatisfiable) as caught:
        parse_range(header, 10)
    assert caught.value.size == 10
    assert caught.value.content_range == "bytes */10"


def test_an_empty_file_has_no_ranges() -> None:
    """No byte of an empty file can be asked for by its number; its last bytes are the whole of it."""
    with pytest.raises(Unsatisfiable):
        parse_range("bytes=0-", 0)
    assert parse_range("bytes=-5", 0) is None
    assert parse_range(None, 0) is None


def test_content_range_counts_from_zero_and_includes_the_last_byte() -> None:
    """``Content-Range`` names the last byte, not the one behind it."""
    part = ByteRange(2, 6)
    assert part.content_range(10) == "bytes 2-5/10"
    assert part.length == 4


@given(size=st.integers(1, 60), first=st.integers(0, 80), last=st.none() | st.integers(0, 80))
def test_ranges_agree_with_slices(size: int, first: int, last: int | None) -> None:
    """The bytes of ``a-b`` are those of the slice ``a : b + 1``."""
    body = list(range(size))
    header = f"bytes={first}-{'' if last is None else last}"
    if last is not None and last < first:
        assert parse_range(header, size) is None
    elif expected := body[first : None if last is None else last + 1]:
        part = parse_range(header, size)
        assert part is not None
        assert body[part.start : part.stop] == expected
        assert part.length == len(expected)
    else:
        with pytest.raises(Unsatisfiable):
            parse_range(header, size)


@given(size=st.integers(1, 60), length=st.integers(1, 80))
def test_suffixes_agree_with_slices(size: int, length: int) -> None:
    """The bytes of ``-n`` are those of the slice ``-n :``."""
    body = list(range(size))
    part = parse_range(f"bytes=-{length}", size)
    assert part is not None
    assert body[part.start : part.stop] == body[-length:]


@given(
    header=st.text(max_size=200) | st.text("0123456789-=,bytes ", max_size=40).map("bytes=".__add__),
    size=st.integers(0),
)
def test_any_header_is_safe(header: str, size: int) -> None:
    """Whatever the header, the result lies inside the file and is not empty."""
    try:
        part = parse_range(header, size)
    except Unsatisfiable:
        return
    assert part is None or 0 <= part.start < part.stop <= size


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(None, True, id="no condition"),
        pytest.param(ETAG, True, id="the same tag"),
        pytest.param(f" {ETAG} ", True, id="blanks around"),
        pytest.param('"other"', False, id="another tag"),
        pytest.param('W/"abc"', False, id="a weak tag"),
        pytest.param('"ABC"', False, id="letter case counts"),
        pytest.param('"abc", "other"', False, id="a list"),
        pytest.param("abc", False, id="no quotes"),
        pytest.param("*", False, id="a star"),
        pytest.param("", False, id="empty"),
        pytest.param("Sun, 01 Mar 2026 08:15:30 GMT", True, id="the same second"),
        pytest.param("Sun, 01 Mar 2026 08:15:31 GMT", False, id="a second later"),
        pytest.param("Sun, 01 Mar 2026 08:15:29 GMT", False, id="a second earlier"),
        pytest.param("Sun, 01 Mar 2026 08:15:30 +0000", False, id="not as it was sent"),
        pytest.param("01 Mar 99999999999 08:15:30", False, id="a malformed date"),
    ],
)
def test_if_range_compares_strongly(header: str | None, expected: bool) -> None:  # noqa: FBT001 - a table of cases
    """Only the very validator that was sent lets a range through."""
    assert if_range_matches(header, ETAG, MODIFIED) is expected


def test_a_weak_tag_never_lets_a_range_through() -> None:
    """Two weak tags do not match strongly, even when equal."""
    assert not if_range_matches('W/"abc"', 'W/"abc"', MODIFIED)


def test_the_date_is_compared_in_gmt() -> None:
    """The zone in which the server holds the moment does not matter."""
    elsewhere = MODIFIED.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert if_range_matches("Sun, 01 Mar 2026 08:15:30 GMT", ETAG, elsewhere)


@pytest.mark.parametrize(
    ("if_none_match", "expected"),
    [
        pytest.param(None, False, id="no condition"),
        pytest.param("", False, id="empty"),
        pytest.param(ETAG, True, id="the same"),
        pytest.param('W/"abc"', True, id="weakened by a proxy"),
        pytest.param('"other"', False, id="another"),
        pytest.param('"x", W/"abc" , "y"', True, id="in a list"),
        pytest.param('"x","y"', False, id="not in a list"),
        pytest.param("*", True, id="any"),
        pytest.param(" * ", True, id="any, with blanks"),
        pytest.param("abc", False, id="no quotes"),
        pytest.param('"a,b", "abc"', True, id="a comma inside a tag"),
        pytest.param('"ABC"', False, id="letter case counts"),
        pytest.param('"x",' * 2000 + ETAG, False, id="behind the cut"),
        pytest.param('"' * 5000, False, id="only quotes"),
    ],
)
def test_if_none_match_compares_weakly(if_none_match: str | None, expected: bool) -> None:  # noqa: FBT001 - a table
    """A client that holds the page, weakened or not, is told so."""
    assert etag_matches(if_none_match, ETAG) is expected


def test_a_weak_tag_of_ours_matches_too() -> None:
    """The weakness of our own tag does not matter for If-None-Match."""
    assert etag_matches(ETAG, 'W/"abc"')


@given(
    header=st.text(max_size=200), other=st.text(st.characters(min_codepoint=0x23, max_codepoint=0x7E), max_size=20)
)
def test_conditions_never_fail(header: str, other: str) -> None:
    """Whatever the header, an answer comes; a tag always matches itself and a list that has it."""
    tag = f'"{other}"'
    assert etag_matches(header, tag) in {True, False}
    assert if_range_matches(header, tag, MODIFIED) in {True, False}
    assert etag_matches(f'"!", {tag}', tag)
    assert if_range_matches(tag, tag, MODIFIED)
