"""The addresses for programs: each with its parameters in braces, and its handler."""

from __future__ import annotations

from collections.abc import Sequence

from pypiserve.web import (
    api_audit,
    api_curation,
    api_grants,
    api_indexes,
    api_owners,
    api_packages,
    api_robots,
    api_teams,
    api_tokens,
    api_users,
)
from pypiserve.web.api import ApiHandler

__all__ = ["API_ROUTES"]

_PACKAGES = "/api/v1/packages/{owner}"
_PROJECT = f"{_PACKAGES}/{{index}}/{{project}}"
_RELEASE = f"{_PROJECT}/{{version}}"
_FILE = f"{_RELEASE}/files/{{filename}}"
_OWNER = "/api/v1/owners/{owner}"
_TEAM = f"{_OWNER}/teams/{{team}}"

API_ROUTES: Sequence[tuple[str, type[ApiHandler]]] = (
    (_PACKAGES, api_packages.OwnerHandler),
    (_PROJECT, api_packages.ProjectHandler),
    (f"{_PROJECT}/-/latest", api_packages.LatestHandler),
    (f"{_PROJECT}/-/status", api_curation.StatusHandler),
    (f"{_PROJECT}/-/restore", api_curation.RestoreHandler),
    (_RELEASE, api_packages.ReleaseHandler),
    (f"{_RELEASE}/files", api_packages.FilesHandler),
    (f"{_RELEASE}/yank", api_curation.YankHandler),
    (f"{_RELEASE}/restore", api_curation.RestoreHandler),
    (_FILE, api_packages.FileHandler),
    (f"{_FILE}/yank", api_curation.YankHandler),
    (f"{_FILE}/restore", api_curation.RestoreHandler),
    ("/api/v1/owners", api_owners.OwnersHandler),
    (_OWNER, api_owners.OwnerHandler),
    (f"{_OWNER}/name", api_owners.OwnerNameHandler),
    (f"{_OWNER}/indexes", api_indexes.IndexesHandler),
    (f"{_OWNER}/indexes/{{index}}", api_indexes.IndexHandler),
    (f"{_OWNER}/teams", api_teams.TeamsHandler),
    (_TEAM, api_teams.TeamHandler),
    (f"{_TEAM}/members", api_teams.MembersHandler),
    (f"{_OWNER}/grants", api_grants.OwnerGrantsHandler),
    ("/api/v1/grants", api_grants.ServerGrantsHandler),
    ("/api/v1/tokens", api_tokens.TokensHandler),
    ("/api/v1/tokens/{token}", api_tokens.TokenHandler),
    ("/api/v1/robots", api_robots.RobotsHandler),
    ("/api/v1/robots/{robot}", api_robots.RobotHandler),
    ("/api/v1/users", api_users.UsersHandler),
    ("/api/v1/explain", api_audit.ExplainHandler),
    ("/api/v1/audit", api_audit.AuditHandler),
)
