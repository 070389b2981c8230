"""The hash forms of Apache's htpasswd; the hashes here were made by Apache 2.4's own tool."""

from __future__ import annotations

import pytest

from pypiserve.builtin.apache_hashes import HashForm, parse_hash

WORDS = "correct horse"
UMLAUTS = "päßwörd"
HUNDRED = "x" * 100

GOOD = [
    (HashForm.BCRYPT, "$2y$05$CUs668MW/6S8UBVguz5UXu4HuTG0bMpQWX2g.qrKM9J0ZU850DDyG", WORDS),
    (HashForm.BCRYPT, "$2y$04$dHziKzF/IETQe30riwoK0eioyDl3q5dcerr7Ch3KCfLvrr3aHasjq", WORDS),
    (HashForm.BCRYPT, "$2y$04$1fEZQExYyYYcJ3CtcvG.rOUZm3xboP/JzbSp5iZ3k/qsxGKo1nabi", UMLAUTS),
    (HashForm.BCRYPT, "$2a$04$dHziKzF/IETQe30riwoK0eioyDl3q5dcerr7Ch3KCfLvrr3aHasjq", WORDS),
    (HashForm.BCRYPT, "$2b$04$dHziKzF/IETQe30riwoK0eioyDl3q5dcerr7Ch3KCfLvrr3aHasjq", WORDS),
    (HashForm.SHA1, "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=", WORDS),
    (HashForm.SHA1, "{SHA}OID/TxzCYBU1FSQ9u2JbZSnllZ0=", UMLAUTS),
    (HashForm.APR1, "$apr1$gE/InSb.$p792TkVEYR2yB8/zXmMPE/", WORDS),
    (HashForm.APR1, "$apr1$kpFW4yor$JJccJX6r6sMU0z89QDHBj1", ""),
    (HashForm.APR1, "$apr1$N3Q8pN3N$A3WawFffP7s2EfYTyvgeD/", "päßwörd-longer-than-sixteen-bytes"),
    (HashForm.APR1, "$apr1$xJ4MrtuP$2AL6cn/5Gyuh.vMJ8Wzg//", HUNDRED),
]


@pytest.mark.parametrize(("form", "text", "password"), GOOD)
def test_apache_hashes_match(form: HashForm, text: str, password: str) -> None:
    """Every form is recognised and matches its password, and no other."""
    known = parse_hash(text)
    assert known is not None
    assert known.form is form
    assert known.matches(password.encode())
    assert not known.matches(password.encode() + b"x")
    assert not known.matches(b"wrong")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "rqXexS6ZhobKA",  # crypt
        "$1$abcdefgh$p792TkVEYR2yB8/zXmMPE/",
        "$5$Fg4KRK2k7gRdALSM$XfYgi/i4/ylomFFdCCILFxPR/uqE7OTPVFd1zQz.pF4",
        "$6$SuPzGxBJz7yRVXZS$DDtYaVe3nSJ2zLqtO3InNJMvzB6u8cnULaDOW/vYj2fnyIKUSIfTSP4uUAQan1L7p1roLlSdQbcsJvkZ1Zr4I1",
        "$2y$05$short",
        "$2x$05$CUs668MW/6S8UBVguz5UXu4HuTG0bMpQWX2g.qrKM9J0ZU850DDyG",
        "$2y$03$CUs668MW/6S8UBVguz5UXu4HuTG0bMpQWX2g.qrKM9J0ZU850DDyG",
        "$2y$31$CUs668MW/6S8UBVguz5UXu4HuTG0bMpQWX2g.qrKM9J0ZU850DDyG",
        "$2y$05$CUs668MW/6S8UBVguz5UXu4HuTG0bMpQWX2g.qrKM9J0ZU850DDyG\n",
        "$apr1$saltsalts$p792TkVEYR2yB8/zXmMPE/",
        "{SHA}L55TUjtiq8FBorTWAZ0jy6g129",
        "{SSHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    """Plain text, crypt, the newer crypt forms, and costs that would hold a processor for days are not read."""
    assert parse_hash(text) is None


def test_a_long_password_is_never_cut_off() -> None:
    """Apache would let in whoever knows the first 72 bytes of this password; we let nobody in."""
    known = parse_hash("$2y$04$qH6PAT6CEzUnEuuusyjDUu9GHQZds4PunJ7u1duspb5npDF7blPNG")
    assert known is not None
    assert not known.matches(HUNDRED.encode())
    assert known.matches(HUNDRED[:72].encode()), "this is what Apache really hashed"


@pytest.mark.parametrize("password", [b"correct horse\0", b"correct horse\0x", b"x" * 257, b"x" * 1_000_000])
@pytest.mark.parametrize("text", [text for _, text, password in GOOD if password == WORDS])
def test_null_bytes_and_huge_passwords_never_match(text: str, password: bytes) -> None:
    """A password that C would cut at its null byte, or that htpasswd would not make, is wrong."""
    known = parse_hash(text)
    assert known is not None
    assert not known.matches(password)


def test_a_salt_that_cannot_be_is_no_crash() -> None:
    """A bcrypt hash of the right shape whose salt cannot be decoded matches nothing."""
    known = parse_hash("$2y$04$" + "z" * 53)
    assert known is not None
    assert not known.matches(b"anything")


def test_hashes_are_not_shown() -> None:
    """A hash does not get into logs by way of ``repr``."""
    assert "L55TUjtiq8" not in repr(parse_hash("{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="))
