"""API tokens: made, listed, revoked and looked up. Blocking, outside the event loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from pypiserve.catalog import tokens
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.tokens import TokenRecord
from pypiserve.core.api_tokens import hash_api_token, looks_like_api_token, new_api_token
from pypiserve.core.errors import Conflict, NotFound
from pypiserve.core.events import OPERATOR
from pypiserve.core.identity import Role
from pypiserve.services.grants import PlaceNames, place_of
from pypiserve.services.own_tokens import OwnToken, insert_own_token, insert_token
from pypiserve.services.owners import InvalidName, NameTaken
from pypiserve.services.subjects import check_subject
from pypiserve.services.token_authority import (
    BESIDE_THE_DATA,
    Caretaker,
    check_administers,
    check_may_make,
    managed_by,
)
from pypiserve.services.token_terms import TokenTerms, checked_name, checked_terms

__all__ = ["MadeToken", "TokenAmbiguous", "Tokens", "TooManyTokens"]

MAX_TOKENS = 1000
"""Most tokens that one subject has at a time."""


class TokenAmbiguous(Conflict):
    """Several tokens have the name."""

    code = "token-ambiguous"


class TooManyTokens(Conflict):
    """The subject has as many tokens as one may have."""

    code = "too-many-tokens"


@dataclass(frozen=True)
class MadeToken:
    """
    A token that was just made.

    Attributes:
        subject: As whom it signs in.
        record: What is kept of it.
        secret: The token itself; shown once and kept nowhere.
    """

    subject: str
    record: TokenRecord
    secret: str = field(repr=False)


class Tokens:
    """
    Makes and revokes tokens, each in one transaction with its event.

    Each method takes who asks, and refuses what ``token_authority`` does not admit.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime], token_authenticator: str) -> None:
        self._database = database
        self._now = now
        self._token_authenticator = token_authenticator

    def create(self, name: str, subject: str, terms: TokenTerms, *, by: Caretaker = BESIDE_THE_DATA) -> MadeToken:
        """
        Make a token that signs in as somebody: a person, or ``robot:NAME``. It may what they may when it is used.

        Args:
            name: What they call it.
            subject: As whom it signs in; for a token of one's own, the subject of whoever asks.
            terms: How it shall be. Without scopes it has those of the credential with which it is made.
            by: Who asks.

        Raises:
            InvalidName: The name cannot be one, the subject is not spelt like one, or is a token itself.
            InvalidToken: The terms cannot be met.
            NameTaken: They have a token of this name that is not revoked.
            TooManyTokens: They have as many as one may have.
            NotFound: There is no such robot.
            AuthenticationFailed, PermissionDenied: Whoever asks may not make it.
        """
        checked_name(name)
        checked, secret = checked_terms(terms, now=self._now()), new_api_token()
        if subject.startswith(f"{self._token_authenticator}:"):
            raise InvalidName(f"{subject} is a token, and has no further ones; make one for a robot instead")

        def work(connection: Connection) -> TokenRecord:
            scopes = check_may_make(connection, by, subject, checked.scopes)
            check_subject(connection, subject, token_authenticator=self._token_authenticator)
            if by.identity is None:
                # A slip of the pen. Others are not told whether there is such an owner.
                _check_places(connection, checked)
            self._check_room(connection, name, subject)
            final = replace(checked, scopes=scopes)
            return insert_token(connection, name, subject, final, secret, by=by.actor, now=self._now())

        return MadeToken(subject, self._database.write_now(work), secret)

    def create_own(self, name: str, role: Role, at: PlaceNames, terms: TokenTerms) -> MadeToken:
        """
        Make a token that is its own subject, and give it a role. For the command line beside the data folder.

        Raises:
            InvalidName, InvalidToken: As ``create`` does.
            NameTaken: A token of this name exists or existed.
            NotFound, OwnerMoved: There is no such owner or index.
            RoleMisplaced: An owner has no administrators.
        """
        checked, secret = checked_terms(terms, now=self._now()), new_api_token()
        own = OwnToken(name, self._token_authenticator, role, at, checked)
        record = self._database.write_now(
            lambda connection: insert_own_token(connection, own, secret, by=OPERATOR, now=self._now())
        )
        return MadeToken(own.subject, record, secret)

    def list_of(self, subject: str, *, by: Caretaker = BESIDE_THE_DATA) -> list[TokenRecord]:
        """
        Return the tokens of somebody, by name, revoked ones too: those that whoever asks may see.

        Whose tokens they may not see looks like somebody who has none.
        """

        def work(connection: Connection) -> list[TokenRecord]:
            return managed_by(connection, by, subject, self._tokens_of(connection, subject))

        return self._database.read_now(work)

    def list_all(self, *, by: Caretaker = BESIDE_THE_DATA) -> list[TokenRecord]:
        """
        Return everybody's tokens, by name, revoked ones too.

        Raises:
            AuthenticationFailed, PermissionDenied: Whoever asks does not administer the server.
        """

        def work(connection: Connection) -> list[TokenRecord]:
            check_administers(connection, by, None)
            return tokens.list_tokens(connection)

        return self._database.read_now(work)

    def revoke(self, which: str, *, subject: str | None = None, by: Caretaker = BESIDE_THE_DATA) -> TokenRecord:
        """
        Withdraw a token at once, on every running server of this data folder.

        Args:
            which: Its id, or its name.
            subject: Whose it is; not needed when there is no other of the name.
            by: Who asks.

        Raises:
            NotFound: There is no such token that is not revoked, or none that whoever asks may see.
            TokenAmbiguous: Several tokens have this name.
        """

        def work(connection: Connection) -> TokenRecord:
            token = self._find(connection, which, subject, by)
            if not tokens.revoke_token(connection, token, by=by.actor, now=self._now()):
                raise NotFound(f"A token {which} that is not revoked yet")
            return token

        return self._database.write_now(work)

    def find_by_secret(self, secret: str) -> TokenRecord:
        """
        Return what is kept of a token, for whoever has it.

        Raises:
            InvalidName: It is not spelt like one of ours.
            NotFound: It was never made here.
        """
        if not looks_like_api_token(secret):
            raise InvalidName("This is no API token of ours, or it is misspelt or cut off")
        digest = hash_api_token(secret)
        record = self._database.read_now(lambda connection: tokens.find_token_by_secret(connection, digest))
        if record is None:
            raise NotFound("This API token")
        return record

    def subject_of(self, token: TokenRecord) -> str:
        """Return as whom a token signs in."""
        return token.subject(token_authenticator=self._token_authenticator)

    def _tokens_of(self, connection: Connection, subject: str) -> list[TokenRecord]:
        authenticator, _, name = subject.partition(":")
        if authenticator != self._token_authenticator:
            return tokens.list_tokens(connection, owner_subject=subject)
        own = tokens.find_token_by_name(connection, name)
        return [] if own is None else [own]

    def _find(self, connection: Connection, which: str, subject: str | None, by: Caretaker) -> TokenRecord:
        by_id = tokens.find_token_by_id(connection, which)
        found: list[TokenRecord] = []
        for token in tokens.tokens_named(connection, which) if by_id is None else [by_id]:
            whose = self.subject_of(token)
            if subject in {None, whose}:
                found += managed_by(connection, by, whose, [token])
        if len(found) > 1:
            raise TokenAmbiguous(f"{len(found)} tokens are called {which}; give the id of one, or say whose it is")
        if not found:
            raise NotFound(f"A token {which} that is not revoked yet")
        return found[0]

    def _check_room(self, connection: Connection, name: str, subject: str) -> None:
        if any(token.owner_subject == subject for token in tokens.tokens_named(connection, name)):
            raise NameTaken(f"{subject} has a token {name}; choose another name, or revoke that one first")
        if tokens.count_tokens_of(connection, subject, now=self._now()) >= MAX_TOKENS:
            raise TooManyTokens(f"{subject} has {MAX_TOKENS} tokens, as many as one may have; revoke one first")


def _check_places(connection: Connection, terms: TokenTerms) -> None:
    for scope in terms.scopes or ():
        if scope.owner is not None:
            place_of(connection, PlaceNames(scope.owner, scope.index))
