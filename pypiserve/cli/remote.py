"""A running server, asked over HTTP, in place of the catalog of a data folder: the same methods, the same records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Self

import msgspec

from pypiserve.catalog.owners import IndexRecord
from pypiserve.cli.remote_accounts import RemoteAccounts, RemoteUsers
from pypiserve.cli.remote_client import RemoteClient, ServerRefusal, path_of
from pypiserve.core.audit import AuditEntry, AuditFilter
from pypiserve.core.identity import Action, Visibility
from pypiserve.core.index_rules import IndexRules
from pypiserve.core.model import ProjectStatus
from pypiserve.services.access import Decision
from pypiserve.services.curation import Doomed, Target
from pypiserve.services.explaining import Brought, Explanation
from pypiserve.services.indexes import changed_rules, rule_values
from pypiserve.services.owners import InvalidName
from pypiserve.services.rights import Claim
from pypiserve.web import shapes

__all__ = ["RemoteCatalog"]


class RemoteCatalog:
    """What administrators do, on a running server; each method raises ``ServerRefusal`` for what is refused."""

    def __init__(self, url: str, token: str) -> None:
        client = RemoteClient(url, token)
        self.accounts = RemoteAccounts(client)
        self.users = RemoteUsers(client)
        self.indexes = RemoteIndexes(client, self.accounts)
        self.curation = RemoteCuration(client)
        self.explaining = RemoteExplaining(client)
        self.audit = RemoteAudit(client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Hold nothing."""


class RemoteIndexes:
    """Indexes and their rules."""

    def __init__(self, client: RemoteClient, accounts: RemoteAccounts) -> None:
        self._client = client
        self._accounts = accounts

    def list_all(self) -> list[IndexRecord]:
        """Return those of the owners that the token administers."""
        owners = self._accounts.owners.list_all()
        return [
            _index(each)
            for owner in owners
            for each in self._client.pages(shapes.Index, path_of("owners", owner.name, "indexes"))
        ]

    def create(self, path: str, given: Mapping[str, str]) -> IndexRecord:
        """Make one, given as ``owner/index``."""
        owner, name = _parts(path)
        body = shapes.NewIndex(name=name, rules=changed_rules(IndexRules(), given))
        return _index(self._client.read(shapes.Index, "POST", path_of("owners", owner, "indexes"), body=body))

    def rules_of(self, path: str) -> IndexRules:
        """Return the rules of one."""
        return self._client.read(shapes.Index, "GET", _index_path(path)).rules

    def change_rules(self, path: str, given: Mapping[str, str], *, reset: Collection[str] = ()) -> IndexRules:
        """Change some rules; return all of them."""
        body = {"rules": rule_values(given), "reset": list(reset)}
        return self._client.read(shapes.Index, "PATCH", _index_path(path), body=body).rules


@dataclass(frozen=True)
class RemoteDeleted:
    """A file that was deleted."""

    project: str
    version: str
    filename: str
    size_bytes: int
    deleted_at: datetime
    is_purged: bool


class RemoteCuration:
    """What is said of projects, releases and files."""

    def __init__(self, client: RemoteClient) -> None:
        self._client = client

    def yank_now(self, index: str, target: Target, reason: str | None = None) -> None:
        """Yank a release or a file in an index, given as ``owner/index``."""
        self._client.ask("PUT", f"{_target(index, target)}/yank", body=shapes.Yank(reason=reason))

    def unyank_now(self, index: str, target: Target) -> None:
        """Take a yank back."""
        self._client.ask("DELETE", f"{_target(index, target)}/yank")

    def delete_now(self, index: str, target: Target) -> Doomed:
        """Delete a project, a release or a file."""
        self._client.ask("DELETE", _target(index, target))
        of_project = self.list_deleted(index, target.project)
        found = [each for each in of_project if target.filename in {None, each[0].filename}]
        # The last deletion comes first.
        gone = [file.filename for file, _ in found if file.deleted_at == found[0][0].deleted_at]
        return Doomed(tuple(sorted(gone)), found[0][1] if found else datetime.now(UTC))

    def restore_now(self, index: str, target: Target) -> tuple[str, ...]:
        """Take the last deletion back; return the names of the files."""
        infix = "/-" if target.version is None else ""
        path = f"{_target(index, target)}{infix}/restore"
        return tuple(self._client.read(shapes.Restored, "POST", path).restored)

    def list_deleted(self, index: str, project: str | None) -> list[tuple[RemoteDeleted, datetime]]:
        """Return deleted files, last deleted first, each with the end of its retention."""
        owner, name = _parts(index)
        path = path_of("packages", owner, *([name, project] if project else []))
        more = {} if project else {"type": name}
        return [_deleted(each) for each in self._client.pages(shapes.DeletedFile, path, deleted=True, **more)]

    def set_status(self, index: str, project: str, status: ProjectStatus, *, reason: str | None = None) -> None:
        """Mark a project."""
        path = f"{_target(index, Target(project))}/-/status"
        self._client.ask("PUT", path, body=shapes.Status(status=status, reason=reason))


class RemoteExplaining:
    """Why somebody may do something."""

    def __init__(self, client: RemoteClient) -> None:
        self._client = client

    def explain(self, subject: str, action: Action, target: str, *, brought: Brought | None = None) -> Explanation:
        """
        Explain what a subject may do, by what the server's catalog says.

        Raises:
            InvalidName: What a credential would bring along was asked about, which the server does not take.
        """
        if brought is not None and (brought.roles or brought.scopes or brought.token_id):
            raise InvalidName("Vouched roles and scopes are explained beside the data folder only; leave them out")
        query = {"subject": subject, "action": action.value, "target": target}
        found = self._client.read(shapes.Explanation, "GET", "/explain", query=query)
        problem = found.refusal
        refusal = None if problem is None else ServerRefusal(0, problem.code, problem.message)
        claims = [Claim(each.role, each.because) for each in found.claims]
        return Explanation(Decision(refusal, claims=claims), found.teams)


class RemoteAudit:
    """Who did what."""

    def __init__(self, client: RemoteClient) -> None:
        self._client = client

    def read(self, wanted: AuditFilter, *, limit: int | None) -> Iterator[AuditEntry]:
        """Yield the newest lines, newest first; all of them without a limit."""
        return islice(self._all(wanted), limit)

    def _all(self, wanted: AuditFilter) -> Iterator[AuditEntry]:
        query: dict[str, Any] = {**msgspec.to_builtins(wanted), "limit": 100}
        while True:
            found, headers = self._client.with_headers("/audit", query)
            yield from msgspec.convert(found, list[AuditEntry])
            _, _, rest = headers.get("Link", "").partition("before=")
            if not rest:
                return
            query["before"] = rest.partition(">")[0].partition("&")[0]


def _parts(path: str) -> tuple[str, str]:
    owner, slash, name = path.partition("/")
    if not slash or not owner or not name:
        raise InvalidName(f"{path!r} is no OWNER/INDEX")
    return owner, name


def _index_path(path: str) -> str:
    owner, name = _parts(path)
    return path_of("owners", owner, "indexes", name)


def _index(found: shapes.Index) -> IndexRecord:
    return IndexRecord(0, found.owner, found.name, Visibility.PRIVATE, rules=found.rules)


def _target(index: str, target: Target) -> str:
    owner, name = _parts(index)
    path = path_of("packages", owner, name, target.project)
    if target.version is not None:
        path += path_of(target.version)
    return path if target.filename is None else path + path_of("files", target.filename)


def _deleted(found: shapes.DeletedFile) -> tuple[RemoteDeleted, datetime]:
    file = RemoteDeleted(
        found.name, found.version, found.filename, found.size, found.deleted_at, found.restorable_until is None
    )
    return file, found.restorable_until or found.deleted_at
