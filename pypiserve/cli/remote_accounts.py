"""Owners, teams, roles, tokens, robots and users of a running server, with the methods of the local services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from pypiserve.catalog.grants import GrantRecord
from pypiserve.catalog.owners import OwnerRecord
from pypiserve.catalog.robots import RobotRecord
from pypiserve.catalog.teams import TeamRecord
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.catalog.users import UserRecord
from pypiserve.cli.remote_client import RemoteClient, ServerRefusal, path_of
from pypiserve.core.identity import Role, Scope, Visibility
from pypiserve.services.grants import PlaceNames
from pypiserve.services.token_terms import InvalidToken, TokenTerms
from pypiserve.services.tokens import MadeToken
from pypiserve.web import shapes

__all__ = ["RemoteAccounts", "RemoteUsers"]

_FORBIDDEN = 403
_TOKEN_AUTHENTICATOR = "token"  # noqa: S105 - its usual name, which the answers do not tell
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class RemoteOwners:
    """Owners."""

    def __init__(self, client: RemoteClient) -> None:
        self._client = client

    def list_all(self) -> list[OwnerRecord]:
        """Return those that the token administers, by name."""
        return [_owner(each) for each in self._client.pages(shapes.Owner, "/owners")]

    def create(self, name: str, visibility: Visibility) -> None:
        """Make one."""
        self._client.ask("POST", "/owners", body=shapes.NewOwner(name=name, visibility=visibility))

    def rename(self, name: str, new_name: str) -> None:
        """Give one another name."""
        self._client.ask("PUT", path_of("owners", name, "name"), body=shapes.NewName(name=new_name))

    def set_visibility(self, name: str, visibility: Visibility) -> None:
        """Say who may read without a grant."""
        self._client.ask("PATCH", path_of("owners", name), body=shapes.OwnerVisibility(visibility=visibility))


class RemoteTeams:
    """Teams."""

    def __init__(self, client: RemoteClient) -> None:
        self._client = client

    def list_of(self, owner: str) -> list[tuple[TeamRecord, Sequence[str]]]:
        """Return the teams of an owner with the subjects in them, by name."""
        found = list(self._client.pages(shapes.Team, path_of("owners", owner, "teams")))
        return [(TeamRecord(0, each.owner, each.name), self._members(each)) for each in found]

    def create(self, owner: str, name: str) -> None:
        """Make one."""
        self._client.ask("POST", path_of("owners", owner, "teams"), body=shapes.NewTeam(name=name))

    def delete(self, owner: str, name: str) -> None:
        """Delete one."""
        self._client.ask("DELETE", path_of("owners", owner, "teams", name))

    def add(self, owner: str, name: str, member: str) -> bool:
        """Add a subject; tell whether it was not in it."""
        path = path_of("owners", owner, "teams", name, "members")
        return self._client.read(shapes.Membership, "PUT", path, query={"subject": member}).added

    def remove(self, owner: str, name: str, member: str) -> None:
        """Take a subject out."""
        path = path_of("owners", owner, "teams", name, "members")
        self._client.ask("DELETE", path, query={"subject": member})

    def _members(self, team: shapes.Team) -> list[str]:
        path = path_of("owners", team.owner, "teams", team.name, "members")
        return [each.subject for each in self._client.pages(shapes.Member, path)]


class RemoteGrants:
    """Roles."""

    def __init__(self, client: RemoteClient) -> None:
        self._client = client

    def list_all(self) -> list[GrantRecord]:
        """Return all or, for who does not administer the server, those on the owners that the token administers."""
        try:
            return [_grant(each) for each in self._client.pages(shapes.Grant, "/grants")]
        except ServerRefusal as refusal:
            if refusal.status != _FORBIDDEN:
                raise
        return [grant for owner in RemoteOwners(self._client).list_all() for grant in self.list_on(owner.name)]

    def list_on(self, owner: str) -> list[GrantRecord]:
        """Return the roles on an owner, its indexes and projects."""
        return [_grant(each) for each in self._client.pages(shapes.Grant, path_of("owners", owner, "grants"))]

    def grant(self, grantee: str, role: Role, at: PlaceNames) -> str:
        """Give a role; return the place."""
        body: shapes.NewServerGrant = shapes.NewServerGrant(subject=grantee, role=role)
        if at.owner is not None:
            body = shapes.NewGrant(subject=grantee, role=role, index=at.index, projects=at.projects)
        return _grant(self._client.read(shapes.Grant, "PUT", _grants_path(at), body=body)).place

    def withdraw(self, grantee: str, at: PlaceNames) -> str:
        """Take a role away; return the place."""
        query = {"subject": grantee, "index": at.index, "projects": at.projects}
        self._client.ask("DELETE", _grants_path(at), query=query)
        return GrantRecord(grantee, Role.READER, at.owner, at.index, at.projects, _LONG_AGO).place


class RemoteTokens:
    """API tokens."""

    def __init__(self, client: RemoteClient) -> None:
        self._client = client

    def create(self, name: str, subject: str, terms: TokenTerms) -> MadeToken:
        """Make a token of a robot or of somebody."""
        body = shapes.NewToken(
            name=name,
            subject=subject,
            scopes=None if terms.scopes is None else [_scope_shape(scope) for scope in terms.scopes],
            not_before=terms.not_before,
            expires_at=terms.expires_at,
            description=terms.description,
        )
        made = self._client.read(shapes.MadeToken, "POST", "/tokens", body=body)
        return MadeToken(made.subject, _token(made), made.token)

    def create_own(self, name: str, _role: Role, _at: PlaceNames, _terms: TokenTerms) -> MadeToken:
        """Refuse: a token with a role of its own is made beside the data folder."""
        raise InvalidToken(
            f"{name} would be a token with a role of its own, which is made beside the data folder only; "
            "make one for a robot or for yourself with --for"
        )

    def list_all(self) -> list[TokenRecord]:
        """Return all or, for who does not administer the server, one's own."""
        try:
            return self._list(everybody=True)
        except ServerRefusal as refusal:
            if refusal.status != _FORBIDDEN:
                raise
        return self._list()

    def list_of(self, subject: str) -> list[TokenRecord]:
        """Return the tokens of somebody."""
        return self._list(subject=subject)

    def revoke(self, which: str, *, subject: str | None = None) -> None:
        """Withdraw one."""
        self._client.ask("DELETE", path_of("tokens", which), query={"subject": subject})

    def subject_of(self, token: TokenRecord) -> str:
        """Return as whom a token signs in."""
        return token.subject(token_authenticator=_TOKEN_AUTHENTICATOR)

    def _list(self, *, everybody: bool | None = None, subject: str | None = None) -> list[TokenRecord]:
        found = self._client.pages(shapes.Token, "/tokens", everybody=everybody, subject=subject)
        return [_token(each) for each in found]


class RemoteRobots:
    """Robots."""

    def __init__(self, client: RemoteClient) -> None:
        self._client = client

    def create(self, name: str, *, owner: str | None, description: str = "") -> RobotRecord:
        """Make one."""
        body = shapes.NewRobot(name=name, owner=owner, description=description)
        return _robot(self._client.read(shapes.Robot, "POST", "/robots", body=body))

    def list_of(self, owner: str) -> list[RobotRecord]:
        """Return those of an owner."""
        return [_robot(each) for each in self._client.pages(shapes.Robot, "/robots", owner=owner)]

    def list_all(self) -> list[RobotRecord]:
        """Return all."""
        return [_robot(each) for each in self._client.pages(shapes.Robot, "/robots")]

    def set_disabled(self, name: str, *, disabled: bool) -> bool:
        """Refuse all of its tokens, or no more; tell whether that is new."""
        body = shapes.RobotChange(disabled=disabled)
        return self._client.read(shapes.RobotChanged, "PATCH", path_of("robots", name), body=body).changed

    def delete(self, name: str) -> None:
        """Delete one."""
        self._client.ask("DELETE", path_of("robots", name))


class RemoteUsers:
    """People."""

    def __init__(self, client: RemoteClient) -> None:
        self._client = client

    def list_all(self) -> list[UserRecord]:
        """Return those who are known."""
        return list(self._records())

    def disable(self, subject: str) -> bool:
        """Refuse somebody; tell whether that is new."""
        return self._change(subject, disabled=True)

    def enable(self, subject: str) -> bool:
        """Let somebody in again; tell whether that is new."""
        return self._change(subject, disabled=False)

    def _change(self, subject: str, *, disabled: bool) -> bool:
        body = shapes.UserChange(subject=subject, disabled=disabled)
        return self._client.read(shapes.UserChanged, "PATCH", "/users", body=body).changed

    def _records(self) -> Iterator[UserRecord]:
        for each in self._client.pages(shapes.User, "/users"):
            yield UserRecord(each.subject, each.display_name, each.created_at, each.last_seen_at, each.disabled_at)


class RemoteAccounts:
    """All of them."""

    def __init__(self, client: RemoteClient) -> None:
        self.owners = RemoteOwners(client)
        self.teams = RemoteTeams(client)
        self.grants = RemoteGrants(client)
        self.tokens = RemoteTokens(client)
        self.robots = RemoteRobots(client)

    def roles_of_tokens(self) -> dict[str, list[tuple[str | None, Role]]]:
        """Return the roles of each token that is its own subject, as far as the token may know them."""
        roles: dict[str, list[tuple[str | None, Role]]] = {}
        for grant in self.grants.list_all():
            authenticator, _, name = grant.subject.partition(":")
            if authenticator == _TOKEN_AUTHENTICATOR:
                roles.setdefault(name, []).append((grant.place if grant.owner else None, grant.role))
        return roles


def _owner(found: shapes.Owner) -> OwnerRecord:
    return OwnerRecord(0, found.name, found.kind, found.visibility)


def _grants_path(at: PlaceNames) -> str:
    return "/grants" if at.owner is None else path_of("owners", at.owner, "grants")


def _grant(found: shapes.Grant) -> GrantRecord:
    return GrantRecord(found.subject, found.role, found.owner, found.index, found.projects, _LONG_AGO)


def _robot(found: shapes.Robot) -> RobotRecord:
    return RobotRecord(
        found.name, found.owner, found.description, found.created_at, found.created_by, found.disabled_at
    )


def _token(found: shapes.Token) -> TokenRecord:
    return TokenRecord(
        name=found.name,
        token_id=found.id,
        owner_subject=None if found.subject == f"{_TOKEN_AUTHENTICATOR}:{found.name}" else found.subject,
        scopes=None if found.scopes is None else [_scope(each) for each in found.scopes],
        not_before=found.not_before,
        expires_at=found.expires_at,
        description=found.description,
        secret_sha256="",
        created_at=found.created_at,
        revoked_at=found.revoked_at,
        last_used_at=found.last_used_at,
        created_by=found.created_by,
    )


def _scope(found: shapes.TokenScope) -> Scope:
    actions = None if found.actions is None else frozenset(found.actions)
    return Scope(found.owner, found.index, found.projects, actions)


def _scope_shape(scope: Scope) -> shapes.TokenScope:
    actions = None if scope.actions is None else sorted(scope.actions)
    return shapes.TokenScope(owner=scope.owner, index=scope.index, projects=scope.projects, actions=actions)
