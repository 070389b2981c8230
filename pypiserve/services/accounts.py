"""API tokens, and the accounts of a catalog in one place. Blocking, outside the event loop."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pypiserve.catalog import grants, owners, tokens
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.api_tokens import hash_api_token, new_api_token
from pypiserve.core.errors import NotFound
from pypiserve.core.events import OPERATOR
from pypiserve.core.identity import Role, Visibility
from pypiserve.services.grants import Grants, PlaceNames, check_role, place_of
from pypiserve.services.owners import InvalidName, NameTaken, Owners, insert_owner
from pypiserve.services.teams import Teams

__all__ = ["Accounts", "NewToken"]

_TOKEN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")


@dataclass(frozen=True)
class NewToken:
    """A token that was just made; ``secret`` is shown once and kept nowhere."""

    name: str
    secret: str
    role: Role
    owner: str | None
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"NewToken({self.name!r})"


class Accounts:
    """
    Creates and changes tokens, each in one transaction with its event.

    Attributes:
        owners: Owners.
        teams: Their teams.
        grants: Roles.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime], token_authenticator: str) -> None:
        self._database = database
        self._now = now
        self._token_authenticator = token_authenticator
        self.owners = Owners(database, now=now)
        self.teams = Teams(database, now=now, token_authenticator=token_authenticator)
        self.grants = Grants(database, now=now, token_authenticator=token_authenticator)

    def create_owner(self, name: str, *, public: bool) -> None:
        """Create an owner that everybody may read, or nobody; see ``Owners.create``."""
        self.owners.create(name, _visibility(public=public))

    def create_first_owner(self, name: str, *, public: bool, token_name: str | None) -> NewToken | None:
        """
        Create an owner in a catalog that has none, and a token for an administrator of the server if it has a name.

        It is one transaction: a crash leaves nothing or all, and of two servers that start at once one does it.

        Raises:
            NameTaken: There are owners already.
        """
        secret = new_api_token()

        def work(connection: Connection) -> None:
            if owners.list_owners(connection):
                raise NameTaken("There are owners already")
            visibility = _visibility(public=public)
            insert_owner(connection, name, visibility, kind="organisation", by=OPERATOR, now=self._now())
            if token_name is not None:
                self._insert_token(connection, token_name, secret, Role.ADMINISTRATOR, owner=None, expires_at=None)

        self._database.write_now(work)
        return NewToken(token_name, secret, Role.ADMINISTRATOR, None, None) if token_name is not None else None

    def set_visibility(self, name: str, *, public: bool) -> None:
        """Make an owner's indexes readable by everybody, or only by those who were granted a role."""
        self.owners.set_visibility(name, _visibility(public=public))

    def list_grants(self) -> list[tuple[str | None, str, Role]]:
        """Return all grants as owner (``None``: the server), subject, role."""
        return [(grant.owner, grant.subject, grant.role) for grant in self.grants.list_all()]

    def grant(self, grantee: str, role: Role, *, owner: str | None) -> None:
        """Give a subject a role on an owner, or on the server; see ``Grants.grant``."""
        self.grants.grant(grantee, role, PlaceNames(owner))

    def withdraw(self, grantee: str, *, owner: str | None) -> None:
        """Take a subject's role away; see ``Grants.withdraw``."""
        self.grants.withdraw(grantee, PlaceNames(owner))

    def create_token(
        self, name: str, role: Role, *, owner: str | None, expires_at: datetime | None = None
    ) -> NewToken:
        """
        Make an API token and give it a role on an owner, or on the server.

        Raises:
            InvalidName: The name cannot be one.
            NameTaken: A token of this name exists or existed.
            NotFound: There is no such owner.
            RoleMisplaced: An owner has no administrators.
        """
        if _TOKEN_NAME.match(name) is None:
            raise InvalidName(
                f"{name!r} is no name for a token: it has 1 to 64 letters, digits, '.', '_', '@' and '-'"
            )
        secret = new_api_token()
        self._database.write_now(
            lambda connection: self._insert_token(connection, name, secret, role, owner=owner, expires_at=expires_at)
        )
        return NewToken(name, secret, role, owner, expires_at)

    def list_tokens(self) -> list[TokenRecord]:
        """Return all tokens, without secrets."""
        return self._database.read_now(tokens.list_tokens)

    def roles_of_tokens(self) -> dict[str, list[tuple[str | None, Role]]]:
        """Return the roles of each token, by its name, as place (``None``: the server) and role."""
        roles: dict[str, list[tuple[str | None, Role]]] = {}
        for grant in self.grants.list_all():
            authenticator, _, name = grant.subject.partition(":")
            if authenticator == self._token_authenticator:
                roles.setdefault(name, []).append((grant.place if grant.owner else None, grant.role))
        return roles

    def revoke_token(self, name: str) -> None:
        """
        Withdraw a token at once, on every running server of this data folder.

        Raises:
            NotFound: There is no token of this name that is not withdrawn yet.
        """
        revoked = self._database.write_now(
            lambda connection: tokens.revoke_token(connection, name, by=OPERATOR, now=self._now())
        )
        if not revoked:
            raise NotFound(f"A token {name} that is not revoked yet")

    def _insert_token(
        self,
        connection: Connection,
        name: str,
        secret: str,
        role: Role,
        *,
        owner: str | None,
        expires_at: datetime | None,
    ) -> None:
        grantee = f"{self._token_authenticator}:{name}"
        check_role(role, grantee=grantee, on_server=owner is None)
        if tokens.find_token_by_name(connection, name) is not None:
            raise NameTaken(f"A token {name} exists or existed; choose another name")
        now = self._now()
        place = place_of(connection, PlaceNames(owner))
        tokens.create_token(
            connection,
            name,
            hash_api_token(secret),
            token_id=secrets.token_hex(8),
            expires_at=expires_at,
            by=OPERATOR,
            now=now,
        )
        grants.grant_role(connection, place, grantee=grantee, role=role, team_id=None, by=OPERATOR, now=now)


def _visibility(*, public: bool) -> Visibility:
    return Visibility.PUBLIC if public else Visibility.PRIVATE
