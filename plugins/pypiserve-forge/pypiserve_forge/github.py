"""
GitHub and GitHub Enterprise: whose token, and which rights.

GitHub has no registry of Python packages, so rights come from roles in organisations and from teams.

Source: GitHub's REST API: "Users" (``/user``), "Organization members" (``/user/memberships/orgs/ORG``), "Team
members" (``/orgs/ORG/teams/TEAM/memberships/LOGIN``), and "Scopes for OAuth apps" (``X-OAuth-Scopes``).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from pypiserve.core.errors import AuthenticationFailed, CredentialsUnknown
from pypiserve.core.identity import Role, Scope, VouchedRole
from pypiserve_forge.accounts import READ_ONLY, Account
from pypiserve_forge.client import RENAMED, ForgeClient, Reply
from pypiserve_forge.owners import Owners

__all__ = ["LEVELS", "GitHub"]

LEVELS = {"member": Role.READER, "admin": Role.OWNER}
"""The role for each role in an organisation; who may publish, the settings say."""

_log = logging.getLogger("pypiserve_forge")

_STATUS_OK = 200


class _User(msgspec.Struct):
    id: int
    login: str
    type: str = "User"


class _Membership(msgspec.Struct):
    state: str
    role: str


class GitHub:
    """
    A ``Forge`` of GitHub.

    A classic token needs ``read:org``, and ``read:packages`` or ``write:packages``. A fine-grained token needs the
    right to read members of the organisation; it cannot be seen to be for packages, so it only reads.
    """

    def __init__(self, name: str, client: ForgeClient, owners: Owners, *, check_scopes: bool) -> None:
        """
        Take what is needed.

        Args:
            name: Of the authenticator, for people.
            client: Its base URL is that of the API; closed with this.
            owners: Which organisations count.
            check_scopes: Whether the token must be good for packages there.
        """
        self._name = name
        self._client = client
        self._owners = owners
        self._check_scopes = check_scopes

    async def look_up(self, token: str) -> Account:
        """Ask for the user, and for their membership of each organisation and team that is listed."""
        reply = await self._get(token, "/user")
        user = self._client.read(reply, _User)
        scopes = self._limits(token, reply)
        roles: list[VouchedRole] = []
        for organisation in self._owners.listed:
            roles += await self._roles_in(token, organisation, user.login)
        return Account(str(user.id), user.login, tuple(roles), scopes, expires_at=_end_of(reply))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _roles_in(self, token: str, organisation: str, login: str) -> tuple[VouchedRole, ...]:
        place = quote(organisation, safe="")
        membership = await self._membership(token, f"/user/memberships/orgs/{place}")
        if membership is None:
            return ()
        roles = [self._owners.role_of(membership.role)]
        for team, role in self._owners.teams_of(organisation).items():
            path = f"/orgs/{place}/teams/{quote(team, safe='')}/memberships/{quote(login, safe='')}"
            roles.append(role if await self._membership(token, path) else None)
        return self._owners.vouch(organisation, roles)

    async def _membership(self, token: str, path: str) -> _Membership | None:
        """Return an active membership; who was only invited is no member yet."""
        reply = await self._get(token, path, {403, 404, *RENAMED})
        if reply.status != _STATUS_OK:
            if "x-github-sso" in reply.headers:
                _log.info("%s: a token is not authorised for the single sign-on of %s", self._name, path)
            return None
        membership = self._client.read(reply, _Membership)
        return membership if membership.state == "active" else None

    async def _get(self, token: str, path: str, also: set[int] | None = None) -> Reply:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "pypiserve-forge",
        }
        expected = frozenset({200, 401} | (also or set()))
        reply = await self._client.ask("GET", path, headers=headers, expected=expected)
        if reply.status == 401:  # noqa: PLR2004 - the number is the status
            raise CredentialsUnknown(
                f"{self._name} does not know this token; it may be revoked or expired: make a new one there"
            )
        return reply

    def _limits(self, token: str, reply: Reply) -> tuple[Scope, ...] | None:
        if not self._check_scopes:
            return None
        if token.startswith("github_pat_"):
            return READ_ONLY
        scopes = {scope.strip() for scope in reply.headers.get("x-oauth-scopes", "").split(",")}
        if "write:packages" in scopes:
            return None
        if "read:packages" in scopes:
            return READ_ONLY
        raise AuthenticationFailed(
            f"This token of {self._name} is not for packages; "
            "make one with the scopes read:org, and write:packages or read:packages"
        )


def _end_of(reply: Reply) -> datetime | None:
    """Read when the token ends, as GitHub writes it: ``2027-01-31 10:00:00 UTC`` or ``… -0800``."""
    said = reply.headers.get("github-authentication-token-expiration", "")
    try:
        return datetime.strptime(said.replace("UTC", "+0000"), "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
    except ValueError:
        return None
