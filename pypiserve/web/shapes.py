"""
What the interface for programs takes and sends, as msgspec structs.

Requests are read with them, answers written with them, and the OpenAPI document is made of them, so that none can say
something else than the others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pypiserve.core.audit import AuditFilter
from pypiserve.core.identity import Action, Role, Visibility
from pypiserve.core.index_rules import IndexRules
from pypiserve.core.model import ProjectStatus

__all__ = [
    "AuditQuery",
    "Claim",
    "DeletedFile",
    "ExplainQuery",
    "Explanation",
    "Grant",
    "GrantPlace",
    "Index",
    "MadeToken",
    "Member",
    "Membership",
    "MembershipQuery",
    "NewGrant",
    "NewIndex",
    "NewName",
    "NewOwner",
    "NewRobot",
    "NewServerGrant",
    "NewTeam",
    "NewToken",
    "Owner",
    "OwnerVisibility",
    "Package",
    "PackageFile",
    "PackageQuery",
    "PageQuery",
    "Party",
    "Problem",
    "Problems",
    "ProjectQuery",
    "Restored",
    "Robot",
    "RobotChange",
    "RobotChanged",
    "RobotsQuery",
    "RulesChange",
    "ServerGrantPlace",
    "Status",
    "Team",
    "Token",
    "TokenQuery",
    "TokenScope",
    "TokensQuery",
    "User",
    "UserChange",
    "UserChanged",
    "Yank",
]

MAX_PAGE_LENGTH = 100

Name = Annotated[str, Meta(max_length=64)]
Subject = Annotated[str, Meta(max_length=255)]
Pattern = Annotated[str, Meta(max_length=200)]
Reason = Annotated[str, Meta(max_length=1000)]
PageNumber = Annotated[int, Meta(ge=1, le=1_000_000, description="Which page of the list.")]
PageLength = Annotated[int, Meta(ge=1, description="Length of a page; more than 100 counts as 100.")]


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request brings: members that nobody knows are refused, since they would be a misunderstanding."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer has; later versions may have more."""


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted."""

    page: PageNumber = 1
    limit: PageLength = 30

    @property
    def length(self) -> int:
        """How many there are on a page."""
        return min(self.limit, MAX_PAGE_LENGTH)


class ProjectQuery(PageQuery, frozen=True, kw_only=True):
    """Which files or releases of a project are wanted."""

    deleted: Annotated[bool, Meta(description="Deleted files instead, last deleted first.")] = False


class PackageQuery(ProjectQuery, frozen=True, kw_only=True):
    """Which releases of an owner are wanted."""

    q: Annotated[str, Meta(description="Text that the project's name has in it.")] = ""
    type: Annotated[str, Meta(description="Name of the index.")] = ""


class Party(_Answer, frozen=True, kw_only=True):
    """An owner or a subject, as Gitea writes users."""

    login: str
    username: str


class Package(_Answer, frozen=True, kw_only=True):
    """A release; Gitea calls it a package."""

    id: int
    owner: Party
    repository: None
    creator: Party
    type: str
    name: str
    version: str
    html_url: str
    created_at: datetime


class Problem(_Answer, frozen=True, kw_only=True):
    """Something that is wrong, or that the server remarks."""

    code: str
    message: str


class PackageFile(_Answer, frozen=True, kw_only=True):
    """A distribution file."""

    id: int
    size: int
    name: str
    md5: str | None
    sha1: None
    sha256: str
    sha512: None = None
    blake2b_256: str | None
    requires_python: str | None
    uploaded_at: datetime
    yanked: bool
    yanked_reason: str | None
    warnings: list[Problem]


class DeletedFile(_Answer, frozen=True, kw_only=True):
    """A file that was deleted."""

    type: str
    name: str
    version: str
    filename: str
    size: int
    sha256: str
    deleted_at: datetime
    restorable_until: datetime | None


class Yank(_Body, frozen=True, kw_only=True):
    """Why something is yanked."""

    reason: Reason | None = None


class Status(_Body, frozen=True, kw_only=True):
    """The status marker of a project. Spec: PEP 792."""

    status: ProjectStatus
    reason: Reason | None = None


class Restored(_Answer, frozen=True, kw_only=True):
    """The names of the files that came back."""

    restored: list[str]


class Problems(_Answer, frozen=True, kw_only=True):
    """Why a request was refused. Spec: RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    problems: list[Problem]


class Owner(_Answer, frozen=True, kw_only=True):
    """An owner: a user or an organisation."""

    name: str
    kind: str
    visibility: Visibility


class NewOwner(_Body, frozen=True, kw_only=True):
    """An owner that shall be made, with its index ``pypi``."""

    name: Name
    visibility: Visibility = Visibility.PRIVATE
    kind: Literal["organisation", "user"] = "organisation"


class OwnerVisibility(_Body, frozen=True, kw_only=True):
    """Who may read without a grant."""

    visibility: Visibility


class NewName(_Body, frozen=True, kw_only=True):
    """What an owner shall be called."""

    name: Name


class Index(_Answer, frozen=True, kw_only=True):
    """An index, with those of its rules that are not the default."""

    owner: str
    name: str
    rules: IndexRules


class NewIndex(_Body, frozen=True, kw_only=True):
    """An index that shall be made."""

    name: Name
    rules: IndexRules = msgspec.field(default_factory=IndexRules)


_RULES: Any = msgspec.defstruct(
    "SomeRules",
    [(field.encode_name, field.type | UnsetType, UNSET) for field in msgspec.structs.fields(IndexRules)],
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
)
_RULES.__doc__ = "Rules that get another value."


class RulesChange(_Body, frozen=True, kw_only=True):
    """Rules of an index that change; the others stay."""

    rules: _RULES = msgspec.field(default_factory=_RULES)
    reset: Annotated[
        list[Annotated[str, Meta(max_length=64)]], Meta(max_length=64, description="Rules that get their default.")
    ] = []

    def values(self) -> dict[str, Any]:
        """Return the new values by the names of their rules."""
        given = msgspec.structs.asdict(self.rules)
        return {name: value for name, value in given.items() if value is not UNSET}


class Team(_Answer, frozen=True, kw_only=True):
    """A team; its subject is what roles are granted to."""

    owner: str
    name: str
    subject: str


class NewTeam(_Body, frozen=True, kw_only=True):
    """A team that shall be made."""

    name: Name


class Member(_Answer, frozen=True, kw_only=True):
    """A subject that is in a team."""

    subject: str


class MembershipQuery(_Body, frozen=True, kw_only=True):
    """Who is meant. In the query, since a subject may have slashes in it, and proxies take these apart."""

    subject: Subject


class Membership(_Answer, frozen=True, kw_only=True):
    """A subject that is in a team now; ``added`` unless it was before."""

    subject: str
    added: bool


class Grant(_Answer, frozen=True, kw_only=True):
    """A role that a subject has at a place; without an owner, on the whole server."""

    subject: str
    role: Role
    owner: str | None
    index: str | None
    projects: str | None


class NewServerGrant(_Body, frozen=True, kw_only=True):
    """A role on the whole server; it takes the place of an earlier one of the subject there."""

    subject: Subject
    role: Role


class NewGrant(NewServerGrant, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role on an owner, or on an index or a pattern of projects there; likewise."""

    index: Name | None = None
    projects: Pattern | None = None


class ServerGrantPlace(_Body, frozen=True, kw_only=True):
    """Whose role on the whole server."""

    subject: Subject


class GrantPlace(ServerGrantPlace, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose role, and where: exactly as it was granted."""

    index: Name | None = None
    projects: Pattern | None = None


class User(_Answer, frozen=True, kw_only=True):
    """Somebody whom the catalog knows, whoever signs them in."""

    subject: str
    display_name: str
    created_at: datetime
    last_seen_at: datetime | None
    disabled_at: datetime | None


class UserChange(_Body, frozen=True, kw_only=True):
    """Whether somebody is refused, with all their credentials."""

    subject: Subject
    disabled: bool


class UserChanged(_Answer, frozen=True, kw_only=True):
    """How it is now; ``changed`` unless it was so before."""

    subject: str
    disabled: bool
    changed: bool


class TokenScope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a token is limited to; null stands for no limit of that kind."""

    owner: Name | None = None
    index: Name | None = None
    projects: Annotated[str, Meta(max_length=200, description="Pattern of names of projects.")] | None = None
    actions: Annotated[list[Action], Meta(min_length=1, max_length=16)] | None = None


class NewToken(_Body, frozen=True, kw_only=True):
    """A token that shall be made, of whoever asks unless it says whose."""

    name: Name
    subject: Annotated[str, Meta(max_length=255, description="Whose: robot:NAME, or somebody.")] | None = None
    scopes: Annotated[list[TokenScope], Meta(min_length=1, max_length=32)] | None = None
    not_before: Annotated[datetime, Meta(tz=True)] | None = None
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    description: Annotated[str, Meta(max_length=500)] = ""


class Token(_Answer, frozen=True, kw_only=True):
    """A token, without its secret."""

    id: str
    name: str
    subject: str
    scopes: list[TokenScope] | None
    not_before: datetime | None
    expires_at: datetime | None
    description: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    last_used_at: datetime | None


class MadeToken(Token, frozen=True, kw_only=True):
    """A token that was just made; ``token`` is told this once and kept nowhere."""

    token: str


class TokensQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose tokens are wanted: one's own unless it says."""

    subject: Annotated[str, Meta(max_length=255, description="Those of a robot, or of somebody.")] | None = None
    everybody: Annotated[bool, Meta(description="Those of all subjects; for administrators.")] = False


class TokenQuery(_Body, frozen=True, kw_only=True):
    """Whose the token is, when several have the name."""

    subject: Subject | None = None


class RobotsQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose robots are wanted: all unless it says."""

    owner: Name | None = None


class NewRobot(_Body, frozen=True, kw_only=True):
    """A robot that shall be made; without an owner it is the server's."""

    name: Name
    owner: Name | None = None
    description: Annotated[str, Meta(max_length=500)] = ""


class RobotChange(_Body, frozen=True, kw_only=True):
    """Whether all tokens of a robot are refused."""

    disabled: bool


class Robot(_Answer, frozen=True, kw_only=True):
    """An account of no person."""

    name: str
    subject: str
    owner: str | None
    description: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


class RobotChanged(Robot, frozen=True, kw_only=True):
    """How it is now; ``changed`` unless it was so before."""

    changed: bool


class ExplainQuery(_Body, frozen=True, kw_only=True):
    """What is to be explained."""

    subject: Annotated[str, Meta(max_length=255, description="AUTHENTICATOR:NAME, or `anyone`.")]
    action: Action
    target: Annotated[str, Meta(max_length=400, description="OWNER, OWNER/INDEX or OWNER/INDEX/PROJECT.")]


class Claim(_Answer, frozen=True, kw_only=True):
    """One reason for which somebody has a role."""

    role: Role
    because: str


class Explanation(_Answer, frozen=True, kw_only=True):
    """What a request would meet, and what speaks for it; ``refusal`` is null when it may."""

    allowed: bool
    refusal: Problem | None
    teams: list[str]
    claims: list[Claim]


class AuditQuery(AuditFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lines of the audit are wanted, and from where on."""

    limit: PageLength = 30

    before: (
        Annotated[
            str,
            Meta(pattern="^[0-9]{1,18}-[0-9]{1,18}$", description="Where an earlier page ended, from its `Link`."),
        ]
        | None
    ) = None

    @property
    def length(self) -> int:
        """How many lines there are in an answer."""
        return min(self.limit, MAX_PAGE_LENGTH)
