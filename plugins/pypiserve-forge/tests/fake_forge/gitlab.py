"""
GitLab, as far as access tokens and groups go.

Sources: GitLab's REST API documentation: "Personal access tokens API" (``self``: 200, or 401 for one that is invalid,
revoked or expired), "Users API" (``/user``; ``insufficient_scope`` with 403 without ``api``, ``read_api`` or
``read_user``), "Members API" (``members/all`` has inherited members, ``members`` has not; 404 for a group that is not
visible and for somebody who is no member).

State::

    {"users": {LOGIN: {"id", "state"}},
     "groups": {PATH: {"visibility", "members": {LOGIN: LEVEL}, "awaiting": [LOGIN]}},
     "tokens": {SECRET: {"id", "login", "scopes", "active", "revoked", "expires_at"}}}
"""

from __future__ import annotations

from typing import Any

from fake_forge.exchange import Answer, Request, as_json

__all__ = ["FakeGitLab"]

_UNAUTHORIZED = as_json(401, {"message": "401 Unauthorized"})


class FakeGitLab:
    """One GitLab."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"users": {}, "groups": {}, "tokens": {}}

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        token = self._known(request)
        return _UNAUTHORIZED if token is None else self._told(token, request.steps)

    def _told(self, token: dict[str, Any], steps: list[str]) -> Answer:
        match steps:
            case ["api", "v4", "personal_access_tokens", "self"]:
                return self._self(token)
            case ["api", "v4", "user"]:
                return self._user(token)
            case ["api", "v4", "groups", path, "members", "all", number]:
                return self._member(token, path, int(number), inherited=True)
            case ["api", "v4", "groups", path, "members", number]:
                return self._member(token, path, int(number), inherited=False)
            case _:
                return as_json(404, {"error": "404 Not Found"})

    def _known(self, request: Request) -> dict[str, Any] | None:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        token: dict[str, Any] | None = self.state["tokens"].get(request.headers.get("private-token", bearer))
        is_good = token is not None and token.get("active", True) and not token.get("revoked", False)
        return token if is_good else None

    def _self(self, token: dict[str, Any]) -> Answer:
        user = self.state["users"][token["login"]]
        told = {
            "id": token["id"],
            "name": "test",
            "revoked": False,
            "created_at": "2026-01-01T00:00:00.000Z",
            "scopes": token["scopes"],
            "user_id": user["id"],
            "last_used_at": None,
            "active": True,
            "expires_at": token.get("expires_at"),
        }
        return as_json(200, told)

    def _user(self, token: dict[str, Any]) -> Answer:
        if not {"api", "read_api", "read_user"} & set(token["scopes"]):
            return as_json(403, {"error": "insufficient_scope", "scope": "api read_user read_api"})
        user = self.state["users"][token["login"]]
        return as_json(200, {"id": user["id"], "username": token["login"], "state": user["state"], "bot": False})

    def _member(self, token: dict[str, Any], path: str, number: int, *, inherited: bool) -> Answer:
        groups = {name.casefold(): group for name, group in self.state["groups"].items()}
        group = groups.get(path.casefold())
        if group is None or not self._sees(token, path, group):
            return as_json(404, {"message": "404 Group Not Found"})
        above = [group]
        while inherited and "/" in path:
            path = path.rpartition("/")[0]
            above.append(groups[path.casefold()])
        login = next((login for login, user in self.state["users"].items() if user["id"] == number), "")
        levels = [one["members"][login] for one in above if login in one["members"]]
        if not levels:
            return as_json(404, {"message": "404 Not found"})
        state = "awaiting" if login in group.get("awaiting", []) else "active"
        told = {"id": number, "username": login, "state": "active", "access_level": max(levels), "expires_at": None}
        return as_json(200, {**told, "membership_state": state})

    def _sees(self, token: dict[str, Any], path: str, group: dict[str, Any]) -> bool:
        inside = [one for name, one in self.state["groups"].items() if path.casefold().startswith(name.casefold())]
        return group["visibility"] != "private" or any(token["login"] in one["members"] for one in inside)
