"""Who is on the fake forges at the beginning of each test, and their tokens."""

from __future__ import annotations

import hashlib
from typing import Any

__all__ = ["GITEA", "GITHUB", "GITLAB", "gitea_token", "github_token", "gitlab_token", "team"]


def gitea_token(name: str) -> str:
    """Make a token of the shape of Gitea's and Forgejo's."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def gitlab_token(name: str) -> str:
    """Make a token of the shape of GitLab's."""
    return f"glpat-{hashlib.sha256(name.encode()).hexdigest()[:20]}"


def github_token(name: str) -> str:
    """Make a token of the shape of GitHub's classic ones."""
    return f"ghp_{hashlib.sha256(name.encode()).hexdigest()[:36]}"


def team(name: str, permission: str, *members: str, packages: str = "none") -> dict[str, Any]:
    """Make a team of a Gitea; Gitea sends each unit of an owners' team as ``owner``."""
    units = {"repo.code": permission, "repo.packages": packages}
    return {"name": name, "permission": permission, "units_map": units, "members": list(members)}


_FULL = ["read:user", "read:organization", "write:package"]

GITEA: dict[str, Any] = {
    "users": {
        "olga": {"id": 1},
        "adam": {"id": 2},
        "wim": {"id": 3},
        "rita": {"id": 4},
        "sam": {"id": 5},
        "gone": {"id": 6, "prohibit_login": True},
        "off": {"id": 7, "active": False},
        "gitea-actions": {"id": -2},
    },
    "orgs": {
        "Acme": {
            "id": 20,
            "visibility": "private",
            "teams": [
                team("Owners", "owner", "olga", packages="owner"),
                team("admins", "admin", "adam", packages="admin"),
                team("publishers", "none", "wim", "off", packages="write"),
                team("readers", "none", "rita", packages="none"),
            ],
        },
        "open": {"id": 21, "visibility": "public", "teams": [team("writers", "write", "wim", packages="write")]},
    },
    "tokens": {
        **{
            gitea_token(login): {"id": 100 + number, "login": login, "scopes": _FULL}
            for number, login in enumerate(["olga", "adam", "wim", "rita", "sam", "gone", "off", "gitea-actions"])
        },
        gitea_token("wim reads"): {"id": 200, "login": "wim", "scopes": ["read:user", "read:package"]},
        gitea_token("wim public"): {
            "id": 201,
            "login": "wim",
            "scopes": ["public-only", "read:user", "write:package"],
        },
        gitea_token("wim packages"): {"id": 202, "login": "wim", "scopes": ["write:package"]},
        gitea_token("rita packages"): {"id": 203, "login": "rita", "scopes": ["read:package"]},
        gitea_token("sam packages"): {"id": 204, "login": "sam", "scopes": ["write:package"]},
        gitea_token("wim no packages"): {"id": 205, "login": "wim", "scopes": ["read:user"]},
        gitea_token("gone packages"): {"id": 206, "login": "gone", "scopes": ["write:package"]},
    },
    "tells_tokens": True,
    "has_packages": True,
    "over_quota": [],
    "sign_in_required": False,
    "renamed": {},
    "page_size": 50,
}

_LEVELS = {"gus": 10, "pia": 15, "rob": 20, "dee": 30, "max": 40, "ora": 50}

GITLAB: dict[str, Any] = {
    "users": {
        **{login: {"id": 30 + number, "state": "active"} for number, login in enumerate(_LEVELS)},
        "out": {"id": 50, "state": "blocked"},
        "sub": {"id": 51, "state": "active"},
    },
    "groups": {
        "acme": {"visibility": "private", "members": _LEVELS},
        "acme/tools": {"visibility": "private", "members": {"sub": 40, "rob": 30}},
    },
    "tokens": {
        **{
            gitlab_token(login): {"id": 300 + number, "login": login, "scopes": ["api"]}
            for number, login in enumerate([*_LEVELS, "out", "sub"])
        },
        gitlab_token("dee reads"): {"id": 350, "login": "dee", "scopes": ["read_api"]},
        gitlab_token("dee git"): {"id": 351, "login": "dee", "scopes": ["read_repository"]},
        gitlab_token("dee revoked"): {"id": 352, "login": "dee", "scopes": ["api"], "revoked": True},
        gitlab_token("dee expires"): {"id": 353, "login": "dee", "scopes": ["api"], "expires_at": "2026-01-02"},
    },
}

_CLASSIC = ["read:org", "write:packages"]

GITHUB: dict[str, Any] = {
    "users": {"ada": {"id": 60}, "mel": {"id": 61}, "inv": {"id": 62}, "str": {"id": 63}},
    "orgs": {
        "acme": {
            "id": 80,
            "members": {
                "ada": {"role": "admin", "state": "active"},
                "mel": {"role": "member", "state": "active"},
                "inv": {"role": "admin", "state": "pending"},
            },
            "teams": {"release": {"mel": {"role": "member", "state": "active"}}},
        }
    },
    "tokens": {
        **{github_token(login): {"login": login, "scopes": _CLASSIC} for login in ["ada", "mel", "inv", "str"]},
        github_token("mel reads"): {"login": "mel", "scopes": ["read:org", "read:packages"]},
        github_token("mel repos"): {"login": "mel", "scopes": ["repo", "read:org"]},
        github_token("mel no org"): {"login": "mel", "scopes": ["write:packages"]},
        github_token("mel expires"): {"login": "mel", "scopes": _CLASSIC, "expires": "2026-01-01 00:01:00 UTC"},
        f"github_pat_{'1' * 22}_{'a' * 59}": {"login": "mel", "scopes": None},
    },
}
