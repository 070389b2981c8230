"""Building what the settings pick: from a kind and its options to the object that works."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pypiserve.core.errors import ConfigurationError, PluginUnusable
from pypiserve.parts import Parts
from pypiserve.picks import Pick, Picks
from pypiserve.plugin import (
    Authenticator,
    BuildContext,
    EventSubscriber,
    FileStore,
    Kind,
    ReadPolicy,
    ReadPolicyKind,
    Renderer,
    UploadPolicy,
    UploadPolicyKind,
)

__all__ = ["Instances", "build_instances"]


@dataclass(frozen=True)
class Instances:
    """
    The plugins' objects, as the settings ask for them.

    Attributes:
        authenticators: With their names in the settings, by which grants call those that they recognise.
        subscribers: With their names in the settings, under which the catalog keeps their marks.
    """

    store: FileStore
    authenticators: tuple[tuple[str, Authenticator], ...]
    renderers: tuple[Renderer, ...]
    upload_policies: tuple[UploadPolicy, ...]
    read_policies: tuple[ReadPolicy, ...]
    subscribers: tuple[tuple[str, EventSubscriber], ...]


def build_store(picks: Picks, context: BuildContext, parts: Parts) -> FileStore:
    """Build the file store alone; raises like ``build_instances``."""
    store: FileStore = _closing(picks.store, context, parts, FileStore)
    return store


def build_instances(picks: Picks, context: BuildContext, parts: Parts) -> Instances:
    """
    Build every instance once.

    Args:
        picks: What the settings ask for.
        context: For all of them, but for ``name``.
        parts: Closes what was built, also when a later one cannot be.

    Raises:
        ConfigurationError: An instance cannot work; the sentence names the distribution or the setting.
    """
    # By their kinds: the protocols look alike at run time, both have a method `judge`.
    upload = [pick for pick in picks.policies if isinstance(pick.offer.thing, UploadPolicyKind)]
    read = [pick for pick in picks.policies if isinstance(pick.offer.thing, ReadPolicyKind)]
    return Instances(
        store=build_store(picks, context, parts),
        authenticators=tuple(
            (pick.instance.name, _closing(pick, _beside(pick, picks, context), parts, Authenticator))
            for pick in picks.authenticators
        ),
        renderers=tuple(offer.thing for offer in picks.renderers),
        upload_policies=tuple(_build(pick, context, UploadPolicy) for pick in upload),
        read_policies=tuple(_build(pick, context, ReadPolicy) for pick in read),
        subscribers=tuple(
            (pick.instance.name, _closing(pick, context, parts, EventSubscriber)) for pick in picks.subscribers
        ),
    )


def _beside(pick: Pick[Kind[Any, Any]], picks: Picks, context: BuildContext) -> BuildContext:
    others = {other.instance.name: other.options for other in picks.authenticators if other is not pick}
    return replace(context, other_authenticators=others)


def _closing(pick: Pick[Kind[Any, Any]], context: BuildContext, parts: Parts, protocol: type) -> Any:
    built = _build(pick, context, protocol)
    parts.closing(f"{pick.instance.key} ({pick.instance.kind})", built.close)
    return built


def _build(pick: Pick[Kind[Any, Any]], context: BuildContext, protocol: type) -> Any:
    own = replace(context, name=pick.instance.name)
    try:
        built = pick.offer.thing.build(pick.options, own)
    except ConfigurationError:
        raise
    except Exception as error:
        raise PluginUnusable(
            pick.offer.distribution,
            f"{pick.instance.key} ({pick.instance.kind}) cannot be built: {type(error).__name__}: {error}",
            "correct its settings, or ask its author",
        ) from error
    if not isinstance(built, protocol):
        raise PluginUnusable(
            pick.offer.distribution,
            f"{pick.instance.kind} built a {type(built).__name__}, which lacks methods of {protocol.__name__}",
            "ask its author",
        )
    return built
