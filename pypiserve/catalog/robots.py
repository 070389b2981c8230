"""Robots: accounts of no person."""

from __future__ import annotations

from sqlalchemy import Connection, select

from pypiserve.catalog.schema import robots

__all__ = ["robot_exists"]


def robot_exists(connection: Connection, name: str) -> bool:
    """Tell whether there is a robot of this name, closed or not."""
    return connection.execute(select(robots.c.id).where(robots.c.name == name)).first() is not None
