"""
Loading: from installed distributions and the modules that the settings name to what they offer.

An installed plugin that is broken must not stop a server that does not need it: it becomes a ``PluginFailure``. A
module that the settings name is needed, so it raises. Two plugins that claim one name always raise.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pypiserve.core.errors import PluginConflict, PluginUnusable
from pypiserve.plugin._offers import Offer, PluginFailure, Plugins
from pypiserve.plugin._registration import Registered, ask, first_line
from pypiserve.plugin.kinds import UploadPolicyKind

__all__ = ["ENTRY_POINT_GROUP", "Offer", "PluginFailure", "Plugins", "load_plugins"]

ENTRY_POINT_GROUP = "pypiserve"
"""The group in which distributions name their plugins."""

_log = logging.getLogger("pypiserve.plugin")


@dataclass(frozen=True)
class _Candidate:
    """One plugin that is not imported yet."""

    distribution: str
    origin: str
    load: Callable[[], object]
    remedy: str = "repair or uninstall it"


def load_plugins(modules: Sequence[str] = ()) -> Plugins:
    """
    Load the installed plugins and those that the settings name.

    Args:
        modules: Import names of modules that are plugins without being installed as such.

    Raises:
        PluginConflict: Two plugins offer one name.
        PluginUnusable: A module of ``modules`` cannot be used.
    """
    loading = _Loading()
    for candidate in _installed():
        try:
            loading.add(candidate)
        except PluginUnusable as error:
            _log.warning("%s", error)
            loading.failures.append(PluginFailure(distribution=candidate.distribution, sentence=str(error)))
    for name in modules:
        load = partial(importlib.import_module, name)
        remedy = "repair it, put its folder on PYTHONPATH, or take it out of plugins in the settings"
        loading.add(_Candidate(f"module {name}", name, load, remedy))
    return loading.finish()


def _installed() -> Iterator[_Candidate]:
    """Find the entry points, in an order that does not depend on the order of folders."""
    named = [(_distribution(point), point) for point in entry_points(group=ENTRY_POINT_GROUP)]
    for distribution, point in sorted(named, key=lambda each: (each[0], each[1].name)):
        yield _Candidate(distribution, point.value, point.load)


def _distribution(point: EntryPoint) -> str:
    """Name a distribution and its version; metadata may be damaged, and the name is only for people."""
    try:
        # Read once: each look at a distribution's name or version parses all that it says of itself.
        metadata = None if point.dist is None else point.dist.metadata
        if metadata is not None and metadata["Name"]:
            return f"{metadata['Name']} {metadata['Version']}"
    except Exception:  # noqa: BLE001 - damaged metadata raises differently in each Python version
        _log.debug("The distribution of the entry point %s has damaged metadata", point.value)
    return f"of the entry point {point.name}"


@dataclass
class _Loading:
    """What has been loaded so far."""

    offers: dict[str, dict[str, Offer[Any]]] = field(default_factory=dict)
    failures: list[PluginFailure] = field(default_factory=list)
    seen: list[object] = field(default_factory=list)

    def add(self, candidate: _Candidate) -> None:
        plugin = _import(candidate)
        if any(plugin is other for other in self.seen):
            return  # Both installed and named by the settings: once is enough.
        registered = ask(plugin, distribution=candidate.distribution)
        self.seen.append(plugin)
        self._take(registered, candidate)

    def _take(self, registered: Iterable[Registered], candidate: _Candidate) -> None:
        for one in registered:
            what = one.hook.removeprefix("pypiserve_")
            offer = Offer(thing=one.thing, distribution=candidate.distribution, origin=candidate.origin)
            first = self.offers.setdefault(what, {}).setdefault(one.name, offer)
            if first is not offer:
                raise PluginConflict(_SINGULAR[what], one.name, first.distribution, offer.distribution)

    def finish(self) -> Plugins:
        policies = self.offers.get("policies", {})
        return Plugins(
            file_stores=self.offers.get("file_stores", {}),
            authenticators=self.offers.get("authenticators", {}),
            renderers=self.offers.get("renderers", {}),
            upload_policies={n: o for n, o in policies.items() if isinstance(o.thing, UploadPolicyKind)},
            read_policies={n: o for n, o in policies.items() if not isinstance(o.thing, UploadPolicyKind)},
            subscribers=self.offers.get("subscribers", {}),
            commands=self.offers.get("commands", {}),
            failures=tuple(self.failures),
        )


_SINGULAR = {
    "file_stores": "file store",
    "authenticators": "authenticator",
    "renderers": "renderer",
    "policies": "policy",
    "subscribers": "subscriber",
    "commands": "command",
}


def _import(candidate: _Candidate) -> object:
    try:
        return candidate.load()
    except (Exception, SystemExit) as error:
        problem = f"{candidate.origin} cannot be imported ({first_line(error)})"
        raise PluginUnusable(candidate.distribution, problem, candidate.remedy) from error
