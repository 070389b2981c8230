"""
Every error that pypiserve raises on purpose.

PypiserveError                  code, facts as attributes, __str__ composes the sentence
├── ConfigurationError          start-up only
│   ├── InvalidSetting
│   ├── UnknownPlugin
│   ├── PluginConflict
│   └── PluginUnusable
├── InvalidUpload               the client's request cannot become a file; carries every problem found
│   └── FileTooLarge
├── AuthenticationFailed        credentials were given and are wrong, or are needed and missing
│   ├── UnknownScheme
│   ├── CredentialsMalformed
│   ├── CredentialsUnknown      nobody's here: the next authenticator is asked
│   ├── CredentialsRevoked
│   ├── CredentialsExpired
│   ├── CredentialsNotYetValid
│   └── AccountDisabled
├── TooManySignIns              too many failed lately; safe to retry later
├── PermissionDenied            known, and may not
│   └── PolicyDenied            policies said no; carries each one's own code
├── TooManyProjects             one identity began too many projects today
├── NotFound                    does not exist, or may not be known to exist
├── OwnerMoved                  the owner has another name now
├── Conflict
│   └── FilenameTaken
├── Unavailable                 safe to retry
│   └── StorageUnavailable
├── StorageFull
└── PluginContractBroken        a plugin returned what its protocol forbids

The HTTP status of each lives in ``pypiserve.web.problems`` and nowhere else. Codes are part of the public
interface: they never change their meaning. No message carries a secret, a token or a local path, but for
``ConfigurationError``, which only the operator sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "AccountDisabled",
    "AuthenticationFailed",
    "ConfigurationError",
    "Conflict",
    "CredentialsExpired",
    "CredentialsMalformed",
    "CredentialsNotYetValid",
    "CredentialsRevoked",
    "CredentialsUnknown",
    "FileTooLarge",
    "FilenameTaken",
    "InvalidSetting",
    "InvalidUpload",
    "NotFound",
    "OwnerMoved",
    "PermissionDenied",
    "PluginConflict",
    "PluginContractBroken",
    "PluginUnusable",
    "PolicyDenied",
    "Problem",
    "PypiserveError",
    "StorageFull",
    "StorageUnavailable",
    "TooManyProjects",
    "TooManySignIns",
    "Unavailable",
    "UnknownPlugin",
    "UnknownScheme",
]


class PypiserveError(Exception):
    """Base of all errors that pypiserve raises on purpose; ``str()`` of one is a sentence for its reader."""

    code: ClassVar[str] = "internal-error"


class ConfigurationError(PypiserveError):
    """The start is refused; the sentence names the place and the remedy."""

    code = "configuration-error"


class InvalidSetting(ConfigurationError):
    """A setting is unknown, of the wrong type or out of range."""

    code = "invalid-setting"

    def __init__(self, source: str, key: str, problem: str, remedy: str) -> None:
        super().__init__(source, key, problem, remedy)
        self.source = source
        self.key = key
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.source}: {self.key}: {self.problem}; {self.remedy}."


class UnknownPlugin(ConfigurationError):
    """The settings name a plugin that no installed distribution offers, or whose distribution cannot be loaded."""

    code = "unknown-plugin"

    def __init__(
        self,
        source: str,
        key: str,
        name: str,
        known: Sequence[str],
        *,
        failures: Sequence[str] = (),
        distribution: str | None = None,
    ) -> None:
        super().__init__(source, key, name, known)
        self.distribution = distribution
        self.source = source
        self.key = key
        self.name = name
        self.known = tuple(sorted(known))
        self.failures = tuple(failures)

    def __str__(self) -> str:
        offer = ", ".join(self.known) or "none"
        missing = f"{self.distribution}, which does" if self.distribution else "the one that does"
        sentence = (
            f"{self.source}: {self.key}: no installed distribution offers {self.name!r}; "
            f"install {missing}, or choose one of: {offer}."
        )
        if self.failures:
            sentence += f" It may be in a plugin that could not be loaded: {' '.join(self.failures)}"
        return sentence


class PluginConflict(ConfigurationError):
    """Two distributions claim one name."""

    code = "plugin-conflict"

    def __init__(self, what: str, name: str, first: str, second: str) -> None:
        super().__init__(what, name, first, second)
        self.what = what
        self.name = name
        self.first = first
        self.second = second

    def __str__(self) -> str:
        return (
            f"The {self.what} {self.name!r} is offered by both {self.first} and {self.second}; "
            "uninstall one of the two distributions."
        )


class PluginUnusable(ConfigurationError):
    """A plugin cannot be loaded, speaks another revision of the API, or failed to build its object."""

    code = "plugin-unusable"

    def __init__(self, distribution: str, problem: str, remedy: str) -> None:
        super().__init__(distribution, problem, remedy)
        self.distribution = distribution
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"Plugin {self.distribution}: {self.problem}; {self.remedy}."


@dataclass(frozen=True)
class Problem:
    """
    One thing that is wrong with an upload.

    Attributes:
        code: Stable, kebab-case, for programs.
        message: One sentence for people, without a full stop, that says how to mend it where that is not plain.
    """

    code: str
    message: str


class InvalidUpload(PypiserveError):
    """The request cannot become a published file; every problem that was found is listed."""

    code = "invalid-upload"

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    @classmethod
    def because(cls, code: str, message: str) -> InvalidUpload:
        """Build the error for a single problem."""
        return cls(Problem(code, message))

    def __str__(self) -> str:
        return "; ".join(problem.message for problem in self.problems)


class FileTooLarge(InvalidUpload):
    """The file, or the request that carries it, is over the limit."""

    code = "file-too-large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            Problem(
                "file-too-large",
                f"The upload is larger than this index accepts ({limit_bytes} bytes); "
                "ask its administrator to raise max_file_size_bytes",
            )
        )
        self.limit_bytes = limit_bytes


class AuthenticationFailed(PypiserveError):
    """
    Credentials are needed and missing, or were given and are wrong. Always answered with a challenge.

    The kinds below say at which step. No one of them tells whether there is a user of some name.
    """

    code = "authentication-failed"

    def __init__(self, reason: str, *, credential: str = "") -> None:
        """
        Take what is told, and what is not.

        Args:
            reason: The sentence.
            credential: Id of the credential, when it was somebody's: for the audit alone.
        """
        super().__init__(reason)
        self.reason = reason
        self.credential = credential

    def __str__(self) -> str:
        return self.reason


class UnknownScheme(AuthenticationFailed):
    """The credentials come by a scheme of HTTP that nobody here knows."""

    code = "unknown-scheme"


class CredentialsMalformed(AuthenticationFailed):
    """The credentials are not spelt as their scheme or their kind wants it; nobody was asked."""

    code = "malformed-credentials"


class CredentialsUnknown(AuthenticationFailed):
    """
    The credentials were checked and are nobody's; another authenticator may know them.

    A user who is not there and a wrong password are this same error, so that neither tells of the other.
    """

    code = "unknown-credentials"


class CredentialsRevoked(AuthenticationFailed):
    """The credentials were somebody's, and were withdrawn."""

    code = "revoked-credentials"


class CredentialsExpired(AuthenticationFailed):
    """The credentials were somebody's, and their time is over."""

    code = "expired-credentials"


class CredentialsNotYetValid(AuthenticationFailed):
    """The credentials are somebody's, and their time has not begun."""

    code = "credentials-not-yet-valid"


class AccountDisabled(AuthenticationFailed):
    """The credentials are somebody's whose account an administrator has disabled."""

    code = "account-disabled"


class TooManySignIns(PypiserveError):
    """
    Too many sign-ins failed lately, of this user or from this address.

    Whether the credentials are good was not looked at.
    """

    code = "too-many-sign-ins"

    def __init__(self, *, retry_after_seconds: int, repeated: bool = False) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds
        self.repeated = repeated

    def __str__(self) -> str:
        if self.repeated:
            return (
                "These credentials were refused again and again; "
                f"correct them, or try again in {self.retry_after_seconds} s"
            )
        return f"Too many sign-ins from your address have failed; try again in {self.retry_after_seconds} s"


class PermissionDenied(PypiserveError):
    """The identity is known and may not do this."""

    code = "permission-denied"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class PolicyDenied(PermissionDenied):
    """Policies refused; every refusal is listed, with the policy's own code."""

    code = "policy-denied"

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class TooManyProjects(PypiserveError):
    """The identity began as many projects as it may within 24 hours; existing ones take its files as before."""

    code = "too-many-projects"

    def __init__(self, limit: int, *, retry_after_seconds: int) -> None:
        super().__init__(limit)
        self.limit = limit
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return (
            f"You began {self.limit} new projects within 24 hours, as many as max_new_projects_per_day allows; "
            f"try again in {self.retry_after_seconds} s, or ask an administrator to raise the rule"
        )


class NotFound(PypiserveError):
    """What was asked for does not exist, or this identity may not know that it does."""

    code = "not-found"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"{self.what} was not found"


class OwnerMoved(PypiserveError):
    """The owner was called so once and has another name now; addresses for reading lead there by themselves."""

    code = "owner-moved"

    def __init__(self, former: str, name: str) -> None:
        super().__init__(former, name)
        self.former = former
        self.name = name

    def __str__(self) -> str:
        return f"The owner {self.former} is called {self.name} now; put that name in the address, /{self.name}/"


class Conflict(PypiserveError):
    """The request contradicts what is already there."""

    code = "conflict"


class FilenameTaken(Conflict):
    """
    The index has, or had, a file of this name, and files do not change there.

    The sentence opens with the words that twine, poetry, PDM and maturin look for.
    """

    code = "filename-taken"

    def __init__(
        self, filename: str, *, known_as: str | None = None, deleted: bool = False, same_content: bool = False
    ) -> None:
        super().__init__(filename)
        self.filename = filename
        self.known_as = known_as or filename
        self.deleted = deleted
        self.same_content = same_content

    def __str__(self) -> str:
        if self.known_as != self.filename:
            return (
                f"File already exists: {self.known_as} differs from {self.filename} in letter case only, "
                "and such names are one; publish a new version"
            )
        if self.deleted:
            return (
                f"File already exists: {self.filename} was published and deleted, and its name stays reserved; "
                "restore it as long as the index keeps it, or publish a new version"
            )
        if self.same_content:
            return (
                f"File already exists: {self.filename} is published, and this index takes no file twice; "
                "publish a new version"
            )
        return (
            f"File already exists: {self.filename} is published with other content; "
            "files never change, publish a new version"
        )


class Unavailable(PypiserveError):
    """Something that is needed does not answer now; the request is safe to repeat."""

    code = "unavailable"

    def __init__(self, what: str, *, retry_after_seconds: int = 5) -> None:
        super().__init__(what)
        self.what = what
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.what}; try again in {self.retry_after_seconds} s"


class StorageUnavailable(Unavailable):
    """The file store does not answer now."""

    code = "storage-unavailable"


class StorageFull(PypiserveError):
    """No room is left for the bytes; nothing was kept."""

    code = "storage-full"

    def __str__(self) -> str:
        return "The server has no room left to store this file; nothing was kept, tell its administrator"


class PluginContractBroken(PypiserveError):
    """A plugin returned or raised what its protocol forbids."""

    code = "plugin-contract-broken"

    def __init__(self, plugin: str, problem: str) -> None:
        super().__init__(plugin, problem)
        self.plugin = plugin
        self.problem = problem

    def __str__(self) -> str:
        return f"Plugin {self.plugin} broke its contract: {self.problem}"
