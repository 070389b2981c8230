"""
Credentials out of an ``Authorization`` header.

Spec: RFC 7617 (Basic), RFC 6750 (Bearer); ``token`` is the spelling of Gitea and GitHub.
"""

from __future__ import annotations

import base64
import binascii

from pypiserve.core.errors import CredentialsMalformed, UnknownScheme
from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials

__all__ = ["read_credentials"]

_MAX_HEADER_CHARACTERS = 8192


def read_credentials(header: str | None) -> Credentials | None:
    """
    Read the header; ``None`` when it is missing or carries nothing.

    Raises:
        UnknownScheme: It is there and of another scheme.
        CredentialsMalformed: It is there and cannot be read: wrong credentials must not pass as none.
    """
    if header is None:
        return None
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    if len(header) > _MAX_HEADER_CHARACTERS:
        raise CredentialsMalformed("The Authorization header is too long")
    if not rest:
        raise CredentialsMalformed("The Authorization header has no credentials after the scheme, or no scheme")
    match scheme.lower():
        case "basic":
            return _basic(rest)
        case "bearer" | "token":
            return BearerCredentials(rest)
        case _:
            raise UnknownScheme("Sign in with HTTP Basic or a bearer token; no other scheme is known here")


def _basic(encoded: str) -> BasicCredentials | None:
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise CredentialsMalformed("The Authorization header is not valid Base64") from None
    # pip and twine send Latin-1 where it suffices, everybody else UTF-8.
    try:
        text = decoded.decode("utf-8")
    except UnicodeDecodeError:
        text = decoded.decode("latin-1")
    username, colon, password = text.partition(":")
    # Pasted secrets carry white space and a line end.
    username, password = username.strip(), password.strip()
    if not colon:
        raise CredentialsMalformed("The Authorization header has no colon between user name and password")
    if not username and not password:
        return None
    return BasicCredentials(username, password)
