"""
What an identity may do in one index, from its claims: visibility, grants, vouched roles; and its credential's scopes.

Pure: everything was read before. Nothing here says how a refusal looks; that is ``access``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName

from pypiserve.catalog.grants import Grant, Standing
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.identity import Action, Identity, Role, Scope, Visibility
from pypiserve.core.project_patterns import EVERYTHING, Reach, matches

__all__ = ["Claim", "Standings", "claims_in", "claims_on_server", "rights_of"]


@dataclass(frozen=True)
class Claim:
    """
    One reason for which somebody has a role.

    Attributes:
        role: Which.
        because: The reason, for people: ``granted to team:acme/devs on acme/pypi``.
        projects: A pattern of the projects for which it holds; ``None`` for all of the index.
        is_everybodys: Whether a request without credentials has it too: no scope takes that away.
    """

    role: Role
    because: str
    projects: str | None = None
    is_everybodys: bool = False

    def covers(self, project: NormalizedName | None) -> bool:
        """Tell whether it holds for a project, or for all when there is none."""
        return self.projects is None or (project is not None and matches(self.projects, project))


@dataclass(frozen=True)
class Standings:
    """
    What the catalog says of whoever asks.

    Attributes:
        anyone: Of every request.
        signed_in: Of everybody who is signed in; ``None`` for a request without credentials.
        own: Of the identity itself and its teams; likewise.
    """

    anyone: Standing
    signed_in: Standing | None = None
    own: Standing | None = None

    @property
    def is_disabled(self) -> bool:
        """Whether the identity's account was closed."""
        return self.own is not None and self.own.is_disabled


def claims_in(index: IndexRecord, identity: Identity, standings: Standings) -> list[Claim]:
    """Return every reason for which an identity has a role in an index."""
    claims: list[Claim] = []
    if index.visibility is Visibility.PUBLIC:
        claims.append(Claim(Role.READER, f"{index.owner} is public", is_everybodys=True))
    claims += _granted(index, standings.anyone, is_everybodys=True)
    if identity.is_anonymous:
        return claims
    if index.visibility is Visibility.INTERNAL:
        claims.append(Claim(Role.READER, f"{index.owner} is internal, and {identity.subject} is signed in"))
    for standing in (standings.signed_in, standings.own):
        if standing is not None:
            claims += _granted(index, standing)
    key = index.owner.casefold()
    claims += [
        Claim(vouched.role, f"{identity.authenticator} vouches for it")
        for vouched in identity.roles
        if vouched.owner.casefold() == key
    ]
    return claims


def claims_on_server(standings: Standings) -> list[Claim]:
    """Return every reason for which an identity has a role on the whole server."""
    known = [(standings.anyone, True), (standings.signed_in, False), (standings.own, False)]
    return [
        _claim(grant, "the whole server", is_everybodys=everybodys)
        for standing, everybodys in known
        if standing is not None
        for grant in standing.by_owner.get(None, ())
    ]


def rights_of(
    identity: Identity, action: Action, claims: Sequence[Claim], *, owner: str | None, index: str | None
) -> Reach:
    """
    Return the projects to which an identity may do something, from its claims and its credential's scopes.

    Args:
        identity: Who asks.
        action: What for.
        claims: In this index, or on the server.
        owner: Name of the index's owner; ``None`` for the server as a whole.
        index: Name of the index; ``None`` for the owner or the server as a whole.
    """
    scopes = _scopes_for(identity, action, owner=owner, index=index)
    parts: set[tuple[str, str]] = set()
    for claim in claims:
        if claim.role.rank < action.needs.rank:
            continue
        allowed: Sequence[Scope] = (_NO_LIMIT,) if claim.is_everybodys else scopes
        for scope in allowed:
            if claim.projects is None and scope.projects is None:
                return EVERYTHING
            parts.add((claim.projects or "*", scope.projects or "*"))
    return Reach(parts=frozenset(parts))


_NO_LIMIT = Scope()


def _scopes_for(identity: Identity, action: Action, *, owner: str | None, index: str | None) -> Sequence[Scope]:
    if identity.scopes is None:
        return (_NO_LIMIT,)
    return [scope for scope in identity.scopes if scope.admits(action, owner=owner, index=index)]


def _granted(index: IndexRecord, standing: Standing, *, is_everybodys: bool = False) -> Iterator[Claim]:
    for grant in standing.by_owner.get(None, ()):
        yield _claim(grant, "the whole server", is_everybodys=is_everybodys)
    for grant in standing.by_owner.get(index.owner_id, ()):
        if grant.index_id is None:
            yield _claim(grant, index.owner, is_everybodys=is_everybodys)
        elif grant.index_id == index.id:
            yield _claim(grant, index.path, is_everybodys=is_everybodys)


def _claim(grant: Grant, place: str, *, is_everybodys: bool) -> Claim:
    where = place if grant.projects is None else f"the projects {grant.projects} of {place}"
    because = f"granted to {grant.subject} on {where}"
    return Claim(grant.role, because, projects=grant.projects, is_everybodys=is_everybodys)
