"""
The ``htpasswd`` plugin: users and passwords from a file, as Apache's ``htpasswd`` or ``pypiserve htpasswd`` make it.

Read are bcrypt and, with a warning, ``{SHA}`` and ``$apr1$``. A password of more than 72 bytes never matches a
bcrypt hash, although Apache would cut it off and let it in. Changes of the file are noticed at the next request.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import click
import msgspec

from pypiserve.builtin.apache_hashes import PasswordHash
from pypiserve.builtin.htpasswd_command import htpasswd
from pypiserve.builtin.htpasswd_file import UserFile, UserList
from pypiserve.core.api_tokens import looks_like_api_token
from pypiserve.core.errors import CredentialsUnknown, InvalidSetting, Unavailable
from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials, Identity
from pypiserve.plugin import AuthenticatorKind, BuildContext, PluginSettings, RememberedCredentials, hookimpl

__all__ = [
    "API_REVISION",
    "HtpasswdAuthenticator",
    "HtpasswdSettings",
    "pypiserve_authenticators",
    "pypiserve_commands",
]

API_REVISION = 1

_THREADS = 2
_NICENESS = 10
"""Pages are served by a thread that goes first; between themselves the checks are no slower for that."""


class HtpasswdSettings(PluginSettings, frozen=True):
    """
    Settings of the ``htpasswd`` authenticator.

    Attributes:
        file: The user file.
        remember_seconds: How long a password that was right is not checked again; 0 to check it each time. A
            change of the file ends it at once.
        max_waiting: Most checks that may wait for a processor; beyond that sign-ins are answered 503.
    """

    file: Path
    remember_seconds: Annotated[float, msgspec.Meta(ge=0, le=86400)] = 60
    max_waiting: Annotated[int, msgspec.Meta(ge=1, le=10000)] = 32


class _Lane:
    """Threads that check passwords, and those who wait for them."""

    def __init__(self, name: str, *, threads: int, most_waiting: int, initializer: Callable[[], None] | None) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=initializer)
        self._most = threads + most_waiting
        self._checks = 0

    async def check(self, known: PasswordHash, password: str) -> bool:
        """
        Check a password.

        Raises:
            Unavailable: Too many wait already; nobody has looked at this one.
        """
        if self._checks >= self._most:
            raise Unavailable("Too many sign-ins at once")
        self._checks += 1
        try:
            content = password.encode("utf-8", "surrogatepass")
            return await asyncio.get_running_loop().run_in_executor(self._executor, known.matches, content)
        finally:
            self._checks -= 1

    async def close(self) -> None:
        """End the threads; what waits is given up."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)


class HtpasswdAuthenticator:
    """
    An ``Authenticator`` over a user file. Passwords are checked in threads of its own, behind all other work.

    A password that is remembered waits for nothing. One that is not waits for a thread, or is answered 503 when too
    many wait already: never 401, since nobody has looked at it. One that was right within the last hour waits in a
    lane of its own, where no flood of wrong ones gets in.
    """

    def __init__(self, name: str, file: UserFile, *, remember_seconds: float, max_waiting: int) -> None:
        self._name = name
        self._file = file
        self._users: UserList | None = None
        self._remembered = RememberedCredentials(remember_seconds)
        self._key = secrets.token_bytes(32)
        thread = f"pypiserve-{name}"
        self._lane = _Lane(thread, threads=_THREADS, most_waiting=max_waiting, initializer=_let_others_go_first)
        self._lane_of_known = _Lane(f"{thread}-known", threads=1, most_waiting=max_waiting, initializer=None)

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        """
        Check user name and password; ``None`` for bearer tokens and for what looks like an API token of ours.

        A user who is not in the file is refused like one whose password is wrong, after the same time. Either may be
        known to another authenticator, which is then asked.
        """
        return await self._identify(credentials, self._lane)

    async def authenticate_known(self, credentials: Credentials) -> Identity | None:
        """Do the same in the lane of those who were in before."""
        return await self._identify(credentials, self._lane_of_known)

    async def close(self) -> None:
        """End the checks that are under way, and the threads."""
        await self._remembered.close()
        await self._lane.close()
        await self._lane_of_known.close()

    async def _identify(self, credentials: Credentials, lane: _Lane) -> Identity | None:
        if isinstance(credentials, BearerCredentials) or _has_api_token(credentials):
            return None
        users = await self._file.current()
        if users is not self._users:
            self._users = users
            self._remembered.forget_all()
        return await self._remembered.identify(credentials, lambda: self._check(credentials, users, lane))

    async def _check(self, credentials: BasicCredentials, users: UserList, lane: _Lane) -> Identity:
        known = users.users.get(credentials.username)
        hashed = known or self._decoy(credentials.username, users)
        right = hashed is not None and await lane.check(hashed, credentials.password)
        if known is None or not right:
            raise CredentialsUnknown("The user name or the password is wrong")
        return Identity(self._name, credentials.username)

    def _decoy(self, username: str, users: UserList) -> PasswordHash | None:
        """
        Pick the hash of somebody else to check an unknown user against.

        So the answer takes as long as for one who exists, whatever mixture of forms and costs the file has. The
        pick depends on the name and a secret, and stays the same when the name is tried again.
        """
        if not users.hashes:
            return None
        digest = hashlib.blake2b(username.encode("utf-8", "surrogatepass"), key=self._key, digest_size=8).digest()
        return users.hashes[int.from_bytes(digest, "big") % len(users.hashes)]


def _let_others_go_first() -> None:
    # Elsewhere a thread has no niceness of its own, and this would be the whole process's.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)


def _has_api_token(credentials: BasicCredentials) -> bool:
    return looks_like_api_token(credentials.password) or looks_like_api_token(credentials.username)


def _build(settings: HtpasswdSettings, context: BuildContext) -> HtpasswdAuthenticator:
    try:
        file = UserFile(settings.file)
    except OSError as error:
        raise InvalidSetting(
            f"authenticator {context.name!r}",
            "file",
            f"{settings.file} cannot be read ({error.strerror})",
            f"make it with: pypiserve htpasswd {settings.file} USER",
        ) from error
    return HtpasswdAuthenticator(
        context.name, file, remember_seconds=settings.remember_seconds, max_waiting=settings.max_waiting
    )


@hookimpl
def pypiserve_authenticators() -> Iterable[AuthenticatorKind[HtpasswdSettings]]:
    """Offer the kind ``htpasswd``."""
    yield AuthenticatorKind("htpasswd", HtpasswdSettings, _build, "users and passwords from a file")


@hookimpl
def pypiserve_commands() -> Iterable[click.Command]:
    """Offer ``pypiserve htpasswd``."""
    yield htpasswd
