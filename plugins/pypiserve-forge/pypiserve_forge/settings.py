"""The settings of a forge, and what they must not be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from pypiserve.plugin import PluginSettings

__all__ = ["ForgeSettings", "ForgejoSettings", "GitHubSettings", "GitLabSettings", "GiteaSettings", "RoleName"]

RoleName = Literal["none", "reader", "publisher", "maintainer", "owner"]
"""A role here, or none."""

_Names = Annotated[list[Annotated[str, msgspec.Meta(min_length=1, max_length=255)]], msgspec.Meta(max_length=100)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=300)]


class ForgeSettings(PluginSettings, frozen=True, kw_only=True):
    """
    What the settings of all kinds of forge have in common.

    Attributes:
        organisations: The organisations, or groups of GitLab, that give rights here: each is the owner of its name.
            Anybody may make an organisation on most forges, so they are listed. ``*`` stands for all, on forges of
            Gitea's family.
        owners: Organisation to the owner that it is here, where the names differ.
        teams: Role of the members of a team, ``ORGANISATION/TEAM``, on the organisation's owner; it comes on top.
        members_only: Whether only those sign in who have a role in one of the organisations. On a public forge
            everybody can make an account, and would be ``signed-in`` here.
        check_scopes: Whether the token must be one that may read, or write, packages on the forge too.
        username_suffix: Tokens are this forge's only beside a user name that ends so, as ``@codeberg``. Needed when
            two forges make tokens of the same shape, so that none is sent to the wrong one.
        ca_file: Certificates in PEM of the authorities to trust in place of the system's.
        remember_seconds: How long an answer of the forge is believed; 60 at most for requests that change something.
        grace_seconds: How much longer those who only read are believed while the forge does not answer.
        max_waiting: Most tokens that may wait for the forge; beyond that sign-ins are answered 503.
    """

    organisations: _Names
    owners: dict[str, str] = msgspec.field(default_factory=dict)
    teams: dict[str, RoleName] = msgspec.field(default_factory=dict)
    members_only: bool = True
    check_scopes: bool = True
    username_suffix: str = ""
    ca_file: Path | None = None
    remember_seconds: _Seconds = 120
    grace_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0
    max_waiting: Annotated[int, msgspec.Meta(ge=1, le=10000)] = 100


class GiteaSettings(ForgeSettings, frozen=True, kw_only=True):
    """
    Settings of the kind ``gitea``.

    Attributes:
        url: Address of the forge, as its ``ROOT_URL`` has it.
        roles: Role here for a right on packages there.
    """

    url: str
    roles: dict[Literal["read", "write", "admin", "owner"], RoleName] = msgspec.field(default_factory=dict)


class ForgejoSettings(GiteaSettings, frozen=True, kw_only=True):
    """Settings of the kind ``forgejo``, which are those of ``gitea``."""


class GitLabSettings(ForgeSettings, frozen=True, kw_only=True):
    """
    Settings of the kind ``gitlab``.

    Attributes:
        url: Address of the GitLab.
        roles: Role here for an access level there.
        token_prefixes: What its access tokens begin with.
    """

    url: str = "https://gitlab.com"
    roles: dict[Literal["guest", "planner", "reporter", "developer", "maintainer", "owner"], RoleName] = (
        msgspec.field(default_factory=dict)
    )
    token_prefixes: tuple[Annotated[str, msgspec.Meta(min_length=2, max_length=20)], ...] = ("glpat-",)


class GitHubSettings(ForgeSettings, frozen=True, kw_only=True):
    """
    Settings of the kind ``github``.

    Attributes:
        url: Address of GitHub or of the Enterprise Server.
        roles: Role here for a role in an organisation there.
    """

    url: str = "https://github.com"
    roles: dict[Literal["member", "admin"], RoleName] = msgspec.field(default_factory=dict)
