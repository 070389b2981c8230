"""
The hooks, each called once, at start.

A plugin is a module (or any object with these functions and an ``API_REVISION``) that a distribution names in its
entry-point group ``pypiserve``, or that the settings name under ``plugins``. A hook registers; the objects that it
yields do the work, and nothing on the path of a request goes through pluggy. No hook does I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
import pluggy

from pypiserve.plugin.kinds import (
    AuthenticatorKind,
    FileStoreKind,
    ReadPolicyKind,
    SubscriberKind,
    UploadPolicyKind,
)
from pypiserve.plugin.renderers import Renderer

__all__ = [
    "API_REVISION",
    "hookimpl",
    "pypiserve_authenticators",
    "pypiserve_commands",
    "pypiserve_file_stores",
    "pypiserve_policies",
    "pypiserve_renderers",
    "pypiserve_subscribers",
]

API_REVISION = 1
"""Revision of the plugin API. A plugin states, as a literal, the one it was written for."""

hookspec = pluggy.HookspecMarker("pypiserve")
hookimpl = pluggy.HookimplMarker("pypiserve")


@hookspec
def pypiserve_file_stores() -> Iterable[FileStoreKind[Any]]:  # type: ignore[empty-body]
    """
    Yield the kinds of file store that the plugin offers.

    Called once at start. The settings pick one by ``[store] kind``.
    """


@hookspec
def pypiserve_authenticators() -> Iterable[AuthenticatorKind[Any]]:  # type: ignore[empty-body]
    """
    Yield the kinds of authenticator that the plugin offers.

    Called once at start. The settings pick any number, in order, by ``[[authenticators]] kind``.
    """


@hookspec
def pypiserve_renderers() -> Iterable[Renderer]:  # type: ignore[empty-body]
    """
    Yield the renderers that the plugin offers, ready to use.

    Called once at start. The settings pick any number by ``renderers``.
    """


@hookspec
def pypiserve_policies() -> Iterable[UploadPolicyKind[Any] | ReadPolicyKind[Any]]:  # type: ignore[empty-body]
    """
    Yield the kinds of upload policy and of read policy that the plugin offers.

    Called once at start. The settings pick any number by ``[[policies]] kind``.
    """


@hookspec
def pypiserve_subscribers() -> Iterable[SubscriberKind[Any]]:  # type: ignore[empty-body]
    """
    Yield the kinds of event subscriber that the plugin offers.

    Called once at start. The settings pick any number by ``[[subscribers]] kind``.
    """


@hookspec
def pypiserve_commands() -> Iterable[click.Command]:  # type: ignore[empty-body]
    """
    Yield commands that appear as ``pypiserve NAME``.

    Called once, when the command line starts.
    """
