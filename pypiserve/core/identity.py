"""Who is asking: what a request carries, who that turns out to be, and what may be done."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

__all__ = [
    "ANONYMOUS",
    "ANYONE",
    "SIGNED_IN",
    "Action",
    "BasicCredentials",
    "BearerCredentials",
    "Credentials",
    "Identity",
    "Role",
]


@dataclass(frozen=True)
class BasicCredentials:
    """User name and password as HTTP Basic carries them; surrounding white space is already removed."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class BearerCredentials:
    """A token as ``Authorization: Bearer`` or ``token`` carries it."""

    token: str = field(repr=False)


Credentials = BasicCredentials | BearerCredentials

ANYONE = "anyone"
"""Subject of a grant that holds for every request, signed in or not."""

SIGNED_IN = "signed-in"
"""Subject of a grant that holds for every identity but the anonymous one."""


@dataclass(frozen=True)
class Identity:
    """
    Somebody, or nobody in particular.

    Attributes:
        authenticator: The name, in the settings, of the authenticator that vouches; empty for anonymous.
        name: Unique within that authenticator, and never used again for somebody else.
    """

    authenticator: str
    name: str

    @property
    def subject(self) -> str:
        """The spelling that grants use, such as ``htpasswd:alice`` or ``token:ci``."""
        return f"{self.authenticator}:{self.name}" if self.authenticator else ANYONE

    @property
    def is_anonymous(self) -> bool:
        """Whether no credentials were given."""
        return not self.authenticator


ANONYMOUS = Identity("", "")
"""The identity of a request without credentials."""


class Role(enum.StrEnum):
    """What a subject is to an owner or to the server; each role includes those before it."""

    READER = "reader"
    PUBLISHER = "publisher"
    ADMINISTRATOR = "administrator"

    @property
    def rank(self) -> int:
        """Position in the order of roles, rising."""
        return list(Role).index(self)


class Action(enum.StrEnum):
    """What a request wants to do."""

    READ = "read"
    PUBLISH = "publish"
    YANK = "yank"
    DELETE = "delete"
    ADMINISTER = "administer"

    @property
    def needs(self) -> Role:
        """The lowest role that may."""
        return _NEEDS[self]


_NEEDS = {
    Action.READ: Role.READER,
    Action.PUBLISH: Role.PUBLISHER,
    Action.YANK: Role.PUBLISHER,
    Action.DELETE: Role.ADMINISTRATOR,
    Action.ADMINISTER: Role.ADMINISTRATOR,
}
