"""
What the settings pick from what is installed, with the options of each instance typed.

``compose`` builds from this and ``pypiserve check`` prints it, so that what was checked is what runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pypiserve.plugin import (
    AuthenticatorKind,
    FileStoreKind,
    Kind,
    PluginSettings,
    ReadPolicyKind,
    Renderer,
    SubscriberKind,
    UploadPolicyKind,
)
from pypiserve.plugin._loading import Offer, Plugins
from pypiserve.plugin.settings import read_table
from pypiserve.settings import InstanceSettings, Settings

__all__ = ["Pick", "Picks", "pick"]

KindT_co = TypeVar("KindT_co", bound=Kind[Any, Any], covariant=True)


@dataclass(frozen=True)
class Pick(Generic[KindT_co]):
    """
    One instance that the settings ask for.

    Attributes:
        instance: The table that asks for it.
        offer: The kind, and who offers it.
        options: The table's options in the kind's own form.
    """

    instance: InstanceSettings
    offer: Offer[KindT_co]
    options: PluginSettings


@dataclass(frozen=True, kw_only=True)
class Picks:
    """Everything that the settings ask for, in their order."""

    store: Pick[FileStoreKind[Any]]
    authenticators: tuple[Pick[AuthenticatorKind[Any]], ...]
    renderers: tuple[Offer[Renderer], ...]
    policies: tuple[Pick[UploadPolicyKind[Any] | ReadPolicyKind[Any]], ...]
    subscribers: tuple[Pick[SubscriberKind[Any]], ...]


def pick(settings: Settings, plugins: Plugins) -> Picks:
    """
    Look every kind up that the settings name, and type its options.

    Raises:
        UnknownPlugin: Nobody offers a kind or renderer.
        InvalidSetting: The options of an instance are unknown, missing or of the wrong type.
    """

    def instances(
        tables: tuple[InstanceSettings, ...], look_up: Callable[..., Offer[KindT_co]]
    ) -> tuple[Pick[KindT_co], ...]:
        return tuple(_pick(table, look_up, folder=settings.folder) for table in tables)

    source = settings.source_of("renderers")
    return Picks(
        store=_pick(settings.store, plugins.file_store, folder=settings.folder),
        authenticators=instances(settings.authenticators, plugins.authenticator),
        renderers=tuple(plugins.renderer(name, source=source, key="renderers") for name in settings.renderers),
        policies=instances(settings.policies, plugins.policy),
        subscribers=instances(settings.subscribers, plugins.subscriber),
    )


def _pick(table: InstanceSettings, look_up: Callable[..., Offer[KindT_co]], *, folder: Path) -> Pick[KindT_co]:
    offer = look_up(table.kind, source=table.source, key=f"{table.key}.kind")
    options: PluginSettings = read_table(
        table.options, offer.thing.settings, source=table.source, key=table.key, folder=folder
    )
    return Pick(instance=table, offer=offer, options=options)
