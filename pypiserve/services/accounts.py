"""Owners, API tokens and roles: what the command line and the first start do. Blocking, outside the event loop."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pypiserve.catalog import owners, tokens
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.owners import OwnerRecord
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.api_tokens import hash_api_token, new_api_token
from pypiserve.core.errors import Conflict, NotFound, PypiserveError
from pypiserve.core.identity import ANYONE, SIGNED_IN, Role
from pypiserve.core.names import as_index_name, as_owner_name

__all__ = ["OPERATOR", "Accounts", "InvalidName", "NameTaken", "NewToken"]

OPERATOR = "operator"
"""Subject in the journal of what is done on the command line."""

_SUBJECT = re.compile(r"[a-z0-9][a-z0-9._-]*:[^\s:][^\s]*\Z")
_TOKEN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")


class NameTaken(Conflict):
    """The name belongs to something that exists."""

    code = "name-taken"


class InvalidName(PypiserveError):
    """The text cannot be the name of what it shall name."""

    code = "invalid-name"


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
    """Creates and changes owners, tokens and roles, each in one transaction with its event."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], token_authenticator: str) -> None:
        self._database = database
        self._now = now
        self._token_authenticator = token_authenticator

    def create_owner(self, name: str, *, public: bool, kind: str = "organisation") -> None:
        """
        Create an owner with its index ``pypi``.

        Raises:
            InvalidName: The name cannot be one.
            NameTaken: An owner of this name exists, in any letter case.
        """
        self._database.write_now(lambda connection: self._insert_owner(connection, name, public=public, kind=kind))

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
            self._insert_owner(connection, name, public=public, kind="organisation")
            if token_name is not None:
                self._insert_token(connection, token_name, secret, Role.ADMINISTRATOR, owner=None, expires_at=None)

        self._database.write_now(work)
        return NewToken(token_name, secret, Role.ADMINISTRATOR, None, None) if token_name is not None else None

    def set_visibility(self, name: str, *, public: bool) -> None:
        """Make an owner's indexes readable by everybody, or only by those who were granted a role."""
        self._database.write_now(
            lambda connection: owners.set_visibility(
                connection, _owner(connection, name), public=public, subject=OPERATOR, now=self._now()
            )
        )

    def list_owners(self) -> list[OwnerRecord]:
        """Return all owners."""
        return self._database.read_now(owners.list_owners)

    def list_grants(self) -> list[tuple[str | None, str, Role]]:
        """Return all grants as owner (``None``: the server), subject, role."""
        return self._database.read_now(owners.list_grants)

    def grant(self, grantee: str, role: Role, *, owner: str | None) -> None:
        """
        Give a subject a role on an owner, or on the server.

        Raises:
            InvalidName: The subject is not spelt like one.
            NotFound: There is no such owner, or no such API token.
        """
        if grantee not in {ANYONE, SIGNED_IN} and _SUBJECT.match(grantee) is None:
            raise InvalidName(
                f"{grantee!r} is no subject; write AUTHENTICATOR:NAME, such as htpasswd:alice or token:ci, "
                f"or one of: {ANYONE}, {SIGNED_IN}"
            )
        authenticator, _, name = grantee.partition(":")

        def work(connection: Connection) -> None:
            # Who made a token of this name later would find it with more rights than it was given.
            if authenticator == self._token_authenticator and tokens.find_token_by_name(connection, name) is None:
                raise NotFound(f"The API token {name}")
            record = _owner(connection, owner) if owner else None
            owners.grant_role(connection, record, grantee=grantee, role=role, subject=OPERATOR, now=self._now())

        self._database.write_now(work)

    def withdraw(self, grantee: str, *, owner: str | None) -> None:
        """
        Take a subject's role away.

        Raises:
            NotFound: There is no such owner, or no such grant.
        """

        def work(connection: Connection) -> None:
            record = _owner(connection, owner) if owner else None
            if not owners.withdraw_role(connection, record, grantee=grantee, subject=OPERATOR, now=self._now()):
                raise NotFound(f"A role of {grantee} on {owner or 'the server'}")

        self._database.write_now(work)

    def create_token(
        self, name: str, role: Role, *, owner: str | None, expires_at: datetime | None = None
    ) -> NewToken:
        """
        Make an API token and give it a role on an owner, or on the server.

        Raises:
            InvalidName: The name cannot be one.
            NameTaken: A token of this name exists or existed.
            NotFound: There is no such owner.
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
        """Return the roles of each token, by its name, as owner (``None``: the server) and role."""
        roles: dict[str, list[tuple[str | None, Role]]] = {}
        for owner, subject, role in self.list_grants():
            authenticator, _, name = subject.partition(":")
            if authenticator == self._token_authenticator:
                roles.setdefault(name, []).append((owner, role))
        return roles

    def revoke_token(self, name: str) -> None:
        """
        Withdraw a token at once, on every running server of this data folder.

        Raises:
            NotFound: There is no token of this name that is not withdrawn yet.
        """
        revoked = self._database.write_now(
            lambda connection: tokens.revoke_token(connection, name, subject=OPERATOR, now=self._now())
        )
        if not revoked:
            raise NotFound(f"A token {name} that is not revoked yet")

    def _insert_owner(self, connection: Connection, name: str, *, public: bool, kind: str) -> None:
        try:
            owner_name = as_owner_name(name)
        except ValueError as error:
            raise InvalidName(f"{name!r} is no name for an owner: {error}") from None
        if owners.find_owner(connection, owner_name) is not None:
            raise NameTaken(f"An owner {name} exists already; names are the same in any letter case")
        now = self._now()
        owners.create_owner(connection, owner_name, kind=kind, public=public, subject=OPERATOR, now=now)
        record = _owner(connection, owner_name)
        owners.create_index(connection, record, as_index_name("pypi"), subject=OPERATOR, now=now)

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
        if tokens.find_token_by_name(connection, name) is not None:
            raise NameTaken(f"A token {name} exists or existed; choose another name")
        now = self._now()
        record = _owner(connection, owner) if owner else None
        tokens.create_token(
            connection, name, hash_api_token(secret), expires_at=expires_at, subject=OPERATOR, now=now
        )
        grantee = f"{self._token_authenticator}:{name}"
        owners.grant_role(connection, record, grantee=grantee, role=role, subject=OPERATOR, now=now)


def _owner(connection: Connection, name: str) -> OwnerRecord:
    record = owners.find_owner(connection, name)
    if record is None:
        raise NotFound(f"The owner {name}")
    return record
