"""``/api/v1/users``: people, and who of them may not come in any more."""

from __future__ import annotations

from pypiserve.catalog.users import UserRecord
from pypiserve.core.identity import Action
from pypiserve.web.api_admin import ServerAdminHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import requires
from pypiserve.web.shapes import PageQuery, User, UserChange, UserChanged

__all__ = ["UsersHandler"]


class UsersHandler(ServerAdminHandler):
    """Whom the catalog knows."""

    @requires(Action.ADMINISTER_SERVER)
    @operation(list[User], query=PageQuery)
    async def get(self) -> None:
        """List the people whom the catalog knows, by subject."""
        query, users = self.read_query(PageQuery), self.services.users
        total = await self.do(users.count)
        offset = (query.page - 1) * query.length
        found = await self.do(lambda: users.list_all(limit=query.length, offset=offset))
        self.set_page_headers(query.page, query.length, total)
        self.send_json([_user(record) for record in found])

    head = get

    @requires(Action.ADMINISTER_SERVER)
    @operation(UserChanged, body=UserChange)
    async def patch(self) -> None:
        """Refuse somebody from now on, with all their credentials, or no more."""
        given, users = self.read_body(UserChange), self.services.users
        change = users.disable if given.disabled else users.enable
        changed = await self.do(lambda: change(given.subject, by=self.actor))
        self.send_json(UserChanged(subject=given.subject, disabled=given.disabled, changed=changed))


def _user(record: UserRecord) -> User:
    return User(
        subject=record.subject,
        display_name=record.display_name,
        created_at=record.created_at,
        last_seen_at=record.last_seen_at,
        disabled_at=record.disabled_at,
    )
