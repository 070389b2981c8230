"""
Asking a package registry of Gitea's family what a token may do, without doing it.

An upload without a file is refused for the missing file only after the right to upload was found (400, or 413 on a
Forgejo where the owner is over quota); a project that cannot exist is missing (404) only for those who may read.
Whoever may not is answered 401, and 403 with a token that is limited to what is public. Sent as
``Authorization: token``: with Basic an unknown token may count as no credentials at all, and then the answers would
prove nothing.

Source: Gitea, ``routers/api/packages/api.go`` (``reqPackageAccess``) and ``routers/api/packages/pypi/pypi.go``.
"""

from __future__ import annotations

import enum
from urllib.parse import quote

from pypiserve_forge.client import ForgeClient

__all__ = ["Access", "Probes", "gitea_headers"]

_UPLOAD_STATUSES = frozenset({307, 400, 401, 403, 404, 413})
_READ_STATUSES = frozenset({401, 403, 404})
_IMPOSSIBLE = "no-project-has-this-name-pypiserve-asks-what-it-may-read"


class Access(enum.Enum):
    """What a token may do with the packages of an owner."""

    WRITE = enum.auto()
    READ = enum.auto()
    NONE = enum.auto()
    PUBLIC_ONLY = enum.auto()
    """The token is limited to what is public, and the owner is private."""
    ABSENT = enum.auto()
    """There is no owner of this name any more or yet, or the forge has no package registry."""


_BY_STATUS = {
    307: Access.ABSENT,  # it has another name now
    400: Access.WRITE,
    403: Access.PUBLIC_ONLY,
    404: Access.ABSENT,
    413: Access.WRITE,
}
"""What an upload without a file is answered, but for 401."""


def gitea_headers(token: str) -> dict[str, str]:
    """Return the headers of a request with a token."""
    return {"Authorization": f"token {token}", "Accept": "application/json", "User-Agent": "pypiserve-forge"}


class Probes:
    """The questions."""

    def __init__(self, client: ForgeClient) -> None:
        self._client = client

    async def access(self, token: str, owner: str) -> Access:
        """
        Find out what a valid token may do with the packages of an owner.

        Raises:
            Unavailable: The forge cannot tell now.
        """
        path = f"/api/packages/{quote(owner, safe='')}/pypi/"
        reply = await self._client.ask("POST", path, headers=gitea_headers(token), expected=_UPLOAD_STATUSES)
        if reply.status != 401:  # noqa: PLR2004 - the number is the status
            return _BY_STATUS[reply.status]
        return await self._may_read(gitea_headers(token), owner)

    async def is_public(self, owner: str) -> bool:
        """
        Tell whether anybody may read the packages of an owner that exists.

        Raises:
            Unavailable: The forge cannot tell now.
        """
        headers = gitea_headers("")
        del headers["Authorization"]
        return await self._may_read(headers, owner) is Access.READ

    async def _may_read(self, headers: dict[str, str], owner: str) -> Access:
        path = f"/api/packages/{quote(owner, safe='')}/pypi/simple/{_IMPOSSIBLE}/"
        reply = await self._client.ask("GET", path, headers=headers, expected=_READ_STATUSES)
        return {404: Access.READ, 401: Access.NONE, 403: Access.PUBLIC_ONLY}[reply.status]
