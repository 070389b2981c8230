"""Kinds: what a plugin offers, before the settings ask for an instance of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from pypiserve.plugin.authenticators import ApiTokens, Authenticator
from pypiserve.plugin.policies import ReadPolicy, UploadPolicy
from pypiserve.plugin.settings import PluginSettings
from pypiserve.plugin.stores import FileStore
from pypiserve.plugin.subscribers import EventSubscriber

__all__ = [
    "AuthenticatorKind",
    "BuildContext",
    "FileStoreKind",
    "Kind",
    "ReadPolicyKind",
    "SubscriberKind",
    "UploadPolicyKind",
]

SettingsT = TypeVar("SettingsT", bound=PluginSettings)
ObjectT_co = TypeVar("ObjectT_co", covariant=True)


@dataclass(frozen=True)
class BuildContext:
    """
    What the server hands to a kind that builds an instance.

    Attributes:
        name: The instance's name in the settings; that of its kind unless the settings say otherwise.
        data_folder: The server's folder; an instance may keep a file or folder of its own name there.
        now: The clock: aware, UTC.
        api_tokens: The API tokens of the catalog.
        other_authenticators: When an authenticator is built, the settings of all others by their names, so that two
            that would take each other's credentials can refuse the start.
    """

    name: str
    data_folder: Path
    now: Callable[[], datetime]
    api_tokens: ApiTokens
    other_authenticators: Mapping[str, PluginSettings] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind(Generic[SettingsT, ObjectT_co]):
    """
    Something that the settings can pick by name.

    Attributes:
        name: Lowercase; unique among the installed kinds of its sort.
        settings: The typed settings, a subclass of ``PluginSettings``.
        build: Makes an instance. Called once, at start, within the running event loop; it may read files, and
            raises ``ConfigurationError`` when the settings cannot work.
        summary: One line for ``pypiserve plugins``.
    """

    name: str
    settings: type[SettingsT]
    build: Callable[[SettingsT, BuildContext], ObjectT_co]
    summary: str


class FileStoreKind(Kind[SettingsT, FileStore]):
    """A kind of file store."""


class AuthenticatorKind(Kind[SettingsT, Authenticator]):
    """A kind of authenticator."""


class UploadPolicyKind(Kind[SettingsT, UploadPolicy]):
    """A kind of upload policy."""


class ReadPolicyKind(Kind[SettingsT, ReadPolicy]):
    """A kind of read policy."""


class SubscriberKind(Kind[SettingsT, EventSubscriber]):
    """A kind of event subscriber."""
