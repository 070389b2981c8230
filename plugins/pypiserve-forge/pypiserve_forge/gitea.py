"""
Gitea and Forgejo: whose token, and which rights.

The rule of their package registry for a member of an organisation: the highest of what each team has in general and
on the unit ``repo.packages``. Source: Gitea, ``services/context/package.go``.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from pypiserve.core.errors import AuthenticationFailed, Unavailable
from pypiserve.core.identity import Role, Scope, VouchedRole
from pypiserve_forge.accounts import READ_ONLY, Account
from pypiserve_forge.client import ForgeClient
from pypiserve_forge.gitea_api import GiteaApi, GiteaTeam, GiteaToken, GiteaUser
from pypiserve_forge.gitea_probes import Access, Probes
from pypiserve_forge.owners import Owners

__all__ = ["LEVELS", "Gitea"]

LEVELS = {"read": Role.READER, "write": Role.PUBLISHER, "admin": Role.MAINTAINER, "owner": Role.OWNER}
"""The role for each access mode."""


class Gitea:
    """
    A ``Forge`` of Gitea's family.

    With ``read:user`` and ``read:organization`` a token shows whose it is and in which teams they are. Without, the
    package registry is asked about each organisation that is listed.
    """

    def __init__(
        self, name: str, client: ForgeClient, owners: Owners, *, check_scopes: bool, introspects: bool
    ) -> None:
        """
        Take what is needed.

        Args:
            name: Of the authenticator, for people.
            client: Its base URL is the forge's; closed with this.
            owners: Which organisations count.
            check_scopes: Whether the token must be good for packages there.
            introspects: Whether the forge may have ``GET /token``.
        """
        self._name = name
        self._client = client
        self._owners = owners
        self._check_scopes = check_scopes
        self._introspects = introspects
        self._api = GiteaApi(name, client)
        self._probes = Probes(client)

    async def look_up(self, token: str) -> Account:
        """Ask for the token, the user, their teams and, where scopes are not told, the package registry."""
        introspected = await self._api.token(token) if self._introspects else None
        user = await self._api.user(token)
        _check_person(self._name, user)
        teams = await self._api.teams(token) if user is not None else None
        if user is None or teams is None:
            return await self._by_registry(token, user, introspected)
        access, sees_hidden = await self._reach(token, user, introspected, teams)
        roles = self._roles_in([team for team in teams if sees_hidden or not team.is_hidden])
        return Account(str(user.id), user.login, roles, self._limits(access), _number(introspected))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    def _roles_in(self, teams: Sequence[GiteaTeam]) -> tuple[VouchedRole, ...]:
        by_owner: dict[str, list[Role | None]] = defaultdict(list)
        for team in teams:
            level = self._owners.highest(team.levels)
            by_owner[team.owner] += [
                self._owners.role_of(level) if level else None,
                self._owners.teams_of(team.owner).get(team.name.casefold()),
            ]
        return tuple(role for owner, roles in by_owner.items() for role in self._owners.vouch(owner, roles))

    async def _reach(
        self, token: str, user: GiteaUser, introspected: GiteaToken | None, teams: Sequence[GiteaTeam]
    ) -> tuple[Access, bool]:
        """Find out what the token may do with packages at all, and whether with those of private owners too."""
        access = await self._scope_of(token, user.login, introspected)
        if introspected is not None and introspected.scopes is not None:
            return access, not self._check_scopes or "public-only" not in introspected.scopes
        hidden = next((team.owner for team in teams if team.is_hidden and self._owners.owner_of(team.owner)), None)
        if not self._check_scopes or hidden is None:
            return access, True
        return access, await self._probes.access(token, hidden) in {Access.READ, Access.WRITE}

    async def _scope_of(self, token: str, login: str, introspected: GiteaToken | None) -> Access:
        if not self._check_scopes:
            return Access.WRITE
        if introspected is not None and introspected.scopes is not None:
            return _access_by(introspected.scopes)
        access = await self._probes.access(token, login)  # everybody may write what is theirs
        if access is Access.ABSENT:
            raise Unavailable(
                f"{self._name} has no package registry to ask what this token is good for; "
                "an administrator can set check_scopes = false"
            )
        return access

    async def _by_registry(self, token: str, user: GiteaUser | None, introspected: GiteaToken | None) -> Account:
        """Find the rights by what the package registry lets the token do."""
        known = user or (introspected.user if introspected is not None else None)
        _check_person(self._name, known)
        found = {owner: await self._access_to(token, owner) for owner in self._owners.listed}
        roles = [
            role
            for owner, access in found.items()
            for role in self._owners.vouch(owner, [self._owners.role_of(_LEVEL_OF[access])])
        ]
        if user is None and not roles:
            # Such an account may just as well be one that may not sign in.
            raise AuthenticationFailed(
                f"This token of {self._name} shows neither whose it is nor a right on packages; "
                "make one with the scopes read:user, read:organization, and read:package or write:package"
            )
        if known is not None:
            access = await self._scope_of(token, known.login, introspected)
        else:
            access = Access.WRITE if Access.WRITE in found.values() else Access.READ
        name, login = (str(known.id), known.login) if known else (f"token-{_fingerprint(token)}", "")
        return Account(name, login, tuple(roles), self._limits(access), _number(introspected))

    async def _access_to(self, token: str, owner: str) -> Access:
        access = await self._probes.access(token, owner)
        if access is Access.READ and await self._probes.is_public(owner):
            return Access.NONE  # what everybody may read there makes nobody a reader here
        return access

    def _limits(self, access: Access) -> tuple[Scope, ...] | None:
        if access is Access.NONE:
            raise AuthenticationFailed(
                f"This token of {self._name} is not for packages; "
                "make one with the scope read:package or write:package"
            )
        return None if access is Access.WRITE or not self._check_scopes else READ_ONLY


_LEVEL_OF = {
    Access.WRITE: "write",
    Access.READ: "read",
    Access.NONE: "none",
    Access.PUBLIC_ONLY: "none",
    Access.ABSENT: "none",
}


def _access_by(scopes: Sequence[str]) -> Access:
    if {"all", "write:package"} & set(scopes):
        return Access.WRITE
    return Access.READ if "read:package" in scopes else Access.NONE


def _check_person(name: str, user: GiteaUser | None) -> None:
    if user is None:
        return
    if not user.active or user.prohibit_login:  # told where accounts need no confirmation
        raise AuthenticationFailed(f"The account of this token of {name} may not sign in there")
    if user.id <= 0:
        raise AuthenticationFailed(
            f"This token of {name} belongs to a job, not to a person; make a token of this server for it"
        )


def _number(introspected: GiteaToken | None) -> str:
    return str(introspected.id) if introspected is not None else ""


def _fingerprint(token: str) -> str:
    """Name a token that does not show whose it is; its 160 random bits keep a plain SHA-256 safe."""
    return hashlib.sha256(token.encode()).hexdigest()[:32]
