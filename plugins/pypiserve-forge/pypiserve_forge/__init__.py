"""
Sign in to pypiserve with a token of Gitea, Forgejo, GitLab or GitHub.

A plugin of pypiserve: it offers the kinds of authenticator ``gitea``, ``forgejo``, ``gitlab`` and ``github``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pypiserve.plugin import AuthenticatorKind, hookimpl
from pypiserve_forge.building import build
from pypiserve_forge.settings import ForgejoSettings, GiteaSettings, GitHubSettings, GitLabSettings

__all__ = ["API_REVISION", "__version__", "pypiserve_authenticators"]

__version__ = "0.1.0"

API_REVISION = 1


@hookimpl
def pypiserve_authenticators() -> Iterable[AuthenticatorKind[Any]]:
    """Offer one kind for each kind of forge."""
    yield AuthenticatorKind("gitea", GiteaSettings, build, "tokens of a Gitea")
    yield AuthenticatorKind("forgejo", ForgejoSettings, build, "tokens of a Forgejo")
    yield AuthenticatorKind("gitlab", GitLabSettings, build, "access tokens of a GitLab")
    yield AuthenticatorKind("github", GitHubSettings, build, "personal access tokens of GitHub or GitHub Enterprise")
