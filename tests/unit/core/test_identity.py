"""Identities, and what their credentials are limited to."""

from __future__ import annotations

import pytest

from pypiserve.core.identity import ANONYMOUS, ANYONE, Action, Identity, Role, Scope, VouchedRole
from pypiserve.core.names import normalise

CORE = normalise("acme-core")


@pytest.mark.parametrize(
    ("scope", "admitted"),
    [
        (Scope(), True),
        (Scope(owner="ACME"), True),
        (Scope(owner="other"), False),
        (Scope(index="pypi"), True),
        (Scope(index="staging"), False),
        (Scope(actions=frozenset({Action.READ, Action.PUBLISH})), True),
        (Scope(actions=frozenset({Action.READ})), False),
        (Scope(actions=frozenset()), False),
        (Scope("acme", "pypi", "acme-*", frozenset({Action.PUBLISH})), True),
    ],
)
def test_every_limit_of_a_scope_holds(scope: Scope, admitted: bool) -> None:  # noqa: FBT001 - a table
    """Owners compare in any letter case; what is not limited is open."""
    assert scope.admits(Action.PUBLISH, owner="Acme", index="pypi") == admitted


def test_a_scope_of_an_owner_does_not_reach_beyond_it() -> None:
    """The server as a whole is in no owner and in no index."""
    assert Scope().admits(Action.ADMINISTER_SERVER, owner=None, index=None)
    assert not Scope(owner="acme").admits(Action.ADMINISTER_SERVER, owner=None, index=None)
    assert not Scope(index="pypi").admits(Action.ADMINISTER, owner="acme", index=None)


def test_a_scope_of_projects_knows_them_by_name() -> None:
    """A pattern admits the names it stands for."""
    assert Scope(projects="acme-*").admits_project(CORE)
    assert not Scope(projects="other-*").admits_project(CORE)
    assert Scope().admits_project(CORE)


def test_identities_are_equal_when_they_may_do_the_same() -> None:
    """A display name decides nothing; roles, scopes and the credential do. All can be keys of a table."""
    alice = Identity("forge", "42")
    others = {
        Identity("forge", "43"),
        Identity("forge", "42", roles=(VouchedRole("acme", Role.READER),)),
        Identity("forge", "42", scopes=(Scope("acme"),)),
        Identity("forge", "42", scopes=()),
        Identity("forge", "42", credential="abc"),
    }
    assert alice == Identity("forge", "42", display_name="alice")
    assert hash(alice) == hash(Identity("forge", "42", display_name="alice"))
    assert alice not in others
    assert len(others) == 5


def test_subjects_are_spelt_as_in_grants() -> None:
    """What an identity brings along is no part of who it is."""
    assert Identity("forge", "42", "alice", (VouchedRole("acme", Role.OWNER),)).subject == "forge:42"
    assert ANONYMOUS.subject == ANYONE


def test_roles_rise() -> None:
    """Each role is above the one before it."""
    assert [role.rank for role in Role] == [0, 1, 2, 3, 4]
