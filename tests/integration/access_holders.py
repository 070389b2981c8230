"""Those who are in the table of who may do what, and the plugin that knows their credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pypiserve.catalog.database import Connection
from pypiserve.catalog.grants import grant_role
from pypiserve.compose import OfflineCatalog
from pypiserve.core.events import OPERATOR
from pypiserve.core.identity import Action, Credentials, Identity, Role, Scope, VouchedRole
from pypiserve.plugin import AuthenticatorKind, BuildContext, NoSettings, hookimpl
from pypiserve.services.grants import PlaceNames, place_of
from pypiserve.services.token_terms import TokenTerms

__all__ = ["API_REVISION", "HOLDERS", "OWNERS", "SETTINGS", "Holder", "add_roles"]

API_REVISION = 1
SETTINGS = """
plugins = ["access_holders"]
failed_sign_ins_per_address = 0
[[authenticators]]
kind = "matrix"
[[authenticators]]
kind = "token"
"""
OWNERS = ("public", "internal", "private", "gitea-public", "gitea-internal", "gitea-private")
"""Owners of each visibility; the latter answer as Gitea does."""

READER, PUBLISHER, MAINTAINER, OWNER, ADMINISTRATOR = Role
_PLACES: Mapping[str, Mapping[str, str]] = {
    "owner": {},
    "index": {"index": "pypi"},
    "acme-* of the owner": {"projects": "acme-*"},
    "acme-* of the index": {"index": "pypi", "projects": "acme-*"},
}


@dataclass(frozen=True)
class Holder:
    """
    Somebody.

    Attributes:
        name: Within the authenticator; empty for nobody.
        role: Which was granted.
        at: On what: ``server``, ``team`` (on each owner, to a team), ``vouched`` (by the authenticator), or a place.
        scopes: What the credential is limited to.
        credential: A token; that of the name unless it is another.
    """

    name: str = ""
    role: Role | None = None
    at: str = ""
    scopes: tuple[Scope, ...] | None = None
    credential: str | None = None

    @property
    def token(self) -> str:
        """What to send as ``Bearer``; empty for nobody."""
        return self.credential or (f"secret-of-{self.name}" if self.name else "")

    @property
    def is_of_index(self) -> bool:
        """Whether all that counts is about one index: then it gives no rights to its owner."""
        return "index" in self.at or any(scope.index for scope in self.scopes or ())

    @property
    def identity(self) -> Identity:
        """Who that is."""
        vouched = [VouchedRole(owner, self.role) for owner in OWNERS if self.role and self.at == "vouched"]
        return Identity("matrix", self.name, roles=tuple(vouched), scopes=self.scopes)


def _everywhere(role: Role, *places: str) -> list[Holder]:
    return [Holder(f"{role.value}-{place.partition(' ')[0].strip('-*')}", role, place) for place in places]


def _of_part(role: Role) -> list[Holder]:
    names = {"owner": f"{role.value}-of-part", "index": f"{role.value}-of-part-of-index"}
    return [Holder(name, role, f"acme-* of the {where}") for where, name in names.items()]


def _limited(name: str, *scopes: Scope) -> Holder:
    return Holder(f"owner-for-{name}", OWNER, "owner", scopes)


def _for_action(action: Action) -> list[Holder]:
    return [_limited(action.value, Scope(actions=frozenset({action})))]


_FOR_PART = [_limited("part", Scope(projects="acme-*"))]
HOLDERS: Mapping[str, Sequence[Holder]] = {
    "nobody, without credentials": [Holder()],
    "somebody without a role": [Holder("stranger")],
    "reader": _everywhere(READER, "owner", "index", "server", "team", "vouched"),
    "publisher": _everywhere(PUBLISHER, "owner", "index", "server", "team", "vouched"),
    "maintainer": _everywhere(MAINTAINER, "owner", "index", "server", "team", "vouched"),
    "owner": _everywhere(OWNER, "owner", "server", "team", "vouched"),
    "administrator of the server": _everywhere(ADMINISTRATOR, "server"),
    "reader of `acme-*`: these projects": _of_part(READER),
    "reader of `acme-*`: others": _of_part(READER),
    "publisher of `acme-*`: these projects": _of_part(PUBLISHER),
    "publisher of `acme-*`: others": _of_part(PUBLISHER),
    "maintainer of `acme-*`: these projects": _of_part(MAINTAINER),
    "maintainer of `acme-*`: others": _of_part(MAINTAINER),
    "owner, with a credential for this place": [
        _limited("this-owner", *(Scope(owner=owner.upper()) for owner in OWNERS)),
        _limited("this-index", Scope(index="pypi")),
    ],
    "owner, with a credential for elsewhere": [
        _limited("another-owner", Scope(owner="elsewhere")),
        _limited("another-index", Scope(index="staging")),
        _limited("nothing"),
    ],
    "owner, with a credential for `acme-*`: these projects": _FOR_PART,
    "owner, with a credential for `acme-*`: others": _FOR_PART,
    "owner, with a credential for reading": _for_action(Action.READ),
    "owner, with a credential for publishing": _for_action(Action.PUBLISH),
    "owner, with a credential for yanking": _for_action(Action.YANK),
    "owner, with a credential for deleting": _for_action(Action.DELETE),
    "owner whose account is disabled": [Holder("disabled", OWNER, "owner")],
    "anybody with wrong credentials": [Holder("owner-owner", credential="wrong-credentials")],
}
"""Those of whom a row of the table is true, by its words."""


def add_roles(catalog: OfflineCatalog) -> dict[str, str]:
    """
    Give all holders their roles, on owners that exist; and disable one.

    Returns:
        By name, the API tokens of those who are limited to scopes.
    """
    holders = {holder.name: holder for group in HOLDERS.values() for holder in group if holder.role is not None}
    by_team = [holder for holder in holders.values() if holder.at == "team"]
    for holder in by_team:
        catalog.accounts.teams.create("elsewhere", holder.name)
        catalog.accounts.teams.add("elsewhere", holder.name, holder.identity.subject)
        for owner in OWNERS:
            assert holder.role is not None
            catalog.accounts.grants.grant(f"team:elsewhere/{holder.name}", holder.role, PlaceNames(owner))
    others = [holder for holder in holders.values() if holder.at not in {"team", "vouched"}]
    catalog.accounts._database.write_now(lambda connection: _grant(connection, others))
    catalog.users.disable("matrix:disabled")
    return {
        name: catalog.accounts.tokens.create("limited", holder.identity.subject, TokenTerms(holder.scopes)).secret
        for name, holder in holders.items()
        if holder.scopes
    }


def _grant(connection: Connection, holders: Iterable[Holder]) -> None:
    for holder in holders:
        places = (
            [PlaceNames()] if holder.at == "server" else [PlaceNames(owner, **_PLACES[holder.at]) for owner in OWNERS]
        )
        for place in places:
            assert holder.role is not None
            grant_role(
                connection,
                place_of(connection, place),
                grantee=holder.identity.subject,
                role=holder.role,
                team_id=None,
                by=OPERATOR,
                now=datetime.now(UTC),
            )


class _Matrix:
    """Knows the tokens of the holders."""

    def __init__(self) -> None:
        self._known = {holder.token: holder.identity for group in HOLDERS.values() for holder in group}

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        """Look the token up."""
        token = getattr(credentials, "token", "")
        return self._known.get(token) if token.startswith("secret-of-") else None

    async def close(self) -> None:
        """Hold nothing."""


@hookimpl
def pypiserve_authenticators() -> Iterable[AuthenticatorKind[Any]]:
    """Offer it."""
    yield AuthenticatorKind("matrix", NoSettings, _build, "knows who is in the table")


def _build(_settings: NoSettings, _context: BuildContext) -> _Matrix:
    return _Matrix()
