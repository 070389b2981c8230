"""
The one decision: may this identity do this to that?

Project list, project page, file, core metadata and upload all ask here; no handler decides by itself.

- Allowed: by the owner's visibility, or by the highest role granted to the identity's subject, to everybody who is
  signed in, or to anyone, on the owner or on the server.
- Anonymous and not allowed: 401, for a private index and one that does not exist alike.
- Known, and may not even read: 404, as if it did not exist.
- Known, may read, and may not do this: 403.
"""

from __future__ import annotations

from collections.abc import Sequence

from packaging.utils import NormalizedName

from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import AuthenticationFailed, NotFound, PermissionDenied, PypiserveError
from pypiserve.core.identity import ANYONE, SIGNED_IN, Action, Identity, Role
from pypiserve.core.model import ProjectFile, ProjectStatus
from pypiserve.plugin import Deny, ReadPolicy

__all__ = ["decide", "refusal_to_publish", "refusal_to_show", "role_of"]


def role_of(identity: Identity, index: IndexRecord) -> Role | None:
    """Return the highest role of an identity in an index, or ``None``."""
    subjects = [ANYONE] if identity.is_anonymous else [ANYONE, SIGNED_IN, identity.subject]
    roles = [index.roles[subject] for subject in subjects if subject in index.roles]
    if index.public:
        roles.append(Role.READER)
    return max(roles, key=lambda role: role.rank, default=None)


def decide(identity: Identity, action: Action, index: IndexRecord | None, *, name: str) -> PypiserveError | None:
    """
    Decide whether an identity may do something in an index.

    Args:
        identity: Who asks.
        action: What for.
        index: The index, or ``None`` when there is none of that name.
        name: The index as it was asked for (``owner/index``), for the sentence.

    Returns:
        ``None`` to allow, or the error that refuses.
    """
    role = role_of(identity, index) if index is not None else None
    if role is not None and role.rank >= action.needs.rank:
        return None
    if identity.is_anonymous:
        if role is not None:
            return AuthenticationFailed(
                f"Sign in to {action.value} in {name}: it takes the role {action.needs.value}"
            )
        # One sentence for both cases: whether a private index exists is not a stranger's business.
        return AuthenticationFailed(f"No public index {name} is here; if it is private, sign in")
    if role is None:
        return NotFound(f"The index {name}")
    return PermissionDenied(
        f"{identity.subject} is {role.value} of {name} and may not {action.value} there; "
        f"ask an administrator for the role {action.needs.value}"
    )


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
