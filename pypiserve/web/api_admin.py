"""What the addresses for administration share: whom they are open to, and who works for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pypiserve.catalog.owners import OwnerRecord
from pypiserve.core.identity import Action
from pypiserve.services.administration import Administration
from pypiserve.services.token_authority import Caretaker
from pypiserve.web.api import ApiHandler
from pypiserve.web.shapes import PageQuery

__all__ = ["AdminHandler", "CareHandler", "OwnerAdminHandler", "ServerAdminHandler"]

T = TypeVar("T")


class AdminHandler(ApiHandler):
    """Hands work to the blocking services."""

    @property
    def services(self) -> Administration:
        """The services of administrators."""
        return self.site.administration

    async def do(self, work: Callable[[], T]) -> T:
        """
        Let a service work in a thread; the next answer of this process knows of what it changed.

        Raises:
            PypiserveError: What it raises.
        """
        done = await asyncio.get_running_loop().run_in_executor(self.site.administrators, work)
        await self.site.follower.catch_up()
        return done

    def send_part(self, items: Sequence[Any], write: Callable[[Any], Any], query: PageQuery | None = None) -> None:
        """Send the page of a whole list that the query, read by now or not, asks for."""
        query = query or self.read_query(PageQuery)
        limit = query.length
        self.set_page_headers(query.page, limit, len(items))
        self.send_json([write(item) for item in items[(query.page - 1) * limit : query.page * limit]])


class CareHandler(AdminHandler):
    """Is open to everybody who is signed in: the services of tokens and robots decide by who asks."""

    @property
    def caretaker(self) -> Caretaker:
        """Who asks."""
        return Caretaker(self.actor, self.identity)


class OwnerAdminHandler(AdminHandler):
    """Is open to those who may do something to an owner, with all its indexes."""

    owner: OwnerRecord
    """The owner of the request."""

    async def authorise(self, action: Action) -> None:
        """Find out who asks, and whether they may do this to the owner of the address."""
        await self.identify()
        self.owner = await self.site.directory.authorise_owner(self.identity, action, owner=self._named.owner)


class ServerAdminHandler(AdminHandler):
    """Is open to those who may do something to the server."""

    async def authorise(self, action: Action) -> None:
        """Find out who asks, and whether they may do this to what belongs to no owner."""
        await self.identify()
        await self.site.directory.authorise_on_server(self.identity, action)
