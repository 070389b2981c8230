"""API tokens, and the accounts of a catalog in one place. Blocking, outside the event loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pypiserve.catalog import owners
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.api_tokens import new_api_token
from pypiserve.core.events import OPERATOR
from pypiserve.core.identity import Role, Visibility
from pypiserve.services.grants import Grants, PlaceNames
from pypiserve.services.own_tokens import OwnToken, insert_own_token
from pypiserve.services.owners import NameTaken, Owners, insert_owner
from pypiserve.services.robots import Robots
from pypiserve.services.teams import Teams
from pypiserve.services.token_report import TokenReports
from pypiserve.services.token_terms import TokenTerms
from pypiserve.services.tokens import Tokens

__all__ = ["Accounts", "NewToken"]


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
        tokens: API tokens.
        token_reports: What each of them may do.
        robots: Accounts of no person.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime], token_authenticator: str) -> None:
        self._database = database
        self._now = now
        self._token_authenticator = token_authenticator
        self.owners = Owners(database, now=now)
        self.teams = Teams(database, now=now, token_authenticator=token_authenticator)
        self.grants = Grants(database, now=now, token_authenticator=token_authenticator)
        self.tokens = Tokens(database, now=now, token_authenticator=token_authenticator)
        self.token_reports = TokenReports(database, now=now, token_authenticator=token_authenticator)
        self.robots = Robots(database, now=now)

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
                place, terms = PlaceNames(), TokenTerms()
                own = OwnToken(token_name, self._token_authenticator, Role.ADMINISTRATOR, place, terms)
                insert_own_token(connection, own, secret, by=OPERATOR, now=self._now())

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
        Make an API token that is its own subject, with a role on an owner or on the server.

        See ``Tokens.create_own``.
        """
        made = self.tokens.create_own(name, role, PlaceNames(owner), TokenTerms(expires_at=expires_at))
        return NewToken(name, made.secret, role, owner, expires_at)

    def list_tokens(self) -> list[TokenRecord]:
        """Return all tokens, without secrets."""
        return self.tokens.list_all()

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
        Withdraw a token, given its id or name; see ``Tokens.revoke``.

        Raises:
            NotFound: There is no token of this name that is not withdrawn yet.
        """
        self.tokens.revoke(name)


def _visibility(*, public: bool) -> Visibility:
    return Visibility.PUBLIC if public else Visibility.PRIVATE
