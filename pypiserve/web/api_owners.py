"""``/api/v1/owners``: owners, their names and who may read what they publish."""

from __future__ import annotations

from collections.abc import Sequence

from pypiserve.catalog.owners import OwnerRecord
from pypiserve.core.identity import Action
from pypiserve.web.api_admin import AdminHandler, OwnerAdminHandler, ServerAdminHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import requires
from pypiserve.web.shapes import NewName, NewOwner, Owner, OwnerVisibility, PageQuery

__all__ = ["OwnerHandler", "OwnerNameHandler", "OwnersHandler"]


class OwnersHandler(AdminHandler):
    """The owners that somebody administers; making one."""

    owners: Sequence[OwnerRecord] = ()

    async def authorise(self, action: Action) -> None:
        """Find out who asks, and which owners that is about."""
        await self.identify()
        if action is Action.ADMINISTER_SERVER:
            await self.site.directory.authorise_on_server(self.identity, action)
        else:
            self.owners = await self.site.directory.owners_open_to(self.identity, action)

    @requires(Action.ADMINISTER)
    @operation(list[Owner], query=PageQuery)
    async def get(self) -> None:
        """List the owners that you administer, by name."""
        self.send_part(self.owners, _owner)

    head = get

    @requires(Action.ADMINISTER_SERVER)
    @operation(Owner, status=201, body=NewOwner)
    async def post(self) -> None:
        """Make an owner with its index ``pypi``."""
        new = self.read_body(NewOwner)
        owners = self.services.accounts.owners
        await self.do(lambda: owners.create(new.name, new.visibility, kind=new.kind, by=self.actor))
        self.send_json(Owner(name=new.name, kind=new.kind, visibility=new.visibility), status=201)


class OwnerHandler(OwnerAdminHandler):
    """One owner."""

    @requires(Action.ADMINISTER)
    @operation(Owner)
    async def get(self) -> None:
        """Tell of an owner."""
        self.send_json(_owner(self.owner))

    head = get

    @requires(Action.ADMINISTER)
    @operation(Owner, body=OwnerVisibility)
    async def patch(self) -> None:
        """Say who may read without a grant."""
        given, name = self.read_body(OwnerVisibility).visibility, self.owner.name
        await self.do(lambda: self.services.accounts.owners.set_visibility(name, given, by=self.actor))
        self.send_json(Owner(name=name, kind=self.owner.kind, visibility=given))


class OwnerNameHandler(ServerAdminHandler):
    """The name of an owner. It takes names from others, and so the right to the server."""

    @requires(Action.ADMINISTER_SERVER)
    @operation(body=NewName)
    async def put(self) -> None:
        """Give an owner another name; addresses with the old one lead to it for reading."""
        name, new = self._named.owner, self.read_body(NewName).name
        await self.do(lambda: self.services.accounts.owners.rename(name, new, by=self.actor))
        self.send_nothing()


def _owner(record: OwnerRecord) -> Owner:
    return Owner(name=record.name, kind=record.kind, visibility=record.visibility)
