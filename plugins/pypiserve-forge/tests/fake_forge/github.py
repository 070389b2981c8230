"""
GitHub Enterprise Server, as far as tokens, organisations and teams go; under ``/api/v3``, as its API is.

Sources: GitHub's REST API documentation: "Get the authenticated user", "Get an organization membership for the
authenticated user" (403 without ``read:org``, or ``X-GitHub-SSO`` in the answer where single sign-on is needed; 404
for no member), "Get team membership for a user" (404 for none), "Troubleshooting" (403 without a user agent), "Scopes
for OAuth apps" (``X-OAuth-Scopes`` for classic tokens), "Token expiration" (``GitHub-Authentication-Token-
Expiration``).

State::

    {"users": {LOGIN: {"id"}},
     "orgs": {NAME: {"id", "members": {LOGIN: {"role", "state"}}, "teams": {SLUG: {LOGIN: {"role", "state"}}},
                     "sso"?: bool}},
     "tokens": {SECRET: {"login", "scopes": [..] | null for a fine-grained one, "expires"?, "reads_members"?}}}
"""

from __future__ import annotations

from typing import Any

from fake_forge.exchange import Answer, Request, as_json

__all__ = ["FakeGitHub"]

_DOCS = "https://docs.github.com/rest"


def _refuse(status: int, sentence: str, **headers: str) -> Answer:
    return as_json(status, {"message": sentence, "documentation_url": _DOCS, "status": str(status)}, **headers)


class FakeGitHub:
    """One GitHub."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"users": {}, "orgs": {}, "tokens": {}}

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        if not request.headers.get("user-agent"):
            return _refuse(403, "Request forbidden by administrative rules.")
        secret = request.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("token ")
        token = self.state["tokens"].get(secret)
        if token is None:
            return _refuse(401, "Bad credentials")
        match request.method, request.steps:
            case "GET", ["api", "v3", "user"]:
                user = {"login": token["login"], "id": self.state["users"][token["login"]]["id"], "type": "User"}
                return as_json(200, user, **_about(token))
            case "GET", ["api", "v3", "user", "memberships", "orgs", name]:
                return self._membership(token, name)
            case "GET", ["api", "v3", "orgs", name, "teams", slug, "memberships", login]:
                return self._team_membership(token, name, slug, login)
            case _:
                return _refuse(404, "Not Found")

    def _membership(self, token: dict[str, Any], name: str) -> Answer:
        if not _reads_members(token):
            return _refuse(403, "You need at least read:org scope or user scope to see your organizations.")
        org = self._org(name)
        if org is None or token["login"] not in org["members"]:
            return _refuse(404, "Not Found")
        if org.get("sso"):
            hint = f"required; url=https://github.invalid/orgs/{name}/sso"
            return _refuse(403, "Resource protected by organization SAML enforcement.", x_github_sso=hint)
        member = org["members"][token["login"]]
        told = {"state": member["state"], "role": member["role"], "organization": {"login": name, "id": org["id"]}}
        return as_json(200, told, **_about(token))

    def _team_membership(self, token: dict[str, Any], name: str, slug: str, login: str) -> Answer:
        org = self._org(name)
        team = org["teams"].get(slug) if org is not None else None
        if not _reads_members(token) or team is None or login not in team:
            return _refuse(404, "Not Found")
        return as_json(200, team[login], **_about(token))

    def _org(self, name: str) -> dict[str, Any] | None:
        return {org.casefold(): value for org, value in self.state["orgs"].items()}.get(name.casefold())


def _reads_members(token: dict[str, Any]) -> bool:
    if token["scopes"] is None:
        return bool(token.get("reads_members", True))
    return bool({"read:org", "write:org", "admin:org"} & set(token["scopes"]))


def _about(token: dict[str, Any]) -> dict[str, str]:
    headers = {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": "4999"}
    if token["scopes"] is not None:
        headers["x_oauth_scopes"] = ", ".join(token["scopes"])
    if "expires" in token:
        headers["github_authentication_token_expiration"] = token["expires"]
    return headers
