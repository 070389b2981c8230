"""What a forge has to say of a token, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pypiserve.core.identity import Action, Scope, VouchedRole

__all__ = ["READ_ONLY", "Account", "Forge"]

READ_ONLY = (Scope(actions=frozenset({Action.READ})),)
"""What a token is limited to that may read packages on its forge, and not write them."""


@dataclass(frozen=True)
class Account:
    """
    Whom a token belongs to, and what it is good for.

    Attributes:
        name: The account's number on the forge: logins are given away again, numbers are not.
        login: What people call it.
        roles: On owners here.
        scopes: What the token is limited to.
        credential: The token's number on the forge; empty where the forge does not tell.
        expires_at: Aware; ``None`` when the forge names no end.
    """

    name: str
    login: str
    roles: tuple[VouchedRole, ...]
    scopes: tuple[Scope, ...] | None = None
    credential: str = ""
    expires_at: datetime | None = None


class Forge(Protocol):
    """Knows the API of one kind of forge."""

    async def look_up(self, token: str) -> Account:
        """
        Find out whose token it is.

        Raises:
            AuthenticationFailed: It is nobody's, or not good for packages.
            Unavailable: The forge cannot tell now.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
