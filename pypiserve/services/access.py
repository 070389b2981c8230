"""
The one decision: may this identity do this to that?

Project list, project page, file, core metadata and upload all ask here; no handler decides by itself.

- Allowed: by the owner's visibility, by a role granted to the identity's subject, to one of its teams, to everybody
  who is signed in, or to anyone, or by one for which its authenticator vouches; within the scopes of its credential.
- Anonymous and not allowed: 401, for a private index and one that does not exist alike.
- Known, and may do nothing at all there: 404, as if it did not exist.
- Known, may do something there, and not this: 403.
- A rule of the index can make the last two 401 as well, as in Gitea.

Of projects only the name is looked at, so that the answer is the same whether they exist or not.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from packaging.utils import NormalizedName

from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import AccountDisabled, AuthenticationFailed, NotFound, PermissionDenied, PypiserveError
from pypiserve.core.identity import Action, Identity
from pypiserve.core.index_rules import HideAs
from pypiserve.core.model import ProjectFile, ProjectStatus
from pypiserve.core.project_patterns import NOTHING, Reach
from pypiserve.plugin import Deny, ReadPolicy
from pypiserve.services.rights import Claim, Standings, claims_in, claims_on_server, rights_of

__all__ = ["Decision", "Extent", "Question", "decide", "decide_on_server", "refusal_to_publish", "refusal_to_show"]


class Extent(enum.Enum):
    """How much of an index is asked for, when it is not one project."""

    EVERY_PROJECT = "every project"
    """The index as a whole, and all that it has or will have."""
    SOME_PROJECT = "some project"
    """At least one: whoever asks heeds the reach of the decision, or asks again when the project is known."""


@dataclass(frozen=True)
class Question:
    """
    What is decided.

    Attributes:
        identity: Who asks.
        standings: What the catalog says of it.
        action: What for.
        index: Where, or ``None`` when there is no index of that name.
        name: The index as it was asked for (``owner/index``), for the sentence.
        of: Which project, or how much of the index.
    """

    identity: Identity
    standings: Standings
    action: Action
    index: IndexRecord | None
    name: str
    of: NormalizedName | Extent = Extent.EVERY_PROJECT


@dataclass(frozen=True)
class Decision:
    """
    Yes or no, and why.

    Attributes:
        refusal: The error that refuses; ``None`` to allow.
        reach: The projects to which the identity may do this.
        claims: What speaks for the identity there, enough or not.
        is_known: Whether it may know that there is such an index.
    """

    refusal: PypiserveError | None
    reach: Reach = NOTHING
    claims: Sequence[Claim] = ()
    is_known: bool = False

    @property
    def is_allowed(self) -> bool:
        """Whether it may."""
        return self.refusal is None


def decide(question: Question) -> Decision:
    """Decide whether an identity may do something in an index."""
    index, identity = question.index, question.identity
    if question.standings.is_disabled:
        return Decision(_closed(identity))
    if index is None:
        return Decision(_hidden(question))
    claims = claims_in(index, identity, question.standings)
    reach = _reach(question, index, claims, question.action)
    if _suffices(reach, question.of):
        return Decision(None, reach, claims, is_known=True)
    known = [_reach(question, index, claims, action) for action in Action]
    is_known = any(_suffices(each, Extent.SOME_PROJECT) for each in known)
    if not is_known:
        refusal = _hidden(question)
    elif question.action is not Action.PUBLISH and _is_out_of_sight(question.of, known):
        refusal = _hidden_project(question, index, question.of)
    else:
        refusal = _forbidden(question, index, claims)
    if index.rules.hide_as is HideAs.CHALLENGE and not isinstance(refusal, AuthenticationFailed):
        refusal = AuthenticationFailed(f"{_capital(str(refusal))}; sign in as somebody who may")
    return Decision(refusal, reach, claims, is_known=is_known)


def decide_on_server(identity: Identity, standings: Standings, action: Action) -> Decision:
    """Decide whether an identity may do something that belongs to no owner."""
    if standings.is_disabled:
        return Decision(_closed(identity))
    claims = claims_on_server(standings)
    reach = rights_of(identity, action, claims, owner=None, index=None)
    if reach.everything:
        return Decision(None, reach, claims, is_known=True)
    if identity.is_anonymous:
        return Decision(AuthenticationFailed(f"Sign in: it takes the role {action.needs.value} of the server"))
    refusal = PermissionDenied(
        f"{identity.subject} may not do this: it takes the role {action.needs.value} of the whole server; "
        "ask an administrator"
    )
    return Decision(refusal, claims=claims)


def _reach(question: Question, index: IndexRecord, claims: Sequence[Claim], action: Action) -> Reach:
    return rights_of(question.identity, action, claims, owner=index.owner, index=index.name or None)


def _is_out_of_sight(of: NormalizedName | Extent, known: Sequence[Reach]) -> TypeGuard[NormalizedName]:
    """Tell whether it is a project of which nothing may be known. Who publishes one has named it, and may make it."""
    return isinstance(of, str) and not any(reach.covers(of) for reach in known)


def _suffices(reach: Reach, of: NormalizedName | Extent) -> bool:
    if of is Extent.SOME_PROJECT:
        return bool(reach)
    return reach.everything if isinstance(of, Extent) else reach.covers(of)


def _closed(identity: Identity) -> PypiserveError:
    return AccountDisabled(f"The account {identity.subject} is disabled; ask an administrator")


def _hidden(question: Question) -> PypiserveError:
    if question.identity.is_anonymous:
        # One sentence for both cases: whether a private index exists is not a stranger's business.
        return AuthenticationFailed(f"No public index {question.name} is here; if it is private, sign in")
    return NotFound(f"The index {question.name}")


def _hidden_project(question: Question, index: IndexRecord, project: NormalizedName) -> PypiserveError:
    if question.identity.is_anonymous:
        return AuthenticationFailed(f"No public project {project} is in {question.name}; if it is private, sign in")
    # As the services say it of a project that is missing.
    return NotFound(f"The project {project} in {index.path}")


def _forbidden(question: Question, index: IndexRecord, claims: Sequence[Claim]) -> PypiserveError:
    action, name, identity = question.action, question.name, question.identity
    if identity.is_anonymous:
        return AuthenticationFailed(f"Sign in to {action.value} in {name}: it takes the role {action.needs.value}")
    unlimited = replace(question, identity=replace(identity, scopes=None))
    if _suffices(_reach(unlimited, index, claims, action), question.of):
        return PermissionDenied(
            f"This credential of {identity.subject} may not {action.value} in {name}; use one whose scopes allow it"
        )
    where = f"the project {question.of} in {name}" if isinstance(question.of, str) else name
    if isinstance(question.of, str) and not any(claim.covers(question.of) for claim in claims):
        return PermissionDenied(
            f"{identity.subject} may not {action.value} to {where}; "
            f"ask an administrator for the role {action.needs.value} of that project"
        )
    role = _highest(claims, question.of)
    return PermissionDenied(
        f"{identity.subject} is {role} of {where} and may not {action.value} there; "
        f"ask an administrator for the role {action.needs.value}"
    )


def _highest(claims: Sequence[Claim], of: NormalizedName | Extent) -> str:
    project = of if isinstance(of, str) else None
    roles = [claim.role for claim in claims if claim.covers(project)]
    if roles:
        return max(roles, key=lambda role: role.rank).value
    return max((claim.role for claim in claims), key=lambda role: role.rank).value + " of some projects"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def refusal_to_show(
    policies: Sequence[ReadPolicy],
    index: IndexRecord,
    status: ProjectStatus,
    project: NormalizedName,
    file: ProjectFile,
) -> Deny | None:
    """
    Decide whether a file is shown to those who may read its index.

    The page leaves out what is not shown, and neither the file nor its metadata can be fetched.
    """
    if status is ProjectStatus.QUARANTINED:
        return Deny("project-quarantined", f"The project {project} is quarantined and its files are withheld")
    for policy in policies:
        refusal = policy.judge(index.owner, index.name, project, file)
        if refusal is not None:
            return refusal
    return None


def refusal_to_publish(project: NormalizedName, status: ProjectStatus) -> PermissionDenied | None:
    """Decide whether a project takes new files. Spec: PEP 792, archived and quarantined take none."""
    if status in {ProjectStatus.ARCHIVED, ProjectStatus.QUARANTINED}:
        return PermissionDenied(
            f"The project {project} is {status.value} and takes no new files; "
            "an administrator can make it active again"
        )
    return None
