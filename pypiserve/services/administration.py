"""What administrators do, whoever asks: the command line beside the data, or a request. Blocking services."""

from __future__ import annotations

from dataclasses import dataclass

from pypiserve.services.accounts import Accounts
from pypiserve.services.audit import Audit
from pypiserve.services.explaining import Explaining
from pypiserve.services.indexes import Indexes
from pypiserve.services.users import Users

__all__ = ["Administration"]


@dataclass(frozen=True)
class Administration:
    """The services; whether somebody may use them was decided before."""

    accounts: Accounts
    indexes: Indexes
    explaining: Explaining
    audit: Audit
    users: Users
