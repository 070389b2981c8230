"""A plugin for tests: stores, authenticators, policies and renderers that show how the server deals with theirs."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from packaging.utils import NormalizedName

from pypiserve.core.digests import Sha256
from pypiserve.core.events import Event
from pypiserve.core.identity import Action, Credentials, Identity, Role, Scope, VouchedRole
from pypiserve.core.model import ProjectDetail, ProjectFile, ProjectList
from pypiserve.plugin import (
    AuthenticatorKind,
    BuildContext,
    Candidate,
    Deny,
    FileStoreKind,
    NoSettings,
    ReadPolicyKind,
    Redirect,
    Renderer,
    SubscriberKind,
    UploadPolicyKind,
    hookimpl,
)
from pypiserve.testing import MemoryFileStore

__all__ = ["API_REVISION", "RENDERING", "STORES", "Rendering"]

API_REVISION = 1


@dataclass
class Rendering:
    """
    What the renderer ``counted`` did, and whether it may go on.

    Attributes:
        details: How many project pages it was asked for.
        gate: While it is clear, project pages wait.
        begun: Set whenever a project page has been begun.
    """

    details: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)

    def reset(self) -> None:
        """Begin anew, with the gate open."""
        self.details = 0
        self.gate.set()
        self.begun.clear()


RENDERING = Rendering()
RENDERING.reset()
STORES: list[MemoryFileStore] = []
"""Every memory store that was built, the latest last."""


class CountedRenderer:
    """Writes the versions of a project, one a line, when it is let."""

    name = "counted"
    media_type = "text/x-counted"
    accepts: Sequence[str] = ("text/x-counted",)

    def render_project_list(self, projects: ProjectList) -> bytes:
        """Write the names."""
        return "\n".join(project.name for project in projects.projects).encode()

    def render_project_detail(self, project: ProjectDetail) -> bytes:
        """Count, wait for the gate, write the versions."""
        RENDERING.details += 1
        RENDERING.begun.set()
        assert RENDERING.gate.wait(20)
        return "\n".join(project.versions).encode()


class RedirectingStore(MemoryFileStore):
    """Sends clients to another host."""

    async def locate(self, digest: Sha256, *, filename: str) -> Redirect:  # type: ignore[override]
        """Make an address that works for two minutes."""
        return Redirect(f"https://bytes.example/{digest}/{filename}?signed", timedelta(minutes=2))


class CrashingAuthenticator:
    """Fails on the user ``crash``, takes ``impostor`` for the administrator's token; knows nobody else."""

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        """Fail in a way that no protocol speaks of."""
        if getattr(credentials, "username", "") == "crash":
            raise RuntimeError("the directory speaks in tongues")
        if getattr(credentials, "username", "") == "impostor":
            return Identity("token", "administrator")
        return None

    async def close(self) -> None:
        """Hold nothing."""


MEMBER = Identity("vouching", "42", display_name="mia", roles=(VouchedRole("CLOSED", Role.PUBLISHER),))
VOUCHED = {
    "member": replace(MEMBER, credential="key-7"),
    "for-reading": replace(MEMBER, scopes=(Scope(actions=frozenset({Action.READ})),)),
    "for-publishing": replace(MEMBER, scopes=(Scope(owner="Closed", actions=frozenset({Action.PUBLISH})),)),
    "for-acme": replace(MEMBER, scopes=(Scope(projects="acme-*"),)),
    "for-another-owner": replace(MEMBER, scopes=(Scope(owner="open"),)),
    "for-nothing": replace(MEMBER, scopes=()),
    "usurper": replace(MEMBER, roles=(VouchedRole("closed", Role.ADMINISTRATOR),)),
}
"""Bearer tokens, and who they are."""


class VouchingAuthenticator:
    """Knows the tokens above, as a forge knows its members and what their tokens are for."""

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        """Look the token up."""
        return VOUCHED.get(getattr(credentials, "token", ""))

    async def close(self) -> None:
        """Hold nothing."""


class NoBetas:
    """An upload policy: no pre-releases."""

    async def judge(self, candidate: Candidate) -> Deny | None:
        """Look for a ``b``."""
        return Deny("no-betas", "Betas are not welcome") if "b" in candidate.version else None


class HideWindows:
    """A read policy: files for Windows are not shown."""

    def judge(
        self,
        owner: str,  # noqa: ARG002 - likewise
        index: str,  # noqa: ARG002
        project: NormalizedName,  # noqa: ARG002
        file: ProjectFile,
    ) -> Deny | None:
        """Look for the platform tag."""
        return Deny("no-windows", "Files for Windows are not shown") if "win32" in file.filename else None


class Diary:
    """A subscriber: writes down which process was told what."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def handle(self, event: Event) -> None:
        """Add a line."""
        with self._file.open("a", encoding="utf-8") as diary:
            diary.write(f"{os.getpid()} {event.kind.value} {event.filename}\n")

    async def close(self) -> None:
        """Hold nothing."""


def _memory(_settings: NoSettings, _context: BuildContext) -> MemoryFileStore:
    STORES.append(MemoryFileStore())
    return STORES[-1]


def _fail(_settings: NoSettings, _context: BuildContext) -> Any:
    raise RuntimeError("no such luck")


@hookimpl
def pypiserve_file_stores() -> Iterable[FileStoreKind[Any]]:
    """Offer stores that stream, redirect, are none, and cannot be built."""
    yield FileStoreKind("memory", NoSettings, _memory, "in memory")
    yield FileStoreKind("redirecting", NoSettings, lambda _settings, _context: RedirectingStore(), "elsewhere")
    yield FileStoreKind("hollow", NoSettings, lambda _settings, _context: object(), "no store")  # type: ignore[arg-type, return-value]
    yield FileStoreKind("broken", NoSettings, _fail, "cannot be built")


@hookimpl
def pypiserve_authenticators() -> Iterable[AuthenticatorKind[Any]]:
    """Offer one that crashes, and one that vouches for roles."""
    yield AuthenticatorKind("crashing", NoSettings, lambda _settings, _context: CrashingAuthenticator(), "crashes")
    yield AuthenticatorKind("vouching", NoSettings, lambda _settings, _context: VouchingAuthenticator(), "vouches")


@hookimpl
def pypiserve_policies() -> Iterable[UploadPolicyKind[Any] | ReadPolicyKind[Any]]:
    """Offer one of each sort."""
    yield UploadPolicyKind("no-betas", NoSettings, lambda _settings, _context: NoBetas(), "no pre-releases")
    yield ReadPolicyKind("hide-windows", NoSettings, lambda _settings, _context: HideWindows(), "no Windows")


@hookimpl
def pypiserve_renderers() -> Iterable[Renderer]:
    """Offer the renderer that counts."""
    return [CountedRenderer()]


@hookimpl
def pypiserve_subscribers() -> Iterable[SubscriberKind[Any]]:
    """Offer one that writes into the data folder."""
    yield SubscriberKind(
        "diary", NoSettings, lambda _settings, context: Diary(context.data_folder / "diary"), "a diary"
    )
