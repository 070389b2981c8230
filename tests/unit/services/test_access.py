"""The one decision: roles, visibility, and which refusal whom."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.digests import Sha256
from pypiserve.core.errors import AuthenticationFailed, NotFound, PermissionDenied
from pypiserve.core.identity import ANONYMOUS, ANYONE, SIGNED_IN, Action, Identity, Role
from pypiserve.core.model import ProjectFile, ProjectStatus
from pypiserve.core.names import normalise
from pypiserve.plugin import Deny, ReadPolicy
from pypiserve.services.access import decide, refusal_to_publish, refusal_to_show, role_of
from pypiserve.testing import a_clock

ALICE = Identity("htpasswd", "alice")
READER, PUBLISHER, MAINTAINER, OWNER, ADMINISTRATOR = Role
ROLES = st.none() | st.sampled_from(Role)


def an_index(*, public: bool = False, **roles: Role) -> IndexRecord:
    """Make an index; keywords are subjects, with ``_`` for ``:``."""
    special = {"anyone": ANYONE, "signed_in": SIGNED_IN}
    subjects = {special.get(name, name.replace("_", ":")): role for name, role in roles.items()}
    return IndexRecord(1, "Acme", "pypi", public, subjects)


@pytest.mark.parametrize(
    ("index", "anonymous", "alice"),
    [
        (an_index(), None, None),
        (an_index(public=True), READER, READER),
        (an_index(anyone=READER), READER, READER),
        (an_index(anyone=PUBLISHER), PUBLISHER, PUBLISHER),
        (an_index(signed_in=PUBLISHER), None, PUBLISHER),
        (an_index(public=True, signed_in=PUBLISHER), READER, PUBLISHER),
        (an_index(htpasswd_alice=READER), None, READER),
        (an_index(htpasswd_alice=READER, signed_in=ADMINISTRATOR), None, ADMINISTRATOR),
        (an_index(public=True, htpasswd_alice=PUBLISHER), READER, PUBLISHER),
        (an_index(token_alice=PUBLISHER, htpasswd_bob=PUBLISHER), None, None),
    ],
)
def test_the_highest_role_holds(index: IndexRecord, anonymous: Role | None, alice: Role | None) -> None:
    """Visibility and grants add up; a grant to a namesake of another authenticator is nobody's."""
    assert role_of(ANONYMOUS, index) is anonymous
    assert role_of(ALICE, index) is alice


@pytest.mark.parametrize(
    ("action", "role"),
    [
        (Action.READ, READER),
        (Action.PUBLISH, PUBLISHER),
        (Action.YANK, PUBLISHER),
        (Action.DELETE, MAINTAINER),
        (Action.ADMINISTER, OWNER),
        (Action.ADMINISTER_SERVER, ADMINISTRATOR),
    ],
)
def test_each_action_takes_its_role(action: Action, role: Role) -> None:
    """A role includes those before it; who may read and not do this is told 403, and anonymous to sign in."""
    for held in Role:
        allowed = held.rank >= role.rank
        refusal = decide(ALICE, action, an_index(htpasswd_alice=held), name="acme/pypi")
        assert (refusal is None) if allowed else type(refusal) is PermissionDenied
        refusal = decide(ANONYMOUS, action, an_index(anyone=held), name="acme/pypi")
        assert (refusal is None) if allowed else type(refusal) is AuthenticationFailed


@pytest.mark.parametrize(("identity", "kind"), [(ANONYMOUS, AuthenticationFailed), (ALICE, NotFound)])
@pytest.mark.parametrize("action", list(Action))
def test_a_private_index_and_none_are_refused_alike(identity: Identity, kind: type, action: Action) -> None:
    """Whether a private index exists is not a stranger's business: same error, same sentence."""
    refusals = [decide(identity, action, index, name="acme/pypi") for index in (an_index(), None)]
    assert {type(refusal) for refusal in refusals} == {kind}
    assert len({str(refusal) for refusal in refusals}) == 1


@given(public=st.booleans(), anyone=ROLES, signed_in=ROLES, alice=ROLES)
def test_signing_in_never_takes_a_right_away(
    *,
    public: bool,
    anyone: Role | None,
    signed_in: Role | None,
    alice: Role | None,
) -> None:
    """Whatever anonymous may do, every identity may; and a right to more is a right to less."""
    given_roles = {"anyone": anyone, "signed_in": signed_in, "htpasswd_alice": alice}
    index = an_index(public=public, **{name: role for name, role in given_roles.items() if role is not None})
    for action in Action:
        if decide(ANONYMOUS, action, index, name="x") is None:
            assert decide(ALICE, action, index, name="x") is None
    allowed = [decide(ALICE, action, index, name="x") is None for action in Action]
    assert allowed == sorted(allowed, reverse=True)


class _Named(ReadPolicy):
    """A read policy that denies one file."""

    def __init__(self, filename: str) -> None:
        self._filename = filename

    def judge(self, owner: str, index: str, project: str, file: ProjectFile) -> Deny | None:
        """Compare the name."""
        return Deny("named", f"{owner}/{index}/{project}") if file.filename == self._filename else None


def test_any_denial_of_a_read_policy_withholds() -> None:
    """All policies are asked with the owner's true name; one denial is enough."""
    file = ProjectFile("a.whl", "/a.whl", Sha256("0" * 64), 1, a_clock()())
    for first, second in product(("a.whl", "b.whl"), repeat=2):
        refusal = refusal_to_show(
            [_Named(first), _Named(second)], an_index(), ProjectStatus.ACTIVE, normalise("demo"), file
        )
        assert (refusal is None) == ("a.whl" not in {first, second})
        assert refusal is None or refusal.reason == "Acme/pypi/demo"


@pytest.mark.parametrize(
    ("status", "shown", "published"),
    [
        (ProjectStatus.ACTIVE, True, True),
        (ProjectStatus.DEPRECATED, True, True),
        (ProjectStatus.ARCHIVED, True, False),
        (ProjectStatus.QUARANTINED, False, False),
    ],
)
def test_what_a_status_allows(status: ProjectStatus, shown: bool, published: bool) -> None:  # noqa: FBT001 - a table
    """PEP 792: archived takes no new files, quarantined shows none either."""
    file = ProjectFile("a.whl", "/a.whl", Sha256("0" * 64), 1, a_clock()())
    assert (refusal_to_show([], an_index(), status, normalise("demo"), file) is None) == shown
    assert (refusal_to_publish(normalise("demo"), status) is None) == published
