"""From the settings of a forge to its authenticator."""

from __future__ import annotations

import time
from collections.abc import Callable

from pypiserve.core.errors import InvalidSetting
from pypiserve.plugin import BuildContext
from pypiserve_forge import gitea, github, gitlab
from pypiserve_forge.accounts import Forge
from pypiserve_forge.addresses import github_api, read_base_url
from pypiserve_forge.answers import Answers, Lifetimes
from pypiserve_forge.authenticator import ForgeAuthenticator
from pypiserve_forge.client import ForgeClient
from pypiserve_forge.owners import Owners
from pypiserve_forge.settings import ForgejoSettings, ForgeSettings, GiteaSettings, GitHubSettings, GitLabSettings
from pypiserve_forge.shapes import GITEA_SHAPE, GITHUB_SHAPE, TokenShape, gitlab_shape

__all__ = ["build"]

_REFUSED_SECONDS = 15.0

Settings = GiteaSettings | GitLabSettings | GitHubSettings


def build(
    settings: Settings, context: BuildContext, *, monotonic: Callable[[], float] = time.monotonic
) -> ForgeAuthenticator:
    """
    Build the authenticator; the forge is not asked yet, so that the server starts without it.

    Args:
        settings: Of one forge.
        context: Of the server.
        monotonic: A clock that never goes back, in seconds.

    Raises:
        InvalidSetting: The address, the certificates or the names cannot work, or another forge's tokens look alike.
    """
    _check_beside(settings, context)
    if settings.members_only and not settings.organisations:
        remedy = "name the organisations, or set members_only = false"
        raise InvalidSetting(f"authenticator {context.name!r}", "organisations", "nobody could sign in", remedy)
    lifetimes = Lifetimes(settings.remember_seconds, _REFUSED_SECONDS, settings.grace_seconds)
    return ForgeAuthenticator(
        context.name,
        _forge(settings, context.name, monotonic),
        shape=_shape(settings),
        username_suffix=settings.username_suffix,
        members_only=settings.members_only,
        answers=Answers(lifetimes, max_checks=settings.max_waiting, now=monotonic),
        now=context.now,
    )


def _forge(settings: Settings, name: str, monotonic: Callable[[], float]) -> Forge:
    client = _client(settings, name, monotonic)
    checks = settings.check_scopes
    if isinstance(settings, GiteaSettings):
        owners = Owners(name, settings, levels=gitea.LEVELS, may_take_all=True)
        introspects = not isinstance(settings, ForgejoSettings)
        return gitea.Gitea(name, client, owners, check_scopes=checks, introspects=introspects)
    if isinstance(settings, GitLabSettings):
        owners = Owners(name, settings, levels=gitlab.LEVELS, may_take_all=False)
        return gitlab.GitLab(name, client, owners, check_scopes=checks)
    owners = Owners(name, settings, levels=github.LEVELS, may_take_all=False)
    return github.GitHub(name, client, owners, check_scopes=checks)


def _client(settings: Settings, name: str, monotonic: Callable[[], float]) -> ForgeClient:
    source = f"authenticator {name!r}"
    try:
        base_url = read_base_url(settings.url)
    except ValueError as error:
        remedy = "write it as https://host; http only for this machine"
        raise InvalidSetting(source, "url", str(error), remedy) from None
    if isinstance(settings, GitHubSettings):
        base_url = github_api(base_url)
    try:
        return ForgeClient(name, base_url, ca_file=settings.ca_file, now=monotonic)
    except OSError as error:  # ssl.SSLError is one
        problem = f"{settings.ca_file} cannot be used ({error.strerror or type(error).__name__})"
        raise InvalidSetting(source, "ca_file", problem, "name a file with certificates in PEM") from error


def _shape(settings: ForgeSettings) -> TokenShape:
    if isinstance(settings, GiteaSettings):
        return GITEA_SHAPE
    return gitlab_shape(settings.token_prefixes) if isinstance(settings, GitLabSettings) else GITHUB_SHAPE


def _check_beside(settings: ForgeSettings, context: BuildContext) -> None:
    """Refuse the start when a token could be sent to the wrong one of two forges."""
    for name, other in context.other_authenticators.items():
        if isinstance(other, ForgeSettings) and _overlap(settings, other):
            raise InvalidSetting(
                f"authenticator {context.name!r}",
                "username_suffix",
                f"its tokens look like those of the authenticator {name!r}, and would be sent to both",
                "give each of the two a username_suffix of its own, such as @HOST",
            )


def _overlap(one: ForgeSettings, other: ForgeSettings) -> bool:
    if not _shape(one).overlaps(_shape(other)):
        return False
    first, second = one.username_suffix.casefold(), other.username_suffix.casefold()
    return first.endswith(second) or second.endswith(first)
