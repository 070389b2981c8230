"""The one decision: roles, visibility, scopes, and which refusal whom."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from pypiserve.catalog.grants import Grant, Standing
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.digests import Sha256
from pypiserve.core.errors import AccountDisabled, AuthenticationFailed, NotFound, PermissionDenied, PypiserveError
from pypiserve.core.identity import (
    ANONYMOUS,
    ANYONE,
    SIGNED_IN,
    Action,
    Identity,
    Role,
    Scope,
    Visibility,
    VouchedRole,
)
from pypiserve.core.index_rules import HideAs, IndexRules
from pypiserve.core.model import ProjectFile, ProjectStatus
from pypiserve.core.names import normalise
from pypiserve.plugin import Deny, ReadPolicy
from pypiserve.services.access import (
    Decision,
    Extent,
    Question,
    decide,
    decide_on_server,
    refusal_to_publish,
    refusal_to_show,
)
from pypiserve.services.rights import Standings
from pypiserve.testing import a_clock

ALICE = Identity("htpasswd", "alice")
TEAM = "team:acme/devs"
READER, PUBLISHER, MAINTAINER, OWNER, ADMINISTRATOR = Role
PUBLIC, INTERNAL, PRIVATE = Visibility
ACME = IndexRecord(7, "Acme", "pypi", PRIVATE, owner_id=3)
CORE, OTHER = normalise("acme-core"), normalise("other")


def on_acme(subject: str, role: Role, projects: str | None = None) -> Grant:
    """Grant a role on the owner of the index."""
    return Grant(subject, role, owner_id=3, projects=projects)


def standing(*grants: Grant) -> Standing:
    """Make what the catalog says of a subject."""
    by_owner: dict[int | None, list[Grant]] = {}
    for grant in grants:
        by_owner.setdefault(grant.owner_id, []).append(grant)
    return Standing(by_owner)


def ask(
    identity: Identity,
    action: Action,
    *grants: Grant,
    index: IndexRecord | None = ACME,
    of: NormalizedName | Extent = Extent.EVERY_PROJECT,
) -> Decision:
    """Decide, with the grants dealt out by their subjects."""

    def of_subject(*subjects: str) -> Standing:
        return standing(*(grant for grant in grants if grant.subject in subjects))

    standings = Standings(of_subject(ANYONE))
    if not identity.is_anonymous:
        standings = Standings(of_subject(ANYONE), of_subject(SIGNED_IN), of_subject(identity.subject, TEAM))
    return decide(Question(identity, standings, action, index, "acme/pypi", of))


def allowed(identity: Identity, *grants: Grant, index: IndexRecord = ACME) -> list[Action]:
    """Return what an identity may do in the whole index."""
    return [action for action in Action if ask(identity, action, *grants, index=index).is_allowed]


def actions_of(role: Role | None) -> list[Action]:
    """Return what a role may do."""
    return [] if role is None else [action for action in Action if role.rank >= action.needs.rank]


@pytest.mark.parametrize(
    ("visibility", "grants", "anonymous", "alice"),
    [
        (PRIVATE, [], None, None),
        (INTERNAL, [], None, READER),
        (PUBLIC, [], READER, READER),
        (PRIVATE, [on_acme(ANYONE, READER)], READER, READER),
        (PRIVATE, [on_acme(ANYONE, PUBLISHER)], PUBLISHER, PUBLISHER),
        (PRIVATE, [on_acme(SIGNED_IN, PUBLISHER)], None, PUBLISHER),
        (PUBLIC, [on_acme(SIGNED_IN, PUBLISHER)], READER, PUBLISHER),
        (INTERNAL, [on_acme(ALICE.subject, OWNER)], None, OWNER),
        (PRIVATE, [on_acme(ALICE.subject, READER)], None, READER),
        (PRIVATE, [on_acme(TEAM, MAINTAINER), on_acme(ALICE.subject, READER)], None, MAINTAINER),
        (PRIVATE, [on_acme("token:alice", PUBLISHER), on_acme("htpasswd:bob", PUBLISHER)], None, None),
        (PRIVATE, [Grant(ALICE.subject, ADMINISTRATOR)], None, ADMINISTRATOR),
        (PRIVATE, [Grant(ALICE.subject, PUBLISHER)], None, PUBLISHER),
        (PRIVATE, [Grant(ALICE.subject, OWNER, owner_id=4)], None, None),
        (PRIVATE, [Grant(ALICE.subject, PUBLISHER, owner_id=3, index_id=7)], None, PUBLISHER),
        (PRIVATE, [Grant(ALICE.subject, PUBLISHER, owner_id=3, index_id=8)], None, None),
    ],
)
def test_the_highest_role_holds(
    visibility: Visibility, grants: list[Grant], anonymous: Role | None, alice: Role | None
) -> None:
    """Visibility and grants add up; what was granted elsewhere, or to a namesake, is nobody's here."""
    index = replace(ACME, visibility=visibility)
    assert allowed(ANONYMOUS, *grants, index=index) == actions_of(anonymous)
    assert allowed(ALICE, *grants, index=index) == actions_of(alice)


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
        expected = held.rank >= role.rank
        refusal = ask(ALICE, action, on_acme(ALICE.subject, held)).refusal
        assert (refusal is None) if expected else type(refusal) is PermissionDenied
        refusal = ask(ANONYMOUS, action, on_acme(ANYONE, held)).refusal
        assert (refusal is None) if expected else type(refusal) is AuthenticationFailed


@pytest.mark.parametrize(("identity", "kind"), [(ANONYMOUS, AuthenticationFailed), (ALICE, NotFound)])
@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("of", [Extent.EVERY_PROJECT, Extent.SOME_PROJECT, CORE])
def test_a_private_index_and_none_are_refused_alike(
    identity: Identity, kind: type, action: Action, of: NormalizedName | Extent
) -> None:
    """Whether a private index exists is not a stranger's business: same error, same sentence."""
    decisions = [ask(identity, action, index=index, of=of) for index in (ACME, None)]
    assert {type(decision.refusal) for decision in decisions} == {kind}
    assert len({str(decision.refusal) for decision in decisions}) == 1
    assert not any(decision.is_known for decision in decisions)


@pytest.mark.parametrize("role", [role for role in Role if role is not ADMINISTRATOR])
@pytest.mark.parametrize("owner", ["acme", "ACME"])
def test_what_an_authenticator_vouches_for_holds(role: Role, owner: str) -> None:
    """A forge's organisation is the owner of that name, in any letter case, and no other."""
    vouched = replace(ALICE, roles=(VouchedRole(owner, role), VouchedRole("other", OWNER)))
    assert allowed(vouched) == actions_of(role)


def test_vouched_roles_do_not_follow_from_part_of_a_name() -> None:
    """An organisation whose name begins alike is another one."""
    assert allowed(replace(ALICE, roles=(VouchedRole("acme-evil", OWNER), VouchedRole("", OWNER)))) == []


def test_a_closed_account_may_nothing() -> None:
    """Not even what everybody may: its credentials are as good as wrong."""
    standings = Standings(Standing(), Standing(), Standing(is_disabled=True))
    question = Question(ALICE, standings, Action.READ, replace(ACME, visibility=PUBLIC), "acme/pypi")
    assert type(decide(question).refusal) is AccountDisabled
    assert type(decide_on_server(ALICE, standings, Action.ADMINISTER_SERVER).refusal) is AccountDisabled


# Projects.

_PART = on_acme(ALICE.subject, PUBLISHER, "acme-*")


@pytest.mark.parametrize(
    ("of", "action", "kind"),
    [
        (CORE, Action.READ, None),
        (CORE, Action.PUBLISH, None),
        (CORE, Action.DELETE, PermissionDenied),
        (OTHER, Action.READ, NotFound),
        (OTHER, Action.PUBLISH, PermissionDenied),
        (OTHER, Action.DELETE, NotFound),
        (Extent.SOME_PROJECT, Action.READ, None),
        (Extent.SOME_PROJECT, Action.PUBLISH, None),
        (Extent.SOME_PROJECT, Action.DELETE, PermissionDenied),
        (Extent.EVERY_PROJECT, Action.READ, PermissionDenied),
        (Extent.EVERY_PROJECT, Action.ADMINISTER, PermissionDenied),
    ],
)
def test_a_grant_on_projects_reaches_no_further(
    of: NormalizedName | Extent, action: Action, kind: type[PypiserveError] | None
) -> None:
    """Other projects of the index look missing, and what is about all of them is refused."""
    refusal = ask(ALICE, action, _PART, of=of).refusal
    assert (None if refusal is None else type(refusal)) == kind


def test_a_project_out_of_reach_sounds_like_one_that_is_missing() -> None:
    """The sentence is that of the services for a project that the index has not."""
    assert str(ask(ALICE, Action.READ, _PART, of=OTHER).refusal) == "The project other in Acme/pypi was not found"


def test_who_may_not_publish_a_project_is_told_so() -> None:
    """It is new, or somebody else's: that it was not found would help nobody, and the name alone decides."""
    assert str(ask(ALICE, Action.PUBLISH, _PART, of=OTHER).refusal) == (
        "htpasswd:alice may not publish to the project other in acme/pypi; "
        "ask an administrator for the role publisher of that project"
    )


def test_strangers_are_asked_to_sign_in_for_what_is_not_open() -> None:
    """Where anybody may read some projects, the others ask for credentials, whether they exist or not."""
    grant = on_acme(ANYONE, READER, "acme-*")
    assert ask(ANONYMOUS, Action.READ, grant, of=CORE).is_allowed
    assert type(ask(ANONYMOUS, Action.READ, grant, of=OTHER).refusal) is AuthenticationFailed


def test_the_reach_is_what_is_granted_and_in_scope() -> None:
    """Lists are cut to the projects of both."""
    scoped = replace(ALICE, scopes=(Scope(projects="*-core"), Scope(owner="other")))
    reach = ask(scoped, Action.READ, _PART, on_acme(TEAM, READER, "tools-*"), of=Extent.SOME_PROJECT).reach
    names = ["acme-core", "acme-gui", "tools-core", "tools-x", "x-core"]
    assert [name for name in names if reach.covers(NormalizedName(name))] == ["acme-core", "tools-core"]


# Scopes.


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (None, [Action.READ, Action.PUBLISH, Action.YANK]),
        ((), []),
        ((Scope(),), [Action.READ, Action.PUBLISH, Action.YANK]),
        ((Scope(owner="acme", actions=frozenset({Action.READ})),), [Action.READ]),
        ((Scope(actions=frozenset({Action.DELETE})),), []),
        ((Scope(index="staging"),), []),
        ((Scope(index="staging"), Scope(actions=frozenset({Action.PUBLISH}))), [Action.PUBLISH]),
        ((Scope(projects="*"),), []),
    ],
)
def test_scopes_narrow(scopes: tuple[Scope, ...] | None, expected: list[Action]) -> None:
    """One scope must admit what is done; a scope of projects, even of all, is none of the index as a whole."""
    assert allowed(replace(ALICE, scopes=scopes), on_acme(ALICE.subject, PUBLISHER)) == expected


def test_a_credential_out_of_scope_does_not_know_the_index() -> None:
    """Who finds a token for one owner learns nothing of others; where it is good for something, it is told 403."""
    grant = on_acme(ALICE.subject, PUBLISHER)
    elsewhere = replace(ALICE, scopes=(Scope(owner="other"),))
    assert type(ask(elsewhere, Action.READ, grant).refusal) is NotFound
    for_publishing = replace(ALICE, scopes=(Scope(actions=frozenset({Action.PUBLISH})),))
    refusal = ask(for_publishing, Action.READ, grant).refusal
    assert type(refusal) is PermissionDenied
    assert "scopes" in str(refusal)


def test_what_is_open_to_everybody_is_open_to_any_credential() -> None:
    """To leave the credential out would be enough."""
    limited = replace(ALICE, scopes=(Scope(owner="other"),))
    assert allowed(limited, index=replace(ACME, visibility=PUBLIC)) == [Action.READ]
    assert allowed(limited, index=replace(ACME, visibility=INTERNAL)) == []


_SCOPES = st.builds(
    Scope,
    owner=st.sampled_from([None, "acme", "other"]),
    index=st.sampled_from([None, "pypi", "staging"]),
    projects=st.sampled_from([None, "*", "acme-*", "other"]),
    actions=st.none() | st.frozensets(st.sampled_from(Action)),
)
_SUBJECTS = st.sampled_from([ANYONE, SIGNED_IN, ALICE.subject, TEAM])
_GRANTS = st.builds(
    Grant,
    subject=_SUBJECTS,
    role=st.sampled_from(Role),
    owner_id=st.sampled_from([None, 3, 4]),
    index_id=st.sampled_from([None, 7, 8]),
    projects=st.sampled_from([None, "acme-*", "other"]),
)
_OF = st.sampled_from([Extent.EVERY_PROJECT, Extent.SOME_PROJECT, CORE, OTHER])


@given(
    grants=st.lists(_GRANTS, max_size=4),
    scopes=st.lists(_SCOPES, max_size=3),
    visibility=st.sampled_from(Visibility),
    vouched=st.none() | st.sampled_from([READER, OWNER]),
    action=st.sampled_from(Action),
    of=_OF,
)
def test_a_scope_never_widens(
    *,
    grants: list[Grant],
    scopes: list[Scope],
    visibility: Visibility,
    vouched: Role | None,
    action: Action,
    of: NormalizedName | Extent,
) -> None:
    """Whatever a limited credential may, the identity may without; whatever anonymous may, both may."""
    index = replace(ACME, visibility=visibility)
    whole = replace(ALICE, roles=(VouchedRole("acme", vouched),) if vouched else ())
    limited = replace(whole, scopes=tuple(scopes))
    by_whole = ask(whole, action, *grants, index=index, of=of)
    by_limited = ask(limited, action, *grants, index=index, of=of)
    by_nobody = ask(ANONYMOUS, action, *grants, index=index, of=of)
    assert by_nobody.is_allowed <= by_limited.is_allowed <= by_whole.is_allowed
    assert by_nobody.is_known <= by_limited.is_known <= by_whole.is_known
    for project in (CORE, OTHER):
        covers = [decision.reach.covers(project) for decision in (by_nobody, by_limited, by_whole)]
        assert covers == sorted(covers)


@given(grants=st.lists(_GRANTS, max_size=4), visibility=st.sampled_from(Visibility), of=_OF)
def test_a_right_to_more_is_a_right_to_less(
    *, grants: list[Grant], visibility: Visibility, of: NormalizedName | Extent
) -> None:
    """Actions rise with the roles that they need."""
    index = replace(ACME, visibility=visibility)
    answers = [ask(ALICE, action, *grants, index=index, of=of).is_allowed for action in Action]
    assert answers == sorted(answers, reverse=True)


# Gitea's way, and the server.


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("grants", [[], [on_acme(ALICE.subject, READER)], [_PART]])
def test_an_index_can_ask_for_other_credentials_always(action: Action, grants: list[Grant]) -> None:
    """Every refusal is a challenge then, as in Gitea; what is allowed is allowed."""
    index = replace(ACME, rules=IndexRules(hide_as=HideAs.CHALLENGE))
    usual = ask(ALICE, action, *grants).refusal
    refusal = ask(ALICE, action, *grants, index=index).refusal
    assert (None if usual is None else AuthenticationFailed) == (None if refusal is None else type(refusal))


@pytest.mark.parametrize("role", list(Role))
def test_the_server_is_for_its_administrators(role: Role) -> None:
    """A lower role on the server is one on every owner; an owner's grant says nothing of the server."""
    for action in Action:
        own = standing(Grant(ALICE.subject, role), on_acme(ALICE.subject, OWNER))
        decision = decide_on_server(ALICE, Standings(Standing(), Standing(), own), action)
        assert decision.is_allowed == (role.rank >= action.needs.rank)
        assert decision.is_allowed or type(decision.refusal) is PermissionDenied
    refusal = decide_on_server(ANONYMOUS, Standings(Standing()), Action.ADMINISTER_SERVER).refusal
    assert type(refusal) is AuthenticationFailed


def test_a_scope_of_an_owner_does_not_administer_the_server() -> None:
    """A token for one owner is none for what belongs to none."""
    own = Standings(Standing(), Standing(), standing(Grant(ALICE.subject, ADMINISTRATOR)))
    for scope, expected in ((Scope(), True), (Scope(owner="acme"), False), (Scope(projects="*"), False)):
        limited = replace(ALICE, scopes=(scope,))
        assert decide_on_server(limited, own, Action.ADMINISTER_SERVER).is_allowed == expected


def test_a_decision_names_what_made_it() -> None:
    """Each claim has its role and its reason."""
    decision = ask(ALICE, Action.READ, on_acme(TEAM, MAINTAINER, "acme-*"), Grant(SIGNED_IN, READER))
    assert {(claim.role, claim.because) for claim in decision.claims} == {
        (READER, "granted to signed-in on the whole server"),
        (MAINTAINER, "granted to team:acme/devs on the projects acme-* of Acme"),
    }


# Policies and status.


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
            [_Named(first), _Named(second)], ACME, ProjectStatus.ACTIVE, normalise("demo"), file
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
    assert (refusal_to_show([], ACME, status, normalise("demo"), file) is None) == shown
    assert (refusal_to_publish(normalise("demo"), status) is None) == published
