"""Errors say what is true, to programs by their code and to people by their sentence."""

from __future__ import annotations

import re

import pytest

from pypiserve.core import errors
from pypiserve.core.errors import FilenameTaken, InvalidUpload, NotFound, PolicyDenied, Problem, PypiserveError

EXAMPLES: list[PypiserveError] = [
    errors.InvalidSetting("pypiserve.toml", "listen", "expected text, got a number", "write host:port"),
    errors.UnknownPlugin("pypiserve.toml", "store.kind", "s3", ["disk"]),
    errors.UnknownPlugin("pypiserve.toml", "store.kind", "s3", []),
    errors.PluginConflict("file store", "disk", "one", "two"),
    errors.PluginUnusable("pypiserve-s3 1.0", "speaks revision 2", "install a newer pypiserve"),
    errors.InvalidUpload(Problem("missing-field", "the form has no field content")),
    errors.FileTooLarge(10),
    errors.AuthenticationFailed("sign in"),
    errors.UnknownScheme("sign in with HTTP Basic"),
    errors.CredentialsMalformed("the header is not Base64"),
    errors.CredentialsUnknown("the password is wrong"),
    errors.CredentialsRevoked("the token was revoked"),
    errors.CredentialsExpired("the token has expired"),
    errors.CredentialsNotYetValid("the token is valid from tomorrow on"),
    errors.AccountDisabled("The account htpasswd:alice is disabled; ask an administrator"),
    errors.TooManySignIns(retry_after_seconds=30),
    errors.TooManySignIns(retry_after_seconds=30, repeated=True),
    errors.PermissionDenied("alice may not publish here"),
    errors.PolicyDenied(Problem("no-prereleases", "prereleases are not accepted")),
    errors.NotFound("project demo"),
    errors.OwnerMoved("acme", "Corp"),
    errors.FilenameTaken("demo-1.0.tar.gz"),
    errors.FilenameTaken("demo-1.0.tar.gz", deleted=True),
    errors.FilenameTaken("demo-1.0.tar.gz", same_content=True),
    errors.TooManyProjects(5, retry_after_seconds=3600),
    errors.FilenameTaken("Demo-1.0.tar.gz", known_as="demo-1.0.tar.gz"),
    errors.Unavailable("the forge does not answer"),
    errors.StorageUnavailable("the store does not answer"),
    errors.StorageFull(),
    errors.PluginContractBroken("disk", "put returned text"),
]


def error_classes() -> list[type[PypiserveError]]:
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    return [value for value in found if issubclass(value, PypiserveError)]


def test_codes_are_unique() -> None:
    """No two classes share a code, so a program can tell them apart."""
    codes = [error.code for error in error_classes()]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
def test_codes_are_kebab_case(error: type[PypiserveError]) -> None:
    """Each code is lowercase words joined by hyphens."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_sentences_are_one_readable_line(error: PypiserveError) -> None:
    """A sentence is one line, and shows no Python values."""
    sentence = str(error)

    assert sentence
    assert "\n" not in sentence
    assert not re.search(r"None|object at|Problem\(|\[\]", sentence)


def test_every_error_that_can_be_raised_has_an_example() -> None:
    """The examples above miss no class but the bases that nobody raises."""
    bases = {errors.PypiserveError, errors.ConfigurationError, errors.Conflict}

    assert {type(error) for error in EXAMPLES} == set(error_classes()) - bases


@pytest.mark.parametrize("deleted", [False, True])
def test_a_taken_filename_says_so_in_the_words_that_clients_look_for(deleted: bool) -> None:  # noqa: FBT001 - pytest's
    """Twine, poetry, PDM and maturin recognise a duplicate by these words."""
    assert str(FilenameTaken("demo-1.0.tar.gz", deleted=deleted)).startswith("File already exists")


def test_an_invalid_upload_lists_all_problems() -> None:
    """Every problem of an upload stands in the one sentence."""
    error = InvalidUpload(Problem("one", "first"), Problem("two", "second"))

    assert str(error) == "first; second"
    assert [problem.code for problem in error.problems] == ["one", "two"]


def test_a_file_that_is_too_large_is_an_invalid_upload() -> None:
    """The limit is a problem of the upload like any other, with its own code."""
    error = errors.FileTooLarge(1000)

    assert isinstance(error, InvalidUpload)
    assert error.problems[0].code == error.code == "file-too-large"
    assert "1000 bytes" in str(error)


def test_a_policy_keeps_its_own_code() -> None:
    """The code of the policy travels beside that of the class."""
    error = PolicyDenied(Problem("no-prereleases", "prereleases are not accepted"), Problem("too-young", "wait"))

    assert [error.code, *(problem.code for problem in error.problems)] == [
        "policy-denied",
        "no-prereleases",
        "too-young",
    ]
    assert str(error) == "prereleases are not accepted; wait"


def test_not_found_names_what_was_looked_for() -> None:
    """The sentence says what was not found."""
    assert str(NotFound("project demo")) == "project demo was not found"


def test_an_outage_says_when_to_try_again() -> None:
    """Unavailable carries the seconds to wait, and says them."""
    error = errors.StorageUnavailable("the store does not answer", retry_after_seconds=7)

    assert error.retry_after_seconds == 7
    assert "try again in 7 s" in str(error)
