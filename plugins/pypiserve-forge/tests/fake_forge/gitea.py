"""
Gitea and Forgejo, as far as tokens and packages go.

Sources: Gitea's ``routers/api/v1/api.go`` (scopes of ``/user`` and ``/user/teams``: both the category ``user``; 401
for a bad token, 403 for a missing scope or an account that may not sign in), ``routers/api/packages/api.go``
(``reqPackageAccess``: scope, then ``public-only``, then access mode; 401 with a challenge),
``services/context/package.go`` (the access mode), ``routers/api/packages/pypi/pypi.go`` (400 without a file, 404 for
an unknown project with an empty body), ``services/convert`` (teams, organisations). ``GET /token`` is of 1.27.

State::

    {"users": {LOGIN: {"id", "visibility"?, "active"?, "prohibit_login"?, "is_admin"?}},
     "orgs": {NAME: {"id", "visibility", "teams": [{"name", "permission", "units_map", "members": [LOGIN]}]}},
     "tokens": {SECRET: {"id", "login", "scopes"}},
     "tells_tokens": bool, "has_packages": bool, "over_quota": [OWNER], "sign_in_required": bool, "page_size": int,
     "renamed": {OLD: NEW}}
"""

from __future__ import annotations

from typing import Any

from fake_forge.exchange import Answer, Request, as_json

__all__ = ["FakeGitea"]

_MODES = ["none", "read", "write", "admin", "owner"]
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Gitea Package API"', "Content-Type": "text/plain; charset=utf-8"}
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


class FakeGitea:
    """One Gitea."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {
            "users": {},
            "orgs": {},
            "tokens": {},
            "tells_tokens": True,
            "has_packages": True,
            "over_quota": [],
            "sign_in_required": False,
            "renamed": {},
            "page_size": 50,
        }

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        match request.method, request.steps:
            case "GET", ["api", "v1", "token"] if self.state["tells_tokens"]:
                return self._token(request)
            case "GET", ["api", "v1", "user"]:
                return self._user(request)
            case "GET", ["api", "v1", "user", "teams"]:
                return self._teams(request)
            case "POST", ["api", "packages", owner, "pypi"]:
                return self._upload(request, owner)
            case "GET", ["api", "packages", owner, "pypi", "simple", _]:
                return self._project(request, owner)
            case _:
                return Answer(404, b"Not found.\n", _TEXT)

    def _known(self, request: Request) -> tuple[dict[str, Any] | None, bool]:
        """Return the token of a request, if it is one, and whether there is anything that should be one."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if not secret or scheme.lower() not in {"token", "bearer"}:
            return None, False
        return self.state["tokens"].get(secret), True

    def _token(self, request: Request) -> Answer:
        token, _ = self._known(request)
        if token is None:
            return as_json(401, {"message": "token is required", "url": "/api/swagger"})
        user = {"id": self._user_of(token)["id"], "login": token["login"]}
        return as_json(200, {"id": token["id"], "name": "test", "scopes": token["scopes"], "user": user})

    def _user(self, request: Request) -> Answer:
        token, _ = self._known(request)
        refusal = self._api_refusal(token)
        if token is None or refusal is not None:
            return refusal or Answer(500)
        user = self._user_of(token)
        known = {
            "id": user["id"],
            "login": token["login"],
            "email": "",
            "visibility": user.get("visibility", "public"),
        }
        return as_json(200, {**known, "is_admin": user.get("is_admin", False), "active": user.get("active", True)})

    def _teams(self, request: Request) -> Answer:
        token, _ = self._known(request)
        refusal = self._api_refusal(token)
        if token is None or refusal is not None:
            return refusal or Answer(500)
        found = [
            {
                "id": org["id"] * 100 + number,
                "name": team["name"],
                "permission": team["permission"],
                "units_map": team["units_map"],
                "organization": {
                    "id": org["id"],
                    "name": name,
                    "username": name,
                    "visibility": org["visibility"],
                },
            }
            for name, org in self.state["orgs"].items()
            for number, team in enumerate(org["teams"])
            if token["login"] in team["members"]
        ]
        size = min(request.number("limit", 30), self.state["page_size"])
        start = (request.number("page", 1) - 1) * size
        return as_json(200, found[start : start + size], x_total_count=str(len(found)))

    def _api_refusal(self, token: dict[str, Any] | None) -> Answer | None:
        if token is None:
            return as_json(401, {"message": "invalid username, password or token", "url": "/api/swagger"})
        user = self._user_of(token)
        if user.get("prohibit_login"):
            sentence = "This account is prohibited from signing in, please contact your site administrator."
            return as_json(403, {"message": sentence})
        if not {"all", "read:user", "write:user"} & set(token["scopes"]):
            told = ",".join(token["scopes"])
            sentence = (
                f"token does not have at least one of required scope(s), required=[read:user], token scope={told}"
            )
            return as_json(403, {"message": sentence, "url": "/api/swagger"})
        return None

    def _upload(self, request: Request, owner: str) -> Answer:
        refusal = self._package_refusal(request, owner, "write")
        if refusal is not None:
            return refusal
        if owner in self.state["over_quota"]:
            return Answer(413, b"quota exceeded\n", _TEXT)
        return Answer(400, b"request Content-Type isn't multipart/form-data\n", _TEXT)

    def _project(self, request: Request, owner: str) -> Answer:
        return self._package_refusal(request, owner, "read") or Answer(404)

    def _package_refusal(self, request: Request, owner: str, mode: str) -> Answer | None:
        token, is_sent = self._known(request)
        if is_sent and token is None:
            return Answer(401, b"Failed to authenticate user\n", _TEXT)
        if owner in self.state["renamed"]:
            return Answer(307, b"", {"Location": f"/api/packages/{self.state['renamed'][owner]}/pypi/"})
        place = self._place(owner)
        if place is None or not self.state["has_packages"]:
            return Answer(404, b"Not found.\n", _TEXT)
        return self._right_refusal(token, owner, place, mode)

    def _right_refusal(
        self, token: dict[str, Any] | None, owner: str, place: dict[str, Any], mode: str
    ) -> Answer | None:
        """Refuse as ``reqPackageAccess`` does."""
        scopes = set(token["scopes"]) if token else {"all"}
        if not {"all", "write:package", "read:package" if mode == "read" else ""} & scopes:
            return Answer(401, b"reqPackageAccess\n", _CHALLENGE)
        if "public-only" in scopes and place.get("visibility") == "private":
            return Answer(403, b"reqToken\n", _TEXT)
        is_admin = token is not None and self._user_of(token).get("is_admin", False)
        if not is_admin and _MODES.index(self._mode(token, owner, place)) < _MODES.index(mode):
            return Answer(401, b"reqPackageAccess\n", _CHALLENGE)
        return None

    def _mode(self, token: dict[str, Any] | None, owner: str, place: dict[str, Any]) -> str:
        """Return the access mode, as ``determineAccessMode`` finds it."""
        visibility = place.get("visibility", "public")
        if token is None:
            return "read" if visibility == "public" and not self.state["sign_in_required"] else "none"
        user = self._user_of(token)
        if user.get("prohibit_login") or not user.get("active", True):
            return "none"
        if token["login"].casefold() == owner.casefold():
            return "owner"
        teams = [team for team in place.get("teams", []) if token["login"] in team["members"]]
        general = max((team["permission"] for team in teams), key=_MODES.index, default="none")
        if teams and _MODES.index(general) < _MODES.index("write"):
            units = [(team["units_map"] or {}).get("repo.packages", "none") for team in teams]
            general = max(["read", general, *units], key=_MODES.index)
        if general == "none" and visibility in {"public", "limited"}:
            return "read"
        return general

    def _place(self, owner: str) -> dict[str, Any] | None:
        places = {**self.state["users"], **self.state["orgs"]}
        return {name.casefold(): place for name, place in places.items()}.get(owner.casefold())

    def _user_of(self, token: dict[str, Any]) -> dict[str, Any]:
        user: dict[str, Any] = self.state["users"][token["login"]]
        return user
