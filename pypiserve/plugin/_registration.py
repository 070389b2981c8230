"""One plugin: is it made for this API, and what does it yield?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
import pluggy

from pypiserve.core.errors import PluginUnusable
from pypiserve.plugin import hookspecs
from pypiserve.plugin.hookspecs import API_REVISION
from pypiserve.plugin.kinds import (
    AuthenticatorKind,
    FileStoreKind,
    Kind,
    ReadPolicyKind,
    SubscriberKind,
    UploadPolicyKind,
)
from pypiserve.plugin.renderers import Renderer
from pypiserve.plugin.settings import PluginSettings

__all__ = ["SORTS", "Registered", "ask", "first_line"]

SORTS: Mapping[str, tuple[type, ...]] = {
    "pypiserve_file_stores": (FileStoreKind,),
    "pypiserve_authenticators": (AuthenticatorKind,),
    "pypiserve_renderers": (Renderer,),
    "pypiserve_policies": (UploadPolicyKind, ReadPolicyKind),
    "pypiserve_subscribers": (SubscriberKind,),
    "pypiserve_commands": (click.Command,),
}
"""What each hook may yield."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z")


@dataclass(frozen=True)
class Registered:
    """One thing that one hook of one plugin yielded, checked."""

    hook: str
    name: str
    thing: Any


def ask(plugin: object, *, distribution: str) -> list[Registered]:
    """
    Call every hook of a plugin once.

    The plugin gets a plugin manager of its own: one that is broken cannot disturb the others, its hooks cannot
    wrap theirs, and what comes back is known to be its own.

    Raises:
        PluginUnusable: Another revision, an unknown hook, a hook that fails, or a thing of the wrong type.
    """
    _check_revision(plugin, distribution)
    hooks = _hooks_of(plugin, distribution)
    return [one for hook in SORTS for one in _call(hooks, hook, distribution)]


def first_line(error: BaseException) -> str:
    """Say what an exception of a plugin is about, on one line."""
    said = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _check_revision(plugin: object, distribution: str) -> None:
    revision = getattr(plugin, "API_REVISION", None)
    if revision is None:
        raise PluginUnusable(
            distribution, "it does not state its API_REVISION", f"add API_REVISION = {API_REVISION} to the plugin"
        )
    if type(revision) is not int or revision != API_REVISION:
        said = revision if isinstance(revision, int) else type(revision).__name__
        raise PluginUnusable(
            distribution,
            f"it was written for API_REVISION {said}, and this server has {API_REVISION}",
            "install the versions of the plugin and of pypiserve that belong together",
        )


def _hooks_of(plugin: object, distribution: str) -> pluggy.HookRelay:
    manager = pluggy.PluginManager("pypiserve")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name=distribution)
        manager.check_pending()
    except Exception as error:  # The attributes of a plugin may raise whatever they like when pluggy looks at them.
        remedy = f"use hooks and arguments of API_REVISION {API_REVISION}"
        raise PluginUnusable(distribution, f"its hooks do not fit ({first_line(error)})", remedy) from error
    marked = {implementation.name for implementation in manager.get_hookcallers(plugin) or ()}
    for hook in SORTS:
        if hook not in marked and callable(getattr(plugin, hook, None)):
            raise PluginUnusable(distribution, f"{hook} is not marked as a hook", "decorate it with @hookimpl")
    return manager.hook


def _call(hooks: pluggy.HookRelay, hook: str, distribution: str) -> list[Registered]:
    """Collect what a hook yields; the plugin's own code runs in here, and may raise whatever it likes."""
    try:
        things = [thing for answer in getattr(hooks, hook)() for thing in answer]
        problems = [_problem(thing, SORTS[hook]) for thing in things]
        names = [getattr(thing, "name", "") for thing in things]
    except (Exception, SystemExit) as error:
        problem = f"{hook} failed ({first_line(error)})"
        raise PluginUnusable(distribution, problem, "repair or uninstall the plugin") from error
    for problem in filter(None, problems):
        remedy = "see the page of the hook for what it may yield"
        raise PluginUnusable(distribution, f"{hook} yielded {problem}", remedy)
    return [Registered(hook=hook, name=name, thing=thing) for name, thing in zip(names, things, strict=True)]


def _problem(thing: Any, expected: tuple[type, ...]) -> str:
    """Say what is wrong with a thing; empty when nothing is."""
    if not any(isinstance(thing, sort) for sort in expected):
        return f"{type(thing).__name__}, not {' or '.join(sort.__name__ for sort in expected)}"
    name: object = thing.name
    if not isinstance(name, str) or _NAME.match(name) is None:
        return f"a {type(thing).__name__} whose name is not 1 to 63 lowercase letters, digits, '.', '_' and '-'"
    if isinstance(thing, Kind):
        return _problem_of_kind(thing)
    if isinstance(thing, Renderer):
        return _problem_of_renderer(thing)
    return ""


def _problem_of_kind(kind: Kind[Any, Any]) -> str:
    settings: object = kind.settings
    build: object = kind.build
    summary: object = kind.summary
    if not (isinstance(settings, type) and issubclass(settings, PluginSettings)):
        return f"the kind {kind.name!r}, whose settings are no subclass of PluginSettings"
    if not callable(build):
        return f"the kind {kind.name!r}, whose build cannot be called"
    if not isinstance(summary, str):
        return f"the kind {kind.name!r}, whose summary is no text"
    return ""


def _problem_of_renderer(renderer: Renderer) -> str:
    media_type: object = renderer.media_type
    accepts: object = renderer.accepts
    if not isinstance(media_type, str):
        return f"the renderer {renderer.name!r}, whose media_type is no text"
    if not isinstance(accepts, list | tuple) or not all(isinstance(accepted, str) for accepted in accepts):
        return f"the renderer {renderer.name!r}, whose accepts is no list or tuple of texts"
    return ""
