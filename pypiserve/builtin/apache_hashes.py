"""
The password hashes of Apache's ``htpasswd`` that we read: bcrypt, and the old ``{SHA}`` and ``$apr1$``.

Plain text and ``crypt`` are not read. bcrypt looks at 72 bytes at most; Apache cuts a longer password off without a
word, so that two different passwords open one account. We never cut: a longer password does not match.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from functools import partial

import bcrypt

__all__ = ["MAX_BCRYPT_BYTES", "HashForm", "PasswordHash", "parse_hash"]

MAX_BCRYPT_BYTES = 72
"""Longest password that bcrypt tells apart from all others, in bytes of UTF-8."""

_MAX_PASSWORD_BYTES = 256
"""``htpasswd`` makes none longer; the apr1 form takes time in proportion to the length."""

_MIN_COST = 4
_MAX_COST = 17
"""``htpasswd`` allows no more; each further step doubles the time, from about 8 s here."""

_BCRYPT = re.compile(r"\$2[aby]\$(?P<cost>\d\d)\$[./0-9A-Za-z]{53}\Z", re.ASCII)
_APR1 = re.compile(r"\$apr1\$(?P<salt>[^$]{0,8})\$[./0-9A-Za-z]{22}\Z")
_SHA1 = re.compile(r"\{SHA\}[+/0-9A-Za-z]{27}=\Z")

_APR1_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_APR1_ORDER = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))


class HashForm(enum.Enum):
    """How a password is kept."""

    BCRYPT = "bcrypt"
    APR1 = "apr1"
    SHA1 = "sha1"


@dataclass(frozen=True)
class PasswordHash:
    """One password, hashed."""

    form: HashForm
    text: str = field(repr=False)

    def matches(self, password: bytes) -> bool:
        """Check a password; takes milliseconds to seconds of one processor, and no time that tells why not."""
        if len(password) > _MAX_PASSWORD_BYTES or b"\0" in password:
            return False
        check = {HashForm.BCRYPT: _matches_bcrypt, HashForm.APR1: _matches_apr1, HashForm.SHA1: _matches_sha1}
        return check[self.form](password, self.text)


def parse_hash(text: str) -> PasswordHash | None:
    """Recognise the form of a hash; ``None`` for plain text, ``crypt`` and anything else."""
    if bcrypt_parts := _BCRYPT.match(text):
        possible = _MIN_COST <= int(bcrypt_parts["cost"]) <= _MAX_COST
        return PasswordHash(HashForm.BCRYPT, text) if possible else None
    if _APR1.match(text):
        return PasswordHash(HashForm.APR1, text)
    if _SHA1.match(text):
        return PasswordHash(HashForm.SHA1, text)
    return None


def _matches_bcrypt(password: bytes, text: str) -> bool:
    if len(password) > MAX_BCRYPT_BYTES:
        return False
    try:
        return bcrypt.checkpw(password, text.encode())
    except ValueError:  # a salt whose last digit has bits that no salt has
        return False


def _matches_sha1(password: bytes, text: str) -> bool:
    digest = hashlib.sha1(password, usedforsecurity=False).digest()
    return hmac.compare_digest(b"{SHA}" + base64.b64encode(digest), text.encode())


def _matches_apr1(password: bytes, text: str) -> bool:
    _, _, salt, _ = text.split("$")
    return hmac.compare_digest(_apr1(password, salt.encode()).encode(), text.encode())


def _apr1(password: bytes, salt: bytes) -> str:
    """Hash as Apache's ``apr_md5_encode`` does: MD5, a thousand times, over changing mixtures."""
    md5 = partial(hashlib.md5, usedforsecurity=False)
    inner = md5(password + salt + password).digest()
    mixture = password + b"$apr1$" + salt
    mixture += (inner * (len(password) // len(inner) + 1))[: len(password)]
    length = len(password)
    while length:
        mixture += b"\0" if length & 1 else password[:1]
        length >>= 1
    digest = md5(mixture).digest()
    for step in range(1000):
        start, end = (password, digest) if step % 2 else (digest, password)
        digest = md5(start + (salt if step % 3 else b"") + (password if step % 7 else b"") + end).digest()
    groups = [(digest[a] << 16 | digest[b] << 8 | digest[c], 4) for a, b, c in _APR1_ORDER]
    return f"$apr1${salt.decode()}$" + "".join(_base64(value, count) for value, count in [*groups, (digest[11], 2)])


def _base64(value: int, count: int) -> str:
    """Write a number in ``crypt``'s base 64, least significant digit first."""
    return "".join(_APR1_ALPHABET[value >> 6 * position & 63] for position in range(count))
