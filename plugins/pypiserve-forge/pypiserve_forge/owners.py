"""From an organisation on a forge to the owner here, and from what somebody is there to a role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pypiserve.core.errors import InvalidSetting
from pypiserve.core.identity import Role, VouchedRole
from pypiserve.core.names import as_owner_name
from pypiserve_forge.settings import ForgeSettings

__all__ = ["Owners"]

_ALL = "*"


class Owners:
    """
    Who the organisations of one forge are here, by its settings. Names of organisations count in any letter case.

    Attributes:
        listed: The organisations that the settings name, as they name them.
        takes_all: Whether all others are owners here as well.
    """

    def __init__(
        self, name: str, settings: ForgeSettings, *, levels: Mapping[str, Role | None], may_take_all: bool
    ) -> None:
        """
        Read the settings.

        Args:
            name: Name of the authenticator, for messages.
            settings: Of the forge.
            levels: The role for each level of rights there, unless the settings say otherwise; lowest level first.
            may_take_all: Whether ``*`` can be honoured.

        Raises:
            InvalidSetting: A name cannot be that of an owner, or belongs to no organisation that is listed.
        """
        source = f"authenticator {name!r}"
        self.takes_all = _ALL in settings.organisations
        if self.takes_all and not may_take_all:
            problem = "this forge has organisations of everybody, and cannot list those that matter"
            raise InvalidSetting(source, "organisations", problem, "name each organisation")
        self.listed = tuple(name for name in settings.organisations if name != _ALL)
        self._owners = {name.casefold(): name for name in self.listed}
        self._owners |= {organisation.casefold(): owner for organisation, owner in settings.owners.items()}
        self._check(source, settings)
        chosen: Mapping[str, str] = getattr(settings, "roles", {})
        self._roles = {level: _role(chosen[level]) if level in chosen else role for level, role in levels.items()}
        self._order = list(levels)
        self._teams: dict[str, dict[str, Role | None]] = {}
        for team, role in settings.teams.items():
            organisation = self._home_of(source, team)
            self._teams.setdefault(organisation, {})[team.casefold().removeprefix(f"{organisation}/")] = _role(role)

    def owner_of(self, organisation: str) -> str | None:
        """Return the owner that an organisation is here, or ``None`` when it is none."""
        owner = self._owners.get(organisation.casefold())
        if owner is None and self.takes_all and _is_owner_name(organisation):
            return organisation
        return owner

    def role_of(self, level: str) -> Role | None:
        """Return the role for a level of rights on the forge."""
        return self._roles.get(level)

    def highest(self, levels: Iterable[str]) -> str | None:
        """Return the highest of some levels; those that mean nothing here do not count."""
        return max((level for level in levels if level in self._roles), key=self._order.index, default=None)

    def teams_of(self, organisation: str) -> Mapping[str, Role | None]:
        """Return the teams of an organisation to which the settings give a role, in lower case."""
        return self._teams.get(organisation.casefold(), {})

    def vouch(self, organisation: str, roles: Iterable[Role | None]) -> tuple[VouchedRole, ...]:
        """Vouch for the highest of some roles on the owner that an organisation is here, if there is one."""
        highest = max((role for role in roles if role is not None), key=lambda role: role.rank, default=None)
        owner = self.owner_of(organisation)
        return () if owner is None or highest is None else (VouchedRole(owner, highest),)

    def _check(self, source: str, settings: ForgeSettings) -> None:
        known = {name.casefold() for name in self.listed}
        for organisation in settings.owners:
            if not self.takes_all and organisation.casefold() not in known:
                problem = f"{organisation!r} is not among the organisations"
                raise InvalidSetting(source, "owners", problem, "add it there, or remove it here")
        for organisation, owner in self._owners.items():
            if not _is_owner_name(owner):
                problem = f"{owner!r} cannot be the name of an owner"
                raise InvalidSetting(source, "organisations", problem, f"give {organisation} another one in owners")

    def _home_of(self, source: str, team: str) -> str:
        """Return the organisation of a team: of those that are listed the one with the longest name."""
        folded = team.casefold()
        homes = [name.casefold() for name in self.listed if folded.startswith(f"{name.casefold()}/")]
        if not homes and self.takes_all and "/" in folded:
            homes = [folded.partition("/")[0]]
        if not homes or folded.endswith("/"):
            remedy = "write it as ORGANISATION/TEAM, with one of the organisations"
            raise InvalidSetting(source, "teams", f"{team!r} is no team of an organisation that is listed", remedy)
        return max(homes, key=len)


def _role(name: str) -> Role | None:
    return None if name == "none" else Role(name)


def _is_owner_name(text: str) -> bool:
    try:
        as_owner_name(text)
    except ValueError:
        return False
    return True
