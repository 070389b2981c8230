"""
The user file of the ``htpasswd`` plugin: read with care, and read again when it changes.

One user a line, ``name:hash``, UTF-8; whatever follows a second colon, empty lines and lines that begin with ``#``
are skipped. As in Apache the first line of a name counts.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from pypiserve.builtin.apache_hashes import HashForm, PasswordHash, parse_hash
from pypiserve.core.errors import Unavailable

__all__ = ["UserFile", "UserList"]

MAX_FILE_BYTES = 16 << 20
"""A file that is longer is not read; 16 MiB are some 200 000 users."""

_SETTLED_NS = 50_000_000
"""Two writes within one tick of the file system's clock look alike, so a file this young is read again."""

_LINES_NAMED = 10

_log = logging.getLogger(__name__)

Fingerprint = tuple[int, int, int, int]


@dataclass(frozen=True)
class UserList:
    """
    The users of one state of the file.

    Attributes:
        users: User name to hash.
        refused: Numbers of lines whose hash is plain text, ``crypt`` or unknown: these users cannot sign in.
        malformed: Numbers of lines that are no user at all, or name one again.
    """

    users: Mapping[str, PasswordHash] = field(repr=False)
    refused: Sequence[int] = ()
    malformed: Sequence[int] = ()

    @cached_property
    def hashes(self) -> Sequence[PasswordHash]:
        """All hashes, by position."""
        return tuple(self.users.values())

    @classmethod
    def parse(cls, content: bytes) -> UserList:
        """Read the content of a user file; a line that is wrong is noted, never fatal."""
        users: dict[str, PasswordHash] = {}
        seen: set[str] = set()
        refused, malformed = [], []
        for number, line in enumerate(content.split(b"\n"), 1):
            if not line.strip() or line.lstrip().startswith(b"#"):
                continue
            name, text = _split(line)
            if not name.isprintable() or not name or name in seen:
                malformed.append(number)
                continue
            seen.add(name)
            known = parse_hash(text)
            if known is None:
                refused.append(number)
            else:
                users[name] = known
        return cls(MappingProxyType(users), tuple(refused), tuple(malformed))

    def log_complaints(self, file: Path) -> None:
        """Tell the operator, once for each state of the file, by line number and never by content."""
        weak = sum(known.form is not HashForm.BCRYPT for known in self.users.values())
        if weak:
            _log.warning(
                "%s: %d users have a weak {SHA} or MD5 hash; give each a new one with: htpasswd -B %s USER",
                *(file, weak, file),
            )
        if self.refused:
            _log.warning(
                "%s: plain text, crypt or unknown hash in line %s; these users cannot sign in, "
                "give each a new one with: htpasswd -B %s USER",
                *(file, _some(self.refused), file),
            )
        if self.malformed:
            _log.warning("%s: not a user, or one named before, in line %s; ignored", file, _some(self.malformed))


class UserFile:
    """The file, watched by its time, size and inode at each use."""

    def __init__(self, path: Path) -> None:
        """
        Read the file, blocking.

        Raises:
            OSError: It cannot be read, or is too long.
        """
        self._path = path
        self._text = os.fspath(path)
        self._lock = asyncio.Lock()
        self._broken = False
        self._seen, self._users = _read(path)
        self._users.log_complaints(path)

    async def current(self) -> UserList:
        """
        Return the users as of now: the same object as before unless they changed.

        Raises:
            Unavailable: The file is gone or cannot be read; nobody is let in by what it once said.
        """
        try:
            if self._is_old():
                async with self._lock:
                    if self._is_old():
                        await self._read_again()
        except OSError as error:
            if not self._broken:
                _log.error("%s cannot be read, nobody of it can sign in: %s", self._path, error.strerror)
            self._broken = True
            raise Unavailable("The list of users cannot be read now") from error
        self._broken = False
        return self._users

    def _is_old(self) -> bool:
        return _fingerprint(os.stat(self._text)) != self._seen  # noqa: PTH116 - on every request, and 5 times faster

    async def _read_again(self) -> None:
        self._seen, users = await asyncio.to_thread(_read, self._path)
        if users != self._users:
            _log.info("%s has changed: %d users", self._path, len(users.users))
            users.log_complaints(self._path)
            self._users = users


def _read(path: Path) -> tuple[Fingerprint | None, UserList]:
    with path.open("rb") as file:
        facts = os.fstat(file.fileno())
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    settled = abs(time.time_ns() - facts.st_mtime_ns) > _SETTLED_NS
    return _fingerprint(facts) if settled else None, UserList.parse(content)


def _fingerprint(facts: os.stat_result) -> Fingerprint:
    return facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino


def _split(line: bytes) -> tuple[str, str]:
    """Return name and hash; an empty name when the line is none."""
    try:
        parts = line.strip().decode().split(":")
    except UnicodeDecodeError:
        return "", ""
    return (parts[0].strip(), parts[1].strip()) if len(parts) > 1 else ("", "")


def _some(numbers: Sequence[int]) -> str:
    named = ", ".join(str(number) for number in numbers[:_LINES_NAMED])
    return named if len(numbers) <= _LINES_NAMED else f"{named} and {len(numbers) - _LINES_NAMED} more"
