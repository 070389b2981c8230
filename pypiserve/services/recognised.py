"""Which authenticator recognised credentials a while ago, without keeping them."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from pypiserve.core.identity import Credentials
from pypiserve.plugin.remembered import spell_credentials

__all__ = ["RecognisedCredentials"]

_LIFETIME_SECONDS = 3600.0
_CAPACITY = 16_384


class RecognisedCredentials:
    """
    Remembers by whom credentials were recognised lately, under a keyed digest of them.

    That lets nobody in: the authenticator is asked each time. It says whom to ask first, and whose sign-in is not to
    be held up by others' failures.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._now = now
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def digest(self, credentials: Credentials) -> bytes:
        """Digest credentials, so that no two of them look alike, under a key that is never shown."""
        return hashlib.blake2b(spell_credentials(credentials), key=self._key, digest_size=16).digest()

    def recall(self, digest: bytes) -> str | None:
        """Return the name of the authenticator that recognised them; ``None`` when it is long ago or none has."""
        name, until = self._known.get(digest, (None, 0.0))
        return name if until > self._now() else None

    def remember(self, digest: bytes, name: str) -> None:
        """Note who has recognised them now."""
        self._known[digest] = (name, self._now() + _LIFETIME_SECONDS)
        self._known.move_to_end(digest)
        while len(self._known) > _CAPACITY:
            self._known.popitem(last=False)

    def forget(self, digest: bytes) -> None:
        """Note that nobody recognises them any more."""
        self._known.pop(digest, None)
