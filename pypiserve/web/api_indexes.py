"""``/api/v1/owners/{owner}/indexes``: the indexes of an owner, and their rules."""

from __future__ import annotations

from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.identity import Action
from pypiserve.web.api_admin import OwnerAdminHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import requires
from pypiserve.web.shapes import Index, NewIndex, PageQuery, RulesChange

__all__ = ["IndexHandler", "IndexesHandler"]


class IndexesHandler(OwnerAdminHandler):
    """The indexes of an owner; making one."""

    @requires(Action.ADMINISTER)
    @operation(list[Index], query=PageQuery)
    async def get(self) -> None:
        """List the indexes of an owner, by name, with the rules that are not the default."""
        self.send_part(await self.do(lambda: self.services.indexes.list_of(self.owner.name)), _index)

    head = get

    @requires(Action.ADMINISTER)
    @operation(Index, status=201, body=NewIndex)
    async def post(self) -> None:
        """Make a further index of an owner."""
        new = self.read_body(NewIndex)
        path = f"{self.owner.name}/{new.name}"
        made = await self.do(lambda: self.services.indexes.make(path, new.rules, by=self.actor))
        self.send_json(_index(made), status=201)


class IndexHandler(OwnerAdminHandler):
    """One index."""

    @property
    def path(self) -> str:
        """``owner/index``."""
        return f"{self.owner.name}/{self._named.name}"

    @requires(Action.ADMINISTER)
    @operation(Index)
    async def get(self) -> None:
        """Tell of an index."""
        self.send_json(_index(await self.do(lambda: self.services.indexes.find(self.path))))

    head = get

    @requires(Action.ADMINISTER)
    @operation(Index, body=RulesChange)
    async def patch(self) -> None:
        """Change some rules of an index, all or none."""
        given = self.read_body(RulesChange)
        rules = await self.do(
            lambda: self.services.indexes.change(self.path, given.values(), reset=given.reset, by=self.actor)
        )
        self.send_json(Index(owner=self.owner.name, name=self._named.name, rules=rules))


def _index(record: IndexRecord) -> Index:
    return Index(owner=record.owner, name=record.name, rules=record.rules)
