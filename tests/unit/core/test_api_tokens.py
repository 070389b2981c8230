"""The spelling of API tokens."""

from __future__ import annotations

import hashlib
import re

import pytest

from pypiserve.core.api_tokens import hash_api_token, looks_like_api_token, new_api_token

KNOWN = "pypiserve_" + "0" * 32 + "0fozjJ"


def test_new_tokens_have_the_shape_and_differ() -> None:
    """A token has the prefix, 38 letters and digits, and is never made twice."""
    tokens = {new_api_token() for _ in range(200)}
    assert len(tokens) == 200
    assert all(re.fullmatch(r"pypiserve_[0-9A-Za-z]{38}", token) for token in tokens)
    assert all(looks_like_api_token(token) for token in tokens)


def test_the_checksum_stays_as_it_is() -> None:
    """A token of the first release is recognised for ever: base 62 with digits, upper case, lower case."""
    assert looks_like_api_token(KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pypiserve_",
        KNOWN[:-1],
        KNOWN + "0",
        KNOWN + "\n",
        KNOWN.upper(),
        " " + KNOWN,
        KNOWN.replace("pypiserve_", "pypi-serve"),
        KNOWN.replace("0000", "0001"),
        KNOWN[:-1] + "K",
        KNOWN.replace("00000", "0000é"),
        KNOWN.replace("00000", "0000٣"),
        "pypiserve_" + "0" * 10_000,
    ],
)
def test_other_texts_are_not_tokens(text: str) -> None:
    """Another prefix, alphabet, length or checksum is not a token of ours."""
    assert not looks_like_api_token(text)


def test_every_single_wrong_character_is_noticed() -> None:
    """The checksum catches any one mistyped character."""
    token = new_api_token()
    for position in range(len("pypiserve_"), len(token)):
        wrong = "A" if token[position] != "A" else "B"
        assert not looks_like_api_token(token[:position] + wrong + token[position + 1 :])


def test_the_hash_is_that_of_the_whole_token() -> None:
    """What is kept at rest is the SHA-256 of the token, prefix and checksum included."""
    assert hash_api_token(KNOWN) == hashlib.sha256(KNOWN.encode()).hexdigest()
