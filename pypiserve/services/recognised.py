"""Which authenticator recognised credentials a while ago, without keeping them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from pypiserve.core.identity import Credentials
from pypiserve.plugin.remembered import spell_credentials
from pypiserve.services.shared_numbers import SharedNumbers

__all__ = ["RecognisedCredentials"]

_LIFETIME_SECONDS = 3600.0
_CAPACITY = 16_384
_RENEWED_AFTER_SECONDS = 60.0


class RecognisedCredentials:
    """
    Remembers by whom credentials were recognised lately, under a keyed digest of them.

    That lets nobody in: the authenticator is asked each time. It says whom to ask first, and whose sign-in is not to
    be held up by others' failures; the latter also when another process of the server has recognised them.
    """

    def __init__(self, memory: SharedNumbers, *, now: Callable[[], float] = time.monotonic) -> None:
        self._memory = memory
        self._now = now
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def digest(self, credentials: Credentials) -> bytes:
        """Digest credentials, so that no two of them look alike, under a key that is never shown."""
        return self._memory.digest(b"recognised", spell_credentials(credentials))

    def recall(self, digest: bytes) -> str | None:
        """Return the name of the authenticator that recognised them here; ``None`` when it is long ago."""
        name, until = self._known.get(digest, (None, 0.0))
        return name if until > self._now() else None

    def are_good(self, digest: bytes) -> bool:
        """Tell whether somebody recognised them lately, in whatever process."""
        return self._memory.get(digest) > self._now()

    def remember(self, digest: bytes, name: str) -> bool:
        """Note who has recognised them now; tell whether that was not noted a moment ago already."""
        now = self._now()
        known = self._known.get(digest)
        if known is not None and known[0] == name and known[1] > now + _LIFETIME_SECONDS - _RENEWED_AFTER_SECONDS:
            return False  # this is done with each request
        self._memory.set(digest, now + _LIFETIME_SECONDS)
        self._known[digest] = (name, now + _LIFETIME_SECONDS)
        self._known.move_to_end(digest)
        while len(self._known) > _CAPACITY:
            self._known.popitem(last=False)
        return True

    def forget(self, digest: bytes) -> None:
        """Note that nobody recognises them any more."""
        self._known.pop(digest, None)
        self._memory.set(digest, 0.0)
