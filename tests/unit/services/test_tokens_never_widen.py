"""A token never may more than its subject may at the time, nor more than the credential with which it was made."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from token_parts import accounts, bearer, caretaker, database, populated

from pypiserve.catalog import owners
from pypiserve.catalog.database import Database
from pypiserve.core.errors import PypiserveError
from pypiserve.core.identity import Action, Identity, Role, Scope
from pypiserve.core.names import normalise
from pypiserve.services.access import Extent, Question, decide, decide_on_server
from pypiserve.services.accounts import Accounts
from pypiserve.services.grants import PlaceNames
from pypiserve.services.token_authority import standings_now
from pypiserve.services.token_terms import TokenTerms

__all__ = ["accounts", "database", "populated"]

_SCOPES = st.builds(
    Scope,
    owner=st.sampled_from([None, "acme", "other"]),
    index=st.sampled_from([None, "pypi"]),
    projects=st.sampled_from([None, "*", "acme-*", "acme-core"]),
    actions=st.none() | st.frozensets(st.sampled_from(Action), min_size=1),
)
_CHANGES = st.sampled_from(
    [{}, {"owner": None}, {"index": None}, {"projects": None}, {"projects": "acme-core"}, {"actions": None}]
)


@st.composite
def held_and_wanted(draw: st.DrawFn) -> tuple[list[Scope] | None, list[Scope] | None]:
    """Return the scopes of a credential, and others that are nearly these, or quite others, or none."""
    held = draw(st.none() | st.lists(_SCOPES, min_size=1, max_size=2))
    near = st.sampled_from(held) if held else _SCOPES
    changed = st.builds(lambda scope, change: replace(scope, **change), near, _CHANGES)
    return held, draw(st.none() | st.lists(changed | _SCOPES, min_size=1, max_size=2))


_PLACES = st.sampled_from(
    [PlaceNames(), PlaceNames("acme"), PlaceNames("acme", "pypi"), PlaceNames("acme", projects="acme-*")]
)
_GRANTS = st.lists(
    st.tuples(
        st.sampled_from(["htpasswd:alice", "robot:ci", "signed-in"]),
        st.sampled_from([role for role in Role if role is not Role.ADMINISTRATOR]),
        _PLACES,
    ),
    max_size=3,
)
_ASKED = [*Extent, normalise("acme-core"), normalise("other")]

Power = tuple[str, Action, object]


def powers_of(identity: Identity, database: Database) -> set[Power]:
    """Return all that somebody may."""
    standings = database.read_now(lambda connection: standings_now(connection, identity))
    found: set[Power] = set()
    for owner, action in product(("acme", "other"), Action):
        index = database.read_now(partial(owners.find_index, owner=owner, index="pypi"))
        for of in _ASKED:
            if decide(Question(identity, standings, action, index, f"{owner}/pypi", of)).is_allowed:
                found.add((owner, action, of))
        if decide_on_server(identity, standings, action).is_allowed:
            found.add(("", action, ""))
    return found


def take_back(accounts: Accounts) -> None:
    """Withdraw all roles and tokens."""
    for grant in accounts.grants.list_all():
        accounts.grants.withdraw(grant.subject, PlaceNames(grant.owner, grant.index, grant.projects))
    for token in accounts.tokens.list_all():
        if token.revoked_at is None:
            accounts.tokens.revoke(token.token_id)


def test_a_token_never_widens(accounts: Accounts, database: Database) -> None:
    """Whoever makes one, with whatever credential and wish; and it loses at once what its subject loses."""
    accounts.create_owner("other", public=False)

    @settings(max_examples=60)
    @given(grants=_GRANTS, scopes=held_and_wanted(), subject=st.sampled_from(["htpasswd:alice", "robot:ci"]))
    def never_widens(
        grants: list[tuple[str, Role, PlaceNames]],
        scopes: tuple[list[Scope] | None, list[Scope] | None],
        subject: str,
    ) -> None:
        held, wanted = scopes
        take_back(accounts)
        for grantee, role, place in [(subject, Role.OWNER, PlaceNames()), *grants]:
            accounts.grants.grant(grantee, role, place)
        limits = None if held is None else tuple(held)
        maker = Identity("htpasswd", "alice", scopes=limits)
        try:
            made = accounts.tokens.create("new", subject, TokenTerms(wanted), by=caretaker(maker))
        except PypiserveError:
            return
        authenticator, _, name = subject.partition(":")
        whose = Identity(authenticator, name)
        may = powers_of(bearer(made), database)
        assert may <= powers_of(whose, database)
        assert may <= powers_of(replace(whose, scopes=limits), database)
        take_back(accounts)
        assert powers_of(bearer(made), database) == set()

    never_widens()
