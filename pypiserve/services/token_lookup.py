"""The API tokens of the catalog, kept in memory until the journal says that one changed."""

from __future__ import annotations

from collections import OrderedDict

from pypiserve.catalog import tokens
from pypiserve.catalog.database import Database
from pypiserve.core.events import Event, EventKind
from pypiserve.plugin import ApiToken

__all__ = ["TokenLookup"]

_MAX_KEPT = 10_000
_CHANGES = frozenset({EventKind.TOKEN_CREATED, EventKind.TOKEN_REVOKED, EventKind.OTHER})


class TokenLookup:
    """Implements ``pypiserve.plugin.ApiTokens``. Unknown tokens are not kept: there is no end of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[str, ApiToken] = OrderedDict()
        self._generation = 0

    async def find(self, secret_sha256: str) -> ApiToken | None:
        """Look a token up by the SHA-256 of the whole token; ``None`` when there is none."""
        known = self._kept.get(secret_sha256)
        if known is not None:
            return known
        generation = self._generation
        record = await self._database.read(lambda c: tokens.find_token_by_secret(c, secret_sha256))
        if record is None:
            return None
        token = ApiToken(record.name, record.secret_sha256, record.expires_at, revoked=record.revoked_at is not None)
        if generation == self._generation:
            self._kept[secret_sha256] = token
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return token

    def notice(self, event: Event) -> None:
        """Forget all tokens when one was made or revoked."""
        if event.kind in _CHANGES:
            self._kept.clear()
            self._generation += 1
