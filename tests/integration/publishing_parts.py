"""A plugin for tests: policies and subscribers that show how the server deals with theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from pypiserve.core.errors import Unavailable
from pypiserve.core.events import Event
from pypiserve.plugin import (
    Candidate,
    Deny,
    NoSettings,
    PluginSettings,
    SubscriberKind,
    UploadPolicyKind,
    Warn,
    hookimpl,
)
from pypiserve.plugin import Verdict as VerdictOfPolicy

__all__ = ["API_REVISION", "HEARD", "JUDGED", "Heard"]

API_REVISION = 1


@dataclass
class Heard:
    """
    What the subscriber ``listener`` was told.

    Attributes:
        events: In order, failed ones too.
        failures_left: So many times it fails before it takes an event.
        closed: How often it was closed.
    """

    events: list[Event] = field(default_factory=list)
    failures_left: int = 0
    closed: int = 0


HEARD = Heard()
JUDGED: list[Candidate] = []
"""What the policies were asked about, once for each policy."""


class VerdictSettings(PluginSettings, frozen=True):
    """
    Settings of the policy ``verdict``.

    Attributes:
        verdict: What it does about every upload.
        reason: Its sentence, if it denies.
    """

    verdict: str
    reason: str = ""


class Verdict:
    """A policy that does to every upload what its settings say."""

    def __init__(self, settings: VerdictSettings) -> None:
        self._settings = settings

    async def judge(self, candidate: Candidate) -> VerdictOfPolicy:
        """Judge."""
        JUDGED.append(candidate)
        match self._settings.verdict:
            case "deny":
                return Deny("not-wanted", self._settings.reason)
            case "warn":
                return Warn("not-nice", self._settings.reason)
            case "both":
                return [Warn("not-nice", "it is not nice"), Deny("not-wanted", self._settings.reason)]
            case "fail":
                raise RuntimeError(self._settings.reason)
            case "unavailable":
                raise Unavailable(self._settings.reason)
            case "nonsense":
                nonsense: Any = False
                return cast("Deny | None", nonsense)
            case "hang":
                await asyncio.sleep(3600)
        return None


class Listener:
    """A subscriber that writes down what it hears."""

    async def handle(self, event: Event) -> None:
        """Take note, or fail."""
        HEARD.events.append(event)
        if HEARD.failures_left:
            HEARD.failures_left -= 1
            raise RuntimeError("not now")

    async def close(self) -> None:
        """Take note."""
        HEARD.closed += 1


@hookimpl
def pypiserve_policies() -> Iterable[UploadPolicyKind[VerdictSettings]]:
    """Offer the policy."""
    yield UploadPolicyKind("verdict", VerdictSettings, lambda settings, _: Verdict(settings), "does as it is told")


@hookimpl
def pypiserve_subscribers() -> Iterable[SubscriberKind[NoSettings]]:
    """Offer the subscriber."""
    yield SubscriberKind("listener", NoSettings, lambda _settings, _context: Listener(), "writes down what it hears")
