"""Credentials out of the Authorization header."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.core.errors import AuthenticationFailed, CredentialsMalformed, UnknownScheme
from pypiserve.core.identity import BasicCredentials, BearerCredentials
from pypiserve.web.credentials import read_credentials


def basic(text: str | bytes, scheme: str = "Basic") -> str:
    """Write a header of HTTP Basic."""
    return f"{scheme} {base64.b64encode(text.encode() if isinstance(text, str) else text).decode()}"


def test_no_header_is_no_credentials() -> None:
    """Who says nothing is nobody."""
    assert read_credentials(None) is None


@pytest.mark.parametrize(
    ("header", "username", "password"),
    [
        (basic("alice:secret"), "alice", "secret"),
        (basic("alice:secret", "bAsIc"), "alice", "secret"),
        (basic("alice:se:cr:et"), "alice", "se:cr:et"),
        (basic("__token__:pypiserve-x\n"), "__token__", "pypiserve-x"),
        (basic(" alice :\tsecret\r\n"), "alice", "secret"),
        (basic("pypiserve-x:"), "pypiserve-x", ""),
        (basic(":pypiserve-x"), "", "pypiserve-x"),
        (basic("j\N{LATIN SMALL LETTER O WITH DIAERESIS}rg:ß"), "j\N{LATIN SMALL LETTER O WITH DIAERESIS}rg", "ß"),
        (basic(b"j\xf6rg:\xdf"), "j\N{LATIN SMALL LETTER O WITH DIAERESIS}rg", "ß"),
        (f"  {basic('alice:secret')}  ", "alice", "secret"),
    ],
)
def test_basic_credentials_are_read(header: str, username: str, password: str) -> None:
    """UTF-8 or Latin-1, colons in the password, blanks and line ends of pasted secrets."""
    assert read_credentials(header) == BasicCredentials(username, password)


@pytest.mark.parametrize("header", [basic(":"), basic(" : "), basic(":\n")])
def test_empty_basic_credentials_are_none(header: str) -> None:
    """Clients that have nothing to say sometimes say it."""
    assert read_credentials(header) is None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "token", "Token"])
def test_bearer_tokens_are_read(scheme: str) -> None:
    """Also in the spelling of Gitea and GitHub."""
    assert read_credentials(f"{scheme} pypiserve-x ") == BearerCredentials("pypiserve-x")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("", "has no credentials"),
        ("Basic", "has no credentials"),
        ("Bearer ", "has no credentials"),
        ("alice:secret", "has no credentials"),
        ("Basic !", "not valid Base64"),
        ("Basic YWxpY2U=YWxpY2U=", "not valid Base64"),
        (basic("no colon"), "no colon"),
        ("Bearer " + "x" * 8192, "too long"),
    ],
)
def test_what_cannot_be_read_fails(header: str, sentence: str) -> None:
    """Wrong credentials must not pass as none: a typing error would turn into an anonymous request."""
    with pytest.raises(CredentialsMalformed, match=sentence):
        read_credentials(header)


@pytest.mark.parametrize("header", ["Negotiate abc", 'Digest username="alice"'])
def test_other_schemes_are_called_so(header: str) -> None:
    """It is not the password that is wrong."""
    with pytest.raises(UnknownScheme):
        read_credentials(header)


@pytest.mark.parametrize("header", [basic("alice hunter2"), "Basic hunter2!", "Digest hunter2"])
def test_a_refusal_repeats_nothing(header: str) -> None:
    """What was sent may be a secret in the wrong place."""
    with pytest.raises(AuthenticationFailed) as error:
        read_credentials(header)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("credentials", [BasicCredentials("alice", "hunter2"), BearerCredentials("hunter2")])
def test_secrets_are_not_shown(credentials: object) -> None:
    """A log line with credentials in it does not carry the secret."""
    assert "hunter2" not in repr(credentials)


@given(header=st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
def test_any_header_is_read_or_refused(header: str) -> None:
    """Nothing that a stranger writes there makes the server fail."""
    for text in (header, f"Basic {header}", basic(header.encode("latin-1"))):
        try:
            credentials = read_credentials(text)
        except AuthenticationFailed:
            continue
        assert credentials is None or isinstance(credentials, BasicCredentials | BearerCredentials)
