"""The text form of digests."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.core.digests import as_sha256


@given(st.binary())
def test_a_digest_in_either_letter_case_becomes_lowercase(content: bytes) -> None:
    """Clients may write a digest in upper case; it is kept in lower case."""
    digest = hashlib.sha256(content).hexdigest()

    assert as_sha256(digest.upper()) == digest == as_sha256(digest)


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "g" * 64, "0" * 64 + "\n", " " + "0" * 63, "\u0660" * 64])
def test_texts_that_are_no_digest(text: str) -> None:
    """Other lengths, other letters, line ends and foreign digits are refused."""
    with pytest.raises(ValueError, match="64 hex digits"):
        as_sha256(text)
