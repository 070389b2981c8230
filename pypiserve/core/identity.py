"""Who is asking: what a request carries, who that turns out to be, and what may be done."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from packaging.utils import NormalizedName

from pypiserve.core.project_patterns import includes, matches

__all__ = [
    "ANONYMOUS",
    "ANYONE",
    "RESERVED_AUTHENTICATORS",
    "SIGNED_IN",
    "Action",
    "BasicCredentials",
    "BearerCredentials",
    "Credentials",
    "Identity",
    "Role",
    "Scope",
    "Visibility",
    "VouchedRole",
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


class Role(enum.StrEnum):
    """
    What a subject is to a project, an index, an owner or the server; each role includes those before it.

    ``ADMINISTRATOR`` is for the whole server only.
    """

    READER = "reader"
    PUBLISHER = "publisher"
    MAINTAINER = "maintainer"
    OWNER = "owner"
    ADMINISTRATOR = "administrator"

    @property
    def rank(self) -> int:
        """Position in the order of roles, rising."""
        return _RANKS[self]


class Visibility(enum.StrEnum):
    """Who may read an owner's indexes without a grant: plain words for the common ones."""

    PUBLIC = "public"
    """Every request."""
    INTERNAL = "internal"
    """Everybody who is signed in."""
    PRIVATE = "private"
    """Nobody."""


class Action(enum.StrEnum):
    """What a request wants to do."""

    READ = "read"
    PUBLISH = "publish"
    YANK = "yank"
    DELETE = "delete"
    """Also restoring, and setting a project's status."""
    ADMINISTER = "administer"
    """An owner: its visibility, grants, teams, indexes and their rules."""
    ADMINISTER_SERVER = "administer-server"
    """What belongs to no owner: accounts, new owners, grants on the server, the whole audit."""

    @property
    def needs(self) -> Role:
        """The lowest role that may."""
        return _NEEDS[self]


_RANKS = {role: rank for rank, role in enumerate(Role)}

_NEEDS = {
    Action.READ: Role.READER,
    Action.PUBLISH: Role.PUBLISHER,
    Action.YANK: Role.PUBLISHER,
    Action.DELETE: Role.MAINTAINER,
    Action.ADMINISTER: Role.OWNER,
    Action.ADMINISTER_SERVER: Role.ADMINISTRATOR,
}


@dataclass(frozen=True)
class VouchedRole:
    """
    A role on an owner for which an authenticator vouches, such as that of a member of a forge's organisation.

    Attributes:
        owner: The owner's name, in any letter case; an owner that does not exist here is no error.
        role: At most ``Role.OWNER``: nobody but the catalog makes administrators of the server.
    """

    owner: str
    role: Role


@dataclass(frozen=True)
class Scope:
    """
    What a credential is limited to. ``None`` stands for no limit of that kind; a scope never gives a right.

    Attributes:
        owner: Name of an owner, in any letter case.
        index: Name of an index, of that owner or of any.
        projects: Pattern of normalised project names, as ``as_project_pattern`` spells it, such as ``acme-*``.
        actions: What may be done.
    """

    owner: str | None = None
    index: str | None = None
    projects: str | None = None
    actions: frozenset[Action] | None = None

    def admits(self, action: Action, *, owner: str | None, index: str | None) -> bool:
        """Tell whether it lets this be done there, in some project at least; ``None`` is beyond all owners."""
        return (
            (self.actions is None or action in self.actions)
            and (self.owner is None or (owner is not None and self.owner.casefold() == owner.casefold()))
            and (self.index is None or self.index == index)
        )

    def admits_project(self, project: NormalizedName) -> bool:
        """Tell whether it lets something be done to this project, as far as its name decides."""
        return self.projects is None or matches(self.projects, project)

    def is_within(self, outer: Scope) -> bool:
        """Tell whether all that it admits is admitted by another one too."""
        return (
            (outer.actions is None or (self.actions is not None and self.actions <= outer.actions))
            and (outer.owner is None or (self.owner or "").casefold() == outer.owner.casefold())
            and (outer.index is None or self.index == outer.index)
            # A scope of projects, even of all, is none of the index as a whole.
            and (outer.projects is None or (self.projects is not None and includes(outer.projects, self.projects)))
        )


RESERVED_AUTHENTICATORS = frozenset({"robot", "team"})
"""No authenticator may be called so in the settings: subjects that begin so are made by the catalog alone."""


@dataclass(frozen=True)
class Identity:
    """
    Somebody, or nobody in particular.

    Identities are equal when they are the same subject, with the same rights brought along, by the same credential.

    Attributes:
        authenticator: The name, in the settings, of the authenticator that vouches; empty for anonymous.
        name: Unique within that authenticator, and never used again for somebody else.
        display_name: What people call it, such as the login at a forge; may change, and decides nothing.
        roles: Roles for which the authenticator vouches, beside those that the catalog grants to the subject.
        scopes: What the credential is limited to: one of these must admit what is done; ``None`` for no limit.
        credential: Id of the credential for the audit, such as that of an API token; never the secret.
    """

    authenticator: str
    name: str
    display_name: str = field(default="", compare=False)
    roles: tuple[VouchedRole, ...] = ()
    scopes: tuple[Scope, ...] | None = None
    credential: str = ""

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
