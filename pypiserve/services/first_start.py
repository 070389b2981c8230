"""The first start in an empty folder: an owner with its index, and a token for its administrator."""

from __future__ import annotations

from pypiserve.core.identity import Role
from pypiserve.services.accounts import Accounts, NewToken

__all__ = ["FIRST_OWNER", "prepare_first_start"]

FIRST_OWNER = "main"
_TOKEN_NAME = "administrator"  # noqa: S105 - the name of the token, which everybody may know


def prepare_first_start(accounts: Accounts, *, owner: str, public: bool, make_token: bool) -> NewToken | None:
    """
    Make what a catalog without owners lacks; do nothing to any other.

    Args:
        accounts: The catalog's accounts.
        owner: Name of the first owner.
        public: Whether everybody may read what it publishes.
        make_token: Whether somebody would recognise an API token.

    Returns:
        The administrator's token, to be shown once; ``None`` when nothing was made.
    """
    if accounts.list_owners():
        return None
    accounts.create_owner(owner, public=public)
    if not make_token:
        return None
    return accounts.create_token(_TOKEN_NAME, Role.ADMINISTRATOR, owner=None)
