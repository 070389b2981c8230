"""``/api/v1/robots``: accounts of no person, which own tokens."""

from __future__ import annotations

from typing import Any

from pypiserve.catalog.robots import RobotRecord
from pypiserve.web.api_admin import CareHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import signed_in
from pypiserve.web.shapes import NewRobot, Robot, RobotChange, RobotChanged, RobotsQuery

__all__ = ["RobotHandler", "RobotsHandler"]


class RobotsHandler(CareHandler):
    """The robots of an owner, or all; making one."""

    @signed_in
    @operation(list[Robot], query=RobotsQuery)
    async def get(self) -> None:
        """List the robots of an owner that you administer or, for administrators, all."""
        query, robots, by = self.read_query(RobotsQuery), self.services.accounts.robots, self.caretaker
        owner = query.owner
        found = await self.do(lambda: robots.list_all(by=by) if owner is None else robots.list_of(owner, by=by))
        self.send_part(found, _robot, query)

    head = get

    @signed_in
    @operation(Robot, status=201, body=NewRobot)
    async def post(self) -> None:
        """Make a robot without roles and tokens."""
        new, robots, by = self.read_body(NewRobot), self.services.accounts.robots, self.caretaker
        made = await self.do(lambda: robots.create(new.name, owner=new.owner, description=new.description, by=by))
        self.send_json(_robot(made), status=201)


class RobotHandler(CareHandler):
    """One robot."""

    @signed_in
    @operation(Robot)
    async def get(self, robot: str) -> None:
        """Tell of a robot."""
        by = self.caretaker
        self.send_json(_robot(await self.do(lambda: self.services.accounts.robots.find(robot, by=by))))

    head = get

    @signed_in
    @operation(RobotChanged, body=RobotChange)
    async def patch(self, robot: str) -> None:
        """Refuse all tokens of a robot from now on, or no more."""
        given, robots, by = self.read_body(RobotChange), self.services.accounts.robots, self.caretaker
        changed = await self.do(lambda: robots.set_disabled(robot, disabled=given.disabled, by=by))
        found = await self.do(lambda: robots.find(robot, by=by))
        self.send_json(RobotChanged(changed=changed, **_facts(found)))

    @signed_in
    @operation()
    async def delete(self, robot: str) -> None:
        """Delete a robot with its roles, and revoke its tokens."""
        by = self.caretaker
        await self.do(lambda: self.services.accounts.robots.delete(robot, by=by))
        self.send_nothing()


def _robot(record: RobotRecord) -> Robot:
    return Robot(**_facts(record))


def _facts(record: RobotRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "subject": record.subject,
        "owner": record.owner,
        "description": record.description,
        "created_at": record.created_at,
        "created_by": record.created_by,
        "disabled_at": record.disabled_at,
    }
