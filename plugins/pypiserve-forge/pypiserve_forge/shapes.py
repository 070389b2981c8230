"""
Which tokens are a forge's: told by their shape, before anything is sent anywhere.

Spec: GitHub "About authentication", token formats; GitLab "Token overview", token prefixes. Gitea and Forgejo make
tokens of 40 hexadecimal digits without a prefix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pypiserve.core.identity import BearerCredentials, Credentials

__all__ = ["GITEA_SHAPE", "GITHUB_SHAPE", "TokenShape", "gitlab_shape", "token_in"]

_PASSWORDS_BESIDE_A_TOKEN = frozenset({"", "x-oauth-basic"})


@dataclass(frozen=True)
class TokenShape:
    """
    The tokens of one forge.

    Attributes:
        accepted: Matches whole tokens that are sent to the forge.
        refused: Beginnings of tokens that are the forge's, and of no person: what to tell their bearer.
        prefixes: What accepted tokens begin with, to hold two forges against each other; ``("",)`` for none.
    """

    accepted: re.Pattern[str]
    prefixes: tuple[str, ...]
    refused: dict[str, str] = field(default_factory=dict)

    def overlaps(self, other: TokenShape) -> bool:
        """Tell whether a token may be one of either."""
        if "" in self.prefixes or "" in other.prefixes:  # no other forge's tokens are hexadecimal digits alone
            return self.prefixes == other.prefixes
        return any(one.startswith(two) or two.startswith(one) for one in self.prefixes for two in other.prefixes)


GITEA_SHAPE = TokenShape(re.compile(r"[0-9a-f]{40}\Z"), ("",))

_OF_AN_APP = "was made for an application, not by you for this server; make a personal access token"
_OF_A_JOB = "belongs to a job or an application, not to a person; make a token of this server for it"

GITHUB_SHAPE = TokenShape(
    re.compile(r"(ghp_[0-9A-Za-z]{36,251}|github_pat_[0-9A-Za-z_]{22,244})\Z"),
    ("ghp_", "github_pat_"),
    # An application that somebody signed in to holds such a token of theirs, and could come here with it.
    {"gho_": _OF_AN_APP, "ghu_": _OF_AN_APP, "ghs_": _OF_A_JOB, "ghr_": _OF_AN_APP},
)

_GITLAB_REFUSED = {
    "gldt-": "is a deploy token, which cannot say whose it is; make a token of this server for it",
    "glcbt-": _OF_A_JOB,
    "gloas-": _OF_AN_APP,
    "glrt-": "is that of a runner; make a personal, group or project access token",
    "glft-": "is for feeds; make a personal, group or project access token",
}


def gitlab_shape(prefixes: tuple[str, ...]) -> TokenShape:
    """Return the shape of a GitLab's tokens; whoever runs one may choose another prefix than ``glpat-``."""
    alternatives = "|".join(map(re.escape, prefixes))
    return TokenShape(re.compile(rf"(?:{alternatives})[0-9A-Za-z_.=-]{{16,512}}\Z"), prefixes, _GITLAB_REFUSED)


def token_in(credentials: Credentials) -> tuple[str, str]:
    """Return the user name, if any, and what may be a token: clients put it into either place."""
    if isinstance(credentials, BearerCredentials):
        return "", credentials.token
    if credentials.password in _PASSWORDS_BESIDE_A_TOKEN:
        return "", credentials.username
    return credentials.username, credentials.password
