"""The API tokens of the catalog, kept in memory until the journal says that one changed."""

from __future__ import annotations

from collections import OrderedDict

from pypiserve.catalog import tokens
from pypiserve.catalog.database import Database
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.events import Event, EventKind
from pypiserve.plugin import ApiToken

__all__ = ["TokenLookup"]

_MAX_KEPT = 10_000
_OF_MANY = frozenset({EventKind.ROBOT_DELETED, EventKind.OWNER_RENAMED, EventKind.OTHER})


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
        token = _token(record)
        if generation == self._generation:
            self._kept[secret_sha256] = token
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return token

    def notice(self, event: Event) -> None:
        """Forget a token that was revoked, or all when an event was about many; new ones are not kept yet."""
        if event.kind is EventKind.TOKEN_REVOKED:
            self._generation += 1
            # By name too: older versions did not write the id.
            words = set(event.detail.split(" ")[:2])
            for digest in [digest for digest, token in self._kept.items() if words & {token.token_id, token.name}]:
                del self._kept[digest]
        elif event.kind in _OF_MANY:
            self._generation += 1
            self._kept.clear()


def _token(record: TokenRecord) -> ApiToken:
    return ApiToken(
        record.name,
        record.secret_sha256,
        record.expires_at,
        revoked=record.revoked_at is not None,
        not_before=record.not_before,
        token_id=record.token_id,
        owner_subject=record.owner_subject,
        scopes=None if record.scopes is None else tuple(record.scopes),
    )
