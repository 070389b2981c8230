"""``/api/v1/grants`` and ``/api/v1/owners/{owner}/grants``: who has which role, and where."""

from __future__ import annotations

from pypiserve.catalog.grants import GrantRecord, Place
from pypiserve.core.identity import Action, Role
from pypiserve.services.grants import PlaceNames
from pypiserve.web.api_admin import AdminHandler, OwnerAdminHandler, ServerAdminHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import requires
from pypiserve.web.shapes import Grant, GrantPlace, NewGrant, NewServerGrant, PageQuery, ServerGrantPlace

__all__ = ["OwnerGrantsHandler", "ServerGrantsHandler"]


class _GrantsHandler(AdminHandler):
    """Gives and takes roles."""

    async def give(self, subject: str, role: Role, at: PlaceNames) -> None:
        """Give a role, and tell of it."""
        grants = self.services.accounts.grants
        place = await self.do(lambda: grants.grant(subject, role, at, by=self.actor))
        self.send_json(_granted(subject, role, place))

    async def take(self, subject: str, at: PlaceNames) -> None:
        """Take a role away."""
        await self.do(lambda: self.services.accounts.grants.withdraw(subject, at, by=self.actor))
        self.send_nothing()


class OwnerGrantsHandler(_GrantsHandler, OwnerAdminHandler):
    """The roles on an owner, its indexes and projects."""

    @requires(Action.ADMINISTER)
    @operation(list[Grant], query=PageQuery)
    async def get(self) -> None:
        """List the roles on an owner, its indexes and projects."""
        self.send_part(await self.do(lambda: self.services.accounts.grants.list_on(self.owner.name)), _grant)

    head = get

    @requires(Action.ADMINISTER)
    @operation(Grant, body=NewGrant)
    async def put(self) -> None:
        """Give a role on an owner, or on an index or a pattern of projects there."""
        new = self.read_body(NewGrant)
        await self.give(new.subject, new.role, PlaceNames(self.owner.name, new.index, new.projects))

    @requires(Action.ADMINISTER)
    @operation(query=GrantPlace)
    async def delete(self) -> None:
        """Take the role away that a subject was given at this very place."""
        at = self.read_query(GrantPlace)
        await self.take(at.subject, PlaceNames(self.owner.name, at.index, at.projects))


class ServerGrantsHandler(_GrantsHandler, ServerAdminHandler):
    """All roles; giving and taking those on the whole server."""

    @requires(Action.ADMINISTER_SERVER)
    @operation(list[Grant], query=PageQuery)
    async def get(self) -> None:
        """List all roles, wherever they hold."""
        self.send_part(await self.do(self.services.accounts.grants.list_all), _grant)

    head = get

    @requires(Action.ADMINISTER_SERVER)
    @operation(Grant, body=NewServerGrant)
    async def put(self) -> None:
        """Give a role on the whole server."""
        new = self.read_body(NewServerGrant)
        await self.give(new.subject, new.role, PlaceNames())

    @requires(Action.ADMINISTER_SERVER)
    @operation(query=ServerGrantPlace)
    async def delete(self) -> None:
        """Take a role on the whole server away."""
        await self.take(self.read_query(ServerGrantPlace).subject, PlaceNames())


def _grant(record: GrantRecord) -> Grant:
    return Grant(
        subject=record.subject, role=record.role, owner=record.owner, index=record.index, projects=record.projects
    )


def _granted(subject: str, role: Role, place: Place) -> Grant:
    return Grant(
        subject=subject,
        role=role,
        owner=place.owner.name if place.owner else None,
        index=place.index.name if place.index else None,
        projects=place.projects,
    )
