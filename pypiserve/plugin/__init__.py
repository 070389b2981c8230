"""
The public API for plugin authors.

Everything a plugin needs is imported from here, from ``pypiserve.core`` and, in its tests, from
``pypiserve.testing``. Names that are not listed in ``__all__`` are private.
"""

from pypiserve.plugin.authenticators import (
    ApiToken,
    ApiTokens,
    Authenticator,
    QueueingAuthenticator,
    RecheckingAuthenticator,
)
from pypiserve.plugin.hookspecs import API_REVISION, hookimpl
from pypiserve.plugin.kinds import (
    AuthenticatorKind,
    BuildContext,
    FileStoreKind,
    Kind,
    ReadPolicyKind,
    SubscriberKind,
    UploadPolicyKind,
)
from pypiserve.plugin.policies import Candidate, Deny, ReadPolicy, UploadPolicy, Verdict, Warn
from pypiserve.plugin.remembered import RememberedCredentials
from pypiserve.plugin.renderers import Renderer
from pypiserve.plugin.settings import NoSettings, PluginSettings
from pypiserve.plugin.stores import STREAM, FileStore, LocalFile, Location, Redirect, StoredFile, Stream
from pypiserve.plugin.subscribers import EventSubscriber

__all__ = [
    "API_REVISION",
    "STREAM",
    "ApiToken",
    "ApiTokens",
    "Authenticator",
    "AuthenticatorKind",
    "BuildContext",
    "Candidate",
    "Deny",
    "EventSubscriber",
    "FileStore",
    "FileStoreKind",
    "Kind",
    "LocalFile",
    "Location",
    "NoSettings",
    "PluginSettings",
    "QueueingAuthenticator",
    "ReadPolicy",
    "ReadPolicyKind",
    "RecheckingAuthenticator",
    "Redirect",
    "RememberedCredentials",
    "Renderer",
    "StoredFile",
    "Stream",
    "SubscriberKind",
    "UploadPolicy",
    "UploadPolicyKind",
    "Verdict",
    "Warn",
    "hookimpl",
]
