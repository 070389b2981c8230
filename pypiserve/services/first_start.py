"""What every start makes sure of: an owner with its index, its privacy, and at first an administrator's token."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass

from pypiserve.core.identity import Visibility
from pypiserve.services.accounts import Accounts, NewToken
from pypiserve.services.owners import NameTaken

__all__ = ["FIRST_OWNER", "Prepared", "prepare_start"]

_log = logging.getLogger("pypiserve")

FIRST_OWNER = "main"
_TOKEN_NAME = "administrator"  # noqa: S105 - the name of the token, which everybody may know


@dataclass(frozen=True)
class Prepared:
    """
    How a start found the catalog, or left it.

    Attributes:
        first_token: The administrator's token, to be shown once; ``None`` when none was made.
        is_private: Whether reading the owner's indexes takes credentials.
    """

    first_token: NewToken | None
    is_private: bool


def prepare_start(accounts: Accounts, *, owner: str, private: bool, make_token: bool) -> Prepared:
    """
    Make what a catalog without owners lacks, and make the owner private if the settings say so.

    ``private`` works in one direction only: what the command line made private stays so.

    Args:
        accounts: The catalog's accounts.
        owner: Name of the owner whose index is also at the host's root.
        private: Whether reading must take credentials.
        make_token: Whether somebody would recognise an API token.
    """
    with contextlib.suppress(NameTaken):
        token_name = _TOKEN_NAME if make_token else None
        return Prepared(accounts.create_first_owner(owner, public=not private, token_name=token_name), private)
    record = accounts.owners.find(owner)
    if record is None:
        _log.warning("There is no owner %s; make it with: pypiserve owner create %s", owner, owner)
        return Prepared(None, private)
    if private and record.visibility is Visibility.PUBLIC:
        accounts.owners.set_visibility(record.name, Visibility.PRIVATE)
        _log.info("Made the owner %s private, as the settings say", owner)
    return Prepared(None, private or record.visibility is not Visibility.PUBLIC)
