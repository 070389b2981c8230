"""Numbers by key, in memory that the processes of a server have together."""

from __future__ import annotations

import hashlib
import mmap
import secrets

__all__ = ["SharedNumbers"]

_SLOTS = 1 << 17
_WAYS = 4
"""Slots that a key can have; when others have all of them, the smallest number goes."""

_NUMBER_BYTES = 8


class SharedNumbers:
    """
    A table of fixed size for moments and the like, made before the processes that share it are forked.

    Keys are digests under a key of its own, so that nobody can choose two that meet, and nothing that was digested
    can be read out of it. What does not fit displaces the smallest of four numbers, which of moments is the one that
    is over for longest. There is no lock: of two changes of one number at the same instant one may be lost, and what
    is read during a displacement may be a number too little or 0.
    """

    def __init__(self, slots: int = _SLOTS) -> None:
        """
        Make an empty table.

        Args:
            slots: How many numbers fit; 16 bytes each, taken from the system when they are first used.
        """
        self._key = secrets.token_bytes(32)
        self._groups = slots // _WAYS
        # Anonymous and shared: forked processes see the same memory.
        memory = memoryview(mmap.mmap(-1, 2 * slots * _NUMBER_BYTES))
        self._marks = memory[: slots * _NUMBER_BYTES].cast("Q")
        self._numbers = memory[slots * _NUMBER_BYTES :].cast("d")

    def count(self) -> int:
        """Count the numbers that are not 0; slow."""
        return sum(number > 0 for number in self._numbers)

    def digest(self, kind: bytes, *parts: bytes) -> bytes:
        """
        Make a key.

        Args:
            kind: Tells numbers of different meaning apart, at most 16 bytes.
            parts: What it is about; their lengths count, so that no two sequences look alike.
        """
        made = hashlib.blake2b(key=self._key, digest_size=16, person=kind)
        for part in parts:
            made.update(b"%d " % len(part))
            made.update(part)
        return made.digest()

    def get(self, key: bytes) -> float:
        """Return the number of a key; 0 when there is none."""
        first, mark = self._place(key)
        for slot in range(first, first + _WAYS):
            if self._marks[slot] == mark:
                return self._numbers[slot]
        return 0.0

    def set(self, key: bytes, number: float) -> None:
        """Set the number of a key, which is positive; 0 to forget it."""
        first, mark = self._place(key)
        slots = range(first, first + _WAYS)
        own = next((slot for slot in slots if self._marks[slot] == mark), None)
        if own is not None:
            self._numbers[own] = number
        elif number:
            weakest = min(slots, key=self._numbers.__getitem__)
            # In this order: nobody sees the new number under the old mark.
            self._marks[weakest] = 0
            self._numbers[weakest] = number
            self._marks[weakest] = mark

    def _place(self, key: bytes) -> tuple[int, int]:
        group, mark = int.from_bytes(key[:8], "big") % self._groups, int.from_bytes(key[8:16], "big")
        return group * _WAYS, mark or 1
