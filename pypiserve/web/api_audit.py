"""``/api/v1/audit`` and ``/api/v1/explain``: who did what, and why somebody may do something."""

from __future__ import annotations

from collections.abc import Sequence

from pypiserve.catalog.grants import TEAM_PREFIX
from pypiserve.catalog.owners import OwnerRecord
from pypiserve.core.audit import AuditEntry
from pypiserve.core.errors import PermissionDenied
from pypiserve.core.identity import Action
from pypiserve.services.audit import Position
from pypiserve.web.api_admin import AdminHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import requires
from pypiserve.web.shapes import AuditQuery, Claim, ExplainQuery, Explanation, Problem

__all__ = ["AuditHandler", "ExplainHandler"]


class AuditHandler(AdminHandler):
    """The audit: that of an owner for those who administer it, the whole one for those of the server."""

    async def authorise(self, action: Action) -> None:
        """Find out who asks, and whether they may do this to the owner of the query, or to the server."""
        await self.identify()
        owner = self.read_query(AuditQuery).owner
        if owner is None:
            await self.site.directory.authorise_on_server(self.identity, Action.ADMINISTER_SERVER)
        else:
            await self.site.directory.authorise_owner(self.identity, action, owner=owner)

    @requires(Action.ADMINISTER)
    @operation(list[AuditEntry], query=AuditQuery)
    async def get(self) -> None:
        """Tell who did what, newest first: to an owner, or everywhere."""
        query = self.read_query(AuditQuery)
        before = None if query.before is None else Position(*map(int, query.before.split("-")))
        await self.site.failures.write()
        found = await self.do(lambda: self.services.audit.page(query, before=before, limit=query.length))
        if found.next is not None:
            self.set_header("Link", f'<{self.address_with(before="-".join(map(str, found.next)))}>; rel="next"')
        self.send_json(found.entries)

    head = get


class ExplainHandler(AdminHandler):
    """The decision, asked for somebody."""

    owner: OwnerRecord
    """The owner of the target."""

    async def authorise(self, action: Action) -> None:
        """Find out who asks, and whether they administer the owner of the target."""
        await self.identify()
        owner = self.read_query(ExplainQuery).target.partition("/")[0]
        self.owner = await self.site.directory.authorise_owner(self.identity, action, owner=owner)

    @requires(Action.ADMINISTER)
    @operation(Explanation, query=ExplainQuery)
    async def get(self) -> None:
        """Say whether a subject may do something, and what makes it so."""
        query = self.read_query(ExplainQuery)
        found = await self.do(lambda: self.services.explaining.explain(query.subject, query.action, query.target))
        refusal = found.decision.refusal
        self.send_json(
            Explanation(
                allowed=refusal is None,
                refusal=None if refusal is None else Problem(code=refusal.code, message=str(refusal)),
                teams=await self._to_be_told(found.teams),
                claims=[Claim(role=claim.role, because=claim.because) for claim in found.decision.claims],
            )
        )

    head = get

    async def _to_be_told(self, teams: Sequence[str]) -> list[str]:
        """Leave the teams of other owners out: who administers this one may not know of them."""
        try:
            await self.site.directory.authorise_on_server(self.identity, Action.ADMINISTER_SERVER)
        except PermissionDenied:
            prefix = f"{TEAM_PREFIX}{self.owner.name.casefold()}/"
            return [team for team in teams if team.startswith(prefix)]
        return list(teams)
