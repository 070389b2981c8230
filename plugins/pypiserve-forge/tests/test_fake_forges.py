"""The fake forges answer as the documentation of the real ones says; see the sources that their modules name."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from forge_process import ForgeHandle, Forges
from people import GITEA, gitea_token, github_token, gitlab_token

AGENT = {"User-Agent": "test"}


def _ask(forge: ForgeHandle, path: str, *, method: str = "GET", **headers: str) -> tuple[int, Any, dict[str, str]]:
    """Return status, body and headers; JSON is read."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    data = b"" if method == "POST" else None
    request = urllib.request.Request(f"{forge.url}{path}", data, {**AGENT, **named}, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        body, found = answer.read(), {name.lower(): text for name, text in answer.headers.items()}
    is_json = found.get("content-type", "").startswith("application/json")
    return answer.status, json.loads(body) if is_json else body, found


def _gitea(forge: ForgeHandle, token: str, path: str, *, method: str = "GET") -> int:
    headers = {"Authorization": f"token {gitea_token(token)}"} if token else {}
    return _ask(forge, path, method=method, **headers)[0]


def _registry(forge: ForgeHandle, token: str, owner: str) -> tuple[int, int]:
    """Return the status of an upload without a file, and of the page of a project that is not there."""
    base = f"/api/packages/{owner}/pypi"
    return _gitea(forge, token, f"{base}/", method="POST"), _gitea(forge, token, f"{base}/simple/none/")


@pytest.mark.parametrize(
    ("token", "owner", "statuses"),
    [
        ("wim", "acme", (400, 404)),  # may write: refused for the missing file only
        ("wim reads", "acme", (401, 404)),
        ("rita", "acme", (401, 404)),
        ("sam", "acme", (401, 401)),
        ("sam", "open", (401, 404)),
        ("wim public", "acme", (403, 403)),
        ("wim public", "open", (400, 404)),
        ("wim no packages", "acme", (401, 401)),
        ("gone packages", "open", (401, 401)),
        ("nobody", "open", (401, 401)),  # a bad token is refused where none is needed
        ("", "open", (401, 404)),
        ("", "acme", (401, 401)),
        ("wim", "nowhere", (404, 404)),
        ("wim", "wim", (400, 404)),
    ],
)
def test_the_registry_of_gitea(forges: Forges, token: str, owner: str, statuses: tuple[int, int]) -> None:
    """Gitea, ``reqPackageAccess`` and ``UploadPackageFile``: the statuses by which a right can be told."""
    assert _registry(forges.gitea, token, owner) == statuses


def test_who_lacks_a_right_is_challenged(forges: Forges) -> None:
    """Gitea challenges who lacks a right, and not who has a bad token."""
    lacking = _ask(
        forges.gitea, "/api/packages/acme/pypi/", method="POST", Authorization=f"token {gitea_token('sam')}"
    )
    wrong = _ask(forges.gitea, "/api/packages/acme/pypi/", method="POST", Authorization=f"token {gitea_token('no')}")
    assert lacking[2]["www-authenticate"] == 'Basic realm="Gitea Package API"'
    assert "www-authenticate" not in wrong[2]


def test_the_site_administrator_of_gitea(forges: Forges) -> None:
    """Passes everywhere."""
    forges.gitea.know(users={**GITEA["users"], "sam": {"id": 5, "is_admin": True}})
    assert _registry(forges.gitea, "sam", "acme") == (400, 404)


@pytest.mark.parametrize(
    ("token", "statuses"),
    [
        ("wim", (200, 200, 200)),
        ("wim packages", (200, 403, 403)),
        ("gone", (200, 403, 403)),
        ("nobody", (401, 401, 401)),
    ],
)
def test_the_api_of_gitea(forges: Forges, token: str, statuses: tuple[int, int, int]) -> None:
    """``/token`` needs no scope, ``/user`` and ``/user/teams`` need ``read:user``; a scope that lacks is 403."""
    paths = ("/api/v1/token", "/api/v1/user", "/api/v1/user/teams")
    assert tuple(_gitea(forges.gitea, token, path) for path in paths) == statuses
    assert _gitea(forges.forgejo, token, "/api/v1/token") == 404


def test_what_the_api_of_gitea_tells(forges: Forges) -> None:
    """The members that Gitea's structures have."""
    authorization = {"Authorization": f"token {gitea_token('wim')}"}
    _, token, _ = _ask(forges.gitea, "/api/v1/token", **authorization)
    assert (token["id"], token["user"]["login"], "write:package" in token["scopes"]) == (102, "wim", True)
    _, teams, headers = _ask(forges.gitea, "/api/v1/user/teams?limit=1&page=2", **authorization)
    assert headers["x-total-count"] == "2"
    assert [(team["organization"]["username"], team["units_map"]["repo.packages"]) for team in teams] == [
        ("open", "write")
    ]


def test_gitlab(forges: Forges) -> None:
    """Members of groups above are in ``all`` only; who is no member, and a group that is hidden, are 404."""

    def status(token: str, path: str) -> int:
        return _ask(forges.gitlab, f"/api/v4{path}", Private_Token=gitlab_token(token))[0]

    assert status("dee", "/personal_access_tokens/self") == 200
    assert status("dee revoked", "/personal_access_tokens/self") == 401
    assert status("dee git", "/personal_access_tokens/self") == 200
    assert status("dee git", "/user") == 403
    assert status("dee", "/groups/acme%2Ftools/members/all/33") == 200
    assert status("dee", "/groups/acme%2Ftools/members/33") == 404
    assert status("sub", "/groups/acme/members/all/51") == 404
    assert status("sub", "/groups/nowhere/members/all/51") == 404


def test_github(forges: Forges) -> None:
    """Scopes of classic tokens are in a header; memberships need ``read:org``; who is in no team is 404."""

    def ask(token: str, path: str, **headers: str) -> tuple[int, dict[str, str]]:
        answer = _ask(forges.github, f"/api/v3{path}", Authorization=f"Bearer {token}", **headers)
        return answer[0], answer[2]

    mel = github_token("mel")
    assert ask(mel, "/user")[1]["x-oauth-scopes"] == "read:org, write:packages"
    assert "x-oauth-scopes" not in ask(f"github_pat_{'1' * 22}_{'a' * 59}", "/user")[1]
    assert ask(github_token("nobody"), "/user")[0] == 401
    assert ask(mel, "/user", User_Agent="")[0] == 403
    assert ask(mel, "/user/memberships/orgs/ACME")[0] == 200
    assert ask(github_token("mel no org"), "/user/memberships/orgs/acme")[0] == 403
    assert ask(github_token("str"), "/user/memberships/orgs/acme")[0] == 404
    assert ask(mel, "/orgs/acme/teams/release/memberships/mel")[0] == 200
    assert ask(mel, "/orgs/acme/teams/other/memberships/mel")[0] == 404
