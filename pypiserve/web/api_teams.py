"""``/api/v1/owners/{owner}/teams``: the teams of an owner, and who is in them."""

from __future__ import annotations

from pypiserve.core.identity import Action
from pypiserve.web.api_admin import OwnerAdminHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import requires
from pypiserve.web.shapes import Member, Membership, MembershipQuery, NewTeam, PageQuery, Team

__all__ = ["MembersHandler", "TeamHandler", "TeamsHandler"]


class TeamsHandler(OwnerAdminHandler):
    """The teams of an owner; making one."""

    @requires(Action.ADMINISTER)
    @operation(list[Team], query=PageQuery)
    async def get(self) -> None:
        """List the teams of an owner, by name."""
        found = await self.do(lambda: self.services.accounts.teams.names_of(self.owner.name))
        self.send_part(found, self.team)

    head = get

    @requires(Action.ADMINISTER)
    @operation(Team, status=201, body=NewTeam)
    async def post(self) -> None:
        """Make a team without members."""
        name = self.read_body(NewTeam).name
        await self.do(lambda: self.services.accounts.teams.create(self.owner.name, name, by=self.actor))
        self.send_json(self.team(name), status=201)

    def team(self, name: str) -> Team:
        """Write a team of the owner."""
        return Team(owner=self.owner.name, name=name, subject=f"team:{self.owner.name.casefold()}/{name}")


class TeamHandler(OwnerAdminHandler):
    """One team."""

    @requires(Action.ADMINISTER)
    @operation()
    async def delete(self, team: str) -> None:
        """Delete a team, with the roles that it was given."""
        await self.do(lambda: self.services.accounts.teams.delete(self.owner.name, team, by=self.actor))
        self.send_nothing()


class MembersHandler(OwnerAdminHandler):
    """Who is in a team."""

    @requires(Action.ADMINISTER)
    @operation(list[Member], query=PageQuery)
    async def get(self, team: str) -> None:
        """List the subjects that are in a team."""
        found = await self.do(lambda: self.services.accounts.teams.members_of(self.owner.name, team))
        self.send_part(found, lambda subject: Member(subject=subject))

    head = get

    @requires(Action.ADMINISTER)
    @operation(Membership, query=MembershipQuery)
    async def put(self, team: str) -> None:
        """Add a subject to a team."""
        subject, teams = self.read_query(MembershipQuery).subject, self.services.accounts.teams
        added = await self.do(lambda: teams.add(self.owner.name, team, subject, by=self.actor))
        self.send_json(Membership(subject=subject, added=added))

    @requires(Action.ADMINISTER)
    @operation(query=MembershipQuery)
    async def delete(self, team: str) -> None:
        """Take a subject out of a team."""
        subject, teams = self.read_query(MembershipQuery).subject, self.services.accounts.teams
        await self.do(lambda: teams.remove(self.owner.name, team, subject, by=self.actor))
        self.send_nothing()
