"""Robots: accounts of no person."""

from __future__ import annotations

import pytest
from token_parts import ALICE, BOB, ROOT, accounts, caretaker, database, names, populated

from pypiserve.catalog import journal
from pypiserve.catalog.database import Database
from pypiserve.core.errors import AuthenticationFailed, NotFound, OwnerMoved, PermissionDenied, PypiserveError
from pypiserve.core.events import EventKind
from pypiserve.core.identity import ANONYMOUS, Identity, Role
from pypiserve.services.accounts import Accounts
from pypiserve.services.grants import PlaceNames
from pypiserve.services.owners import InvalidName, NameTaken
from pypiserve.services.token_terms import TokenTerms

__all__ = ["accounts", "database", "populated"]


@pytest.mark.parametrize(
    ("maker", "owner", "refusal"),
    [
        (ALICE, "acme", NotFound),
        (ALICE, "none", NotFound),
        (ALICE, None, PermissionDenied),
        (BOB, "ACME", None),
        (BOB, "none", NotFound),
        (BOB, None, PermissionDenied),
        (ROOT, "acme", None),
        (ROOT, None, None),
        (ROOT, "none", NotFound),
        (ANONYMOUS, "acme", AuthenticationFailed),
        (ANONYMOUS, "none", AuthenticationFailed),
        (ANONYMOUS, None, AuthenticationFailed),
    ],
)
def test_who_may_make_a_robot_where(
    accounts: Accounts, maker: Identity, owner: str | None, refusal: type[PypiserveError] | None
) -> None:
    """An owner's administrators for it, the server's everywhere; what is hidden sounds like what is missing."""
    by = caretaker(maker)
    if refusal is not None:
        with pytest.raises(refusal):
            accounts.robots.create("new", owner=owner, by=by)
        with pytest.raises(refusal):
            accounts.robots.list_of(owner, by=by) if owner else accounts.robots.list_all(by=by)
        return
    made = accounts.robots.create("new", owner=owner, description="nightly builds", by=by)
    assert (made.subject, made.owner) == ("robot:new", "Acme" if owner else None)
    assert (made.description, made.created_by, made.disabled_at) == ("nightly builds", maker.subject, None)
    listed = accounts.robots.list_of(owner, by=by) if owner else accounts.robots.list_all(by=by)
    assert made in listed


def test_a_robot_is_changed_by_who_administers_it(accounts: Accounts) -> None:
    """To all others it is not there."""
    for by in (caretaker(ALICE), caretaker(Identity("robot", "ci"))):
        for change in (
            lambda by=by: accounts.robots.set_disabled("ci", disabled=True, by=by),
            lambda by=by: accounts.robots.delete("ci", by=by),
            lambda by=by: accounts.robots.find("ci", by=by),
        ):
            with pytest.raises(NotFound, match="The robot ci"):
                change()
    assert accounts.robots.set_disabled("ci", disabled=True, by=caretaker(BOB))
    assert not accounts.robots.set_disabled("ci", disabled=True, by=caretaker(BOB))
    assert accounts.robots.find("ci", by=caretaker(ROOT)).disabled_at is not None
    assert accounts.robots.set_disabled("ci", disabled=False, by=caretaker(BOB))
    assert accounts.robots.find("ci").disabled_at is None


def test_a_deleted_robot_leaves_nothing(accounts: Accounts) -> None:
    """Its roles, its places in teams and its tokens go with it, and its name is nobody else's."""
    accounts.teams.create("acme", "bots")
    accounts.teams.add("acme", "bots", "robot:ci")
    accounts.grants.grant("robot:ci", Role.PUBLISHER, PlaceNames("acme"))
    made = accounts.tokens.create("job", "robot:ci", TokenTerms())
    accounts.robots.delete("ci", by=caretaker(BOB))
    assert accounts.tokens.find_by_secret(made.secret).revoked_at is not None
    assert [grant.subject for grant in accounts.grants.list_on("acme")] == [BOB.subject]
    assert [members for _, members in accounts.teams.list_of("acme")] == [[]]
    assert names(accounts.tokens.list_of("robot:ci")) == ["job"]
    with pytest.raises(NameTaken, match="existed"):
        accounts.robots.create("ci", owner="acme")
    with pytest.raises(NotFound):
        accounts.grants.grant("robot:ci", Role.READER, PlaceNames("acme"))


def test_a_robot_that_never_signed_in_leaves_its_name(accounts: Accounts) -> None:
    """Nothing was done as it."""
    accounts.robots.delete("ci")
    assert accounts.robots.create("ci", owner=None).owner is None


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a-", "a/b", "a:b", "x" * 65, "ü", "a\n"])
def test_bad_names_are_refused(accounts: Accounts, name: str) -> None:
    """In a sentence that says what a name is."""
    with pytest.raises(InvalidName, match="no name for a robot"):
        accounts.robots.create(name, owner="acme")


def test_slips_of_the_pen_are_told(accounts: Accounts) -> None:
    """A name that is taken, an owner that is called otherwise now, a description of several lines."""
    accounts.owners.rename("acme", "corp")
    assert accounts.robots.find("ci").owner == "corp"
    for name, owner, description, refusal in (
        ("ci", "corp", "", NameTaken),
        ("x", "acme", "", OwnerMoved),
        ("x", "corp", "a\nb", InvalidName),
    ):
        with pytest.raises(refusal):
            accounts.robots.create(name, owner=owner, description=description)


def test_each_change_is_an_event(accounts: Accounts, database: Database) -> None:
    """With the robot as the detail, under its owner."""
    accounts.robots.set_disabled("ci", disabled=True, by=caretaker(BOB))
    accounts.robots.set_disabled("ci", disabled=False, by=caretaker(BOB))
    accounts.robots.delete("ci", by=caretaker(BOB))
    events = database.read_now(lambda connection: journal.since(connection, 0))[-3:]
    kinds = [EventKind.ROBOT_DISABLED, EventKind.ROBOT_ENABLED, EventKind.ROBOT_DELETED]
    assert [event.kind for event in events] == kinds
    assert {(event.subject, event.owner, event.detail) for event in events} == {(BOB.subject, "Acme", "robot:ci")}
    assert all(event.kind.changes_rights for event in events)
