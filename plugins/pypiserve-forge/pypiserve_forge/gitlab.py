"""
GitLab: whose token, and which rights.

Source: GitLab's REST API: "Personal access tokens" (``/personal_access_tokens/self``, for project and group access
tokens as well), "Users" (``/user``), "Group and project members".
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import quote

import msgspec

from pypiserve.core.errors import AuthenticationFailed, CredentialsUnknown
from pypiserve.core.identity import Role, Scope, VouchedRole
from pypiserve_forge.accounts import READ_ONLY, Account
from pypiserve_forge.client import RENAMED, ForgeClient, Reply
from pypiserve_forge.owners import Owners

__all__ = ["LEVELS", "GitLab"]

LEVELS = {
    "guest": None,
    "planner": None,
    "reporter": Role.READER,
    "developer": Role.PUBLISHER,
    "maintainer": Role.MAINTAINER,
    "owner": Role.OWNER,
}
"""The role for each access level; who may read, publish and delete packages of private projects there may here."""

_LEVEL_NUMBERS = (
    (50, "owner"),
    (40, "maintainer"),
    (30, "developer"),
    (20, "reporter"),
    (15, "planner"),
    (10, "guest"),
)
_STATUS_OK = 200


class _Token(msgspec.Struct):
    id: int
    user_id: int
    scopes: list[str]
    active: bool
    revoked: bool = False
    expires_at: date | None = None


class _User(msgspec.Struct):
    id: int
    username: str
    state: str


class _Member(msgspec.Struct):
    access_level: int
    state: str = "active"
    membership_state: str = "active"


class GitLab:
    """A ``Forge`` of GitLab. A token needs the scope ``api``, or ``read_api`` to read."""

    def __init__(self, name: str, client: ForgeClient, owners: Owners, *, check_scopes: bool) -> None:
        """
        Take what is needed.

        Args:
            name: Of the authenticator, for people.
            client: Its base URL is the GitLab's; closed with this.
            owners: Which groups count.
            check_scopes: Whether the token must be good for packages there.
        """
        self._name = name
        self._client = client
        self._owners = owners
        self._check_scopes = check_scopes

    async def look_up(self, token: str) -> Account:
        """Ask for the token, the user, and their membership of each group that is listed."""
        known = self._client.read(await self._get(token, "/personal_access_tokens/self"), _Token)
        if known.revoked or not known.active:
            raise self._unknown()
        scopes = self._limits(known)
        answer = await self._get(token, "/user", {403})
        if answer.status != _STATUS_OK:
            raise self._not_for_packages()
        user = self._client.read(answer, _User)
        if user.state != "active":
            raise AuthenticationFailed(f"The account of this token of {self._name} is {user.state}")
        roles: list[VouchedRole] = []
        for group in self._owners.listed:
            roles += await self._roles_in(token, group, user.id)
        return Account(str(user.id), user.username, tuple(roles), scopes, str(known.id), _end_of(known.expires_at))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _roles_in(self, token: str, group: str, user_id: int) -> tuple[VouchedRole, ...]:
        level = await self._level(token, f"/groups/{quote(group, safe='')}/members/all/{user_id}")
        roles = [self._owners.role_of(level) if level else None]
        for team, role in self._owners.teams_of(group).items():
            # Not "all": that has the members of the groups above as well, and everybody would be in each team.
            path = f"/groups/{quote(f'{group}/{team}', safe='')}/members/{user_id}"
            roles.append(role if await self._level(token, path) else None)
        return self._owners.vouch(group, roles)

    async def _level(self, token: str, path: str) -> str | None:
        """Return the level of a member; ``None`` for who is none, waits for approval, or may not know."""
        reply = await self._get(token, path, {403, 404, *RENAMED})
        if reply.status != _STATUS_OK:
            return None
        member = self._client.read(reply, _Member)
        if (member.state, member.membership_state) != ("active", "active"):
            return None
        return next((level for number, level in _LEVEL_NUMBERS if member.access_level >= number), None)

    async def _get(self, token: str, path: str, also: set[int] | None = None) -> Reply:
        reply = await self._client.ask(
            "GET",
            f"/api/v4{path}",
            headers={"PRIVATE-TOKEN": token, "Accept": "application/json", "User-Agent": "pypiserve-forge"},
            expected=frozenset({200, 401} | (also or set())),
        )
        if reply.status == 401:  # noqa: PLR2004 - the number is the status
            raise self._unknown()
        return reply

    def _limits(self, token: _Token) -> tuple[Scope, ...] | None:
        if not self._check_scopes or "api" in token.scopes:
            return None
        if "read_api" in token.scopes:
            return READ_ONLY
        raise self._not_for_packages()

    def _not_for_packages(self) -> AuthenticationFailed:
        return AuthenticationFailed(
            f"This token of {self._name} is not for packages; make one with the scope api, or read_api to read"
        )

    def _unknown(self) -> AuthenticationFailed:
        return CredentialsUnknown(
            f"{self._name} does not know this token; it may be revoked or expired: make a new one there"
        )


def _end_of(expires_at: date | None) -> datetime | None:
    """Return the moment from which the token is void. GitLab lets it expire at midnight UTC of that day."""
    return None if expires_at is None else datetime.combine(expires_at, datetime.min.time(), UTC)
