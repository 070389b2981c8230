"""
The API of Gitea and Forgejo as far as it tells whose a token is.

Source: Gitea's API under ``/api/v1``: ``GET /token`` (1.27 and newer; Forgejo has none), ``GET /user``,
``GET /user/teams``.
"""

from __future__ import annotations

import msgspec

from pypiserve.core.errors import CredentialsUnknown
from pypiserve_forge.client import ForgeClient, Reply
from pypiserve_forge.gitea_probes import gitea_headers

__all__ = ["GiteaApi", "GiteaTeam", "GiteaToken", "GiteaUser"]

_PAGE = 50
_MAX_PAGES = 20


class _Organisation(msgspec.Struct):
    # "username" is the old name of "name", and the only one that older servers send.
    username: str = ""
    name: str = ""
    visibility: str = "private"


class GiteaUser(msgspec.Struct):
    """An account; those of jobs have numbers below zero."""

    id: int
    login: str
    active: bool = True
    prohibit_login: bool = False


class GiteaToken(msgspec.Struct):
    """A token, by its own word."""

    id: int
    user: GiteaUser
    scopes: list[str] | None = None


class GiteaTeam(msgspec.Struct):
    """A team with one of whose tokens we ask; ``permission`` and the units are access modes, or ``none``."""

    name: str
    permission: str = "none"
    units_map: dict[str, str] | None = None
    organization: _Organisation | None = None

    @property
    def owner(self) -> str:
        """Name of the organisation."""
        return (self.organization.name or self.organization.username) if self.organization else ""

    @property
    def is_hidden(self) -> bool:
        """Whether the organisation is private: limited ones count as public for a token that is limited to that."""
        return self.organization is None or self.organization.visibility == "private"

    @property
    def levels(self) -> tuple[str, ...]:
        """What the team gives for packages; every member of an organisation reads at least."""
        return ("read", self.permission, (self.units_map or {}).get("repo.packages", "none"))


class GiteaApi:
    """The requests, each with one token."""

    def __init__(self, name: str, client: ForgeClient) -> None:
        self._name = name
        self._client = client

    async def token(self, token: str) -> GiteaToken | None:
        """Return what the token says of itself, or ``None`` where the forge is too old for that."""
        reply = await self._get(token, "/api/v1/token", {404})
        return self._client.read(reply, GiteaToken) if reply.status == 200 else None  # noqa: PLR2004 - the status

    async def user(self, token: str) -> GiteaUser | None:
        """Return whose the token is, or ``None`` when it may not see that, or the account may not sign in."""
        reply = await self._get(token, "/api/v1/user", {403})
        return self._client.read(reply, GiteaUser) if reply.status == 200 else None  # noqa: PLR2004 - the status

    async def teams(self, token: str) -> list[GiteaTeam] | None:
        """Return the teams of the token's owner, or ``None`` when it may not see them."""
        found: list[GiteaTeam] = []
        for page in range(1, _MAX_PAGES + 1):
            reply = await self._get(token, f"/api/v1/user/teams?page={page}&limit={_PAGE}", {403})
            if reply.status != 200:  # noqa: PLR2004 - the number is the status
                return None
            some = self._client.read(reply, list[GiteaTeam])
            found += some
            # The forge may give fewer at a time than asked for, so a short page is not the last one for sure.
            if not some or str(len(found)) == reply.headers.get("x-total-count"):
                break
        return found

    async def _get(self, token: str, path: str, also: set[int]) -> Reply:
        reply = await self._client.ask(
            "GET", path, headers=gitea_headers(token), expected=frozenset({200, 401} | also)
        )
        if reply.status == 401:  # noqa: PLR2004 - the number is the status
            raise CredentialsUnknown(
                f"{self._name} does not know this token; it may be revoked: make a new one there"
            )
        return reply
