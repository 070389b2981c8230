"""What the installed plugins offer, and the look-up by the names that the settings use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import click

from pypiserve.core.errors import UnknownPlugin
from pypiserve.plugin.kinds import (
    AuthenticatorKind,
    FileStoreKind,
    ReadPolicyKind,
    SubscriberKind,
    UploadPolicyKind,
)
from pypiserve.plugin.renderers import Renderer

__all__ = ["Offer", "PluginFailure", "Plugins"]

ThingT_co = TypeVar("ThingT_co", covariant=True)

_HOMES = dict.fromkeys(("forgejo", "gitea", "github", "gitlab"), "pypiserve-forge")
"""Kinds of authenticator of this project's own plugins: what to install is known although it is not there."""


@dataclass(frozen=True)
class Offer(Generic[ThingT_co]):
    """
    One thing that a plugin offers.

    Attributes:
        thing: A kind, a renderer or a command.
        distribution: Who offers it: name and version (``pypiserve 0.1.0``), or ``module NAME`` from the settings.
        origin: The module or object that registered it, as an import name: ``pypiserve.builtin.disk``.
    """

    thing: ThingT_co
    distribution: str
    origin: str


@dataclass(frozen=True)
class PluginFailure:
    """
    An installed plugin that cannot be used.

    Attributes:
        distribution: As in ``Offer``.
        sentence: What is wrong and what to do.
    """

    distribution: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Plugins:
    """
    Everything that the loaded plugins offer, by name. Being here is not being in use: the settings choose.

    Attributes:
        failures: Installed plugins that could not be loaded and that the settings may not need.
    """

    file_stores: Mapping[str, Offer[FileStoreKind[Any]]] = field(default_factory=dict)
    authenticators: Mapping[str, Offer[AuthenticatorKind[Any]]] = field(default_factory=dict)
    renderers: Mapping[str, Offer[Renderer]] = field(default_factory=dict)
    upload_policies: Mapping[str, Offer[UploadPolicyKind[Any]]] = field(default_factory=dict)
    read_policies: Mapping[str, Offer[ReadPolicyKind[Any]]] = field(default_factory=dict)
    subscribers: Mapping[str, Offer[SubscriberKind[Any]]] = field(default_factory=dict)
    commands: Mapping[str, Offer[click.Command]] = field(default_factory=dict)
    failures: tuple[PluginFailure, ...] = ()

    def file_store(self, name: str, *, source: str, key: str) -> Offer[FileStoreKind[Any]]:
        """
        Look a kind of file store up.

        Args:
            name: The kind's name.
            source: Where the name stands, for the message; see ``InstanceSettings``.
            key: The setting that gives it.

        Raises:
            UnknownPlugin: Nobody offers it; the sentence also names the installed plugins that failed to load.
        """
        return self._find(self.file_stores, name, source=source, key=key)

    def authenticator(self, name: str, *, source: str, key: str) -> Offer[AuthenticatorKind[Any]]:
        """Look a kind of authenticator up; see ``file_store``."""
        return self._find(self.authenticators, name, source=source, key=key, homes=_HOMES)

    def renderer(self, name: str, *, source: str, key: str) -> Offer[Renderer]:
        """Look a renderer up; see ``file_store``."""
        return self._find(self.renderers, name, source=source, key=key)

    def policy(self, name: str, *, source: str, key: str) -> Offer[UploadPolicyKind[Any] | ReadPolicyKind[Any]]:
        """Look a kind of upload policy or read policy up, which share one set of names; see ``file_store``."""
        policies: dict[str, Offer[UploadPolicyKind[Any] | ReadPolicyKind[Any]]] = {}
        policies.update(self.upload_policies)
        policies.update(self.read_policies)
        return self._find(policies, name, source=source, key=key)

    def subscriber(self, name: str, *, source: str, key: str) -> Offer[SubscriberKind[Any]]:
        """Look a kind of subscriber up; see ``file_store``."""
        return self._find(self.subscribers, name, source=source, key=key)

    def _find(
        self,
        offers: Mapping[str, Offer[ThingT_co]],
        name: str,
        *,
        source: str,
        key: str,
        homes: Mapping[str, str] | None = None,
    ) -> Offer[ThingT_co]:
        try:
            return offers[name]
        except KeyError:
            sentences = tuple(failure.sentence for failure in self.failures)
            home = (homes or {}).get(name)
            raise UnknownPlugin(source, key, name, tuple(offers), failures=sentences, distribution=home) from None
