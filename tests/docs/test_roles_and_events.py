"""The tables of roles, refusals and events say what the code does."""

from __future__ import annotations

import dataclasses

import pytest
from access_matrix import COLUMNS, TABLE
from doc_pages import page, section, tables

from pypiserve.catalog.grants import Standing
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import PypiserveError
from pypiserve.core.events import Event, EventKind
from pypiserve.core.identity import ANONYMOUS, ANYONE, SIGNED_IN, Action, Identity, Role, Visibility
from pypiserve.services.access import Question, decide
from pypiserve.services.rights import Standings
from pypiserve.web.problems import status_of

_ALICE = Identity("htpasswd", "alice")


def test_roles_may_do_what_the_table_says() -> None:
    """Each role has a row, and each action a column, with the answer that the code gives."""
    rows = tables(section(page("reference/roles.md"), "## What a role may do"))
    expected = [
        [f"`{role}`", *("yes" if role.rank >= action.needs.rank else "no" for action in Action)] for role in Role
    ]
    assert rows == expected


def test_subjects_are_those_of_the_code() -> None:
    """The table of subjects names those that stand for many."""
    rows = tables(section(page("reference/roles.md"), "## Who has a role"))
    assert [row[0].strip("`") for row in rows] == [
        "AUTHENTICATOR:NAME",
        "team:OWNER/NAME",
        "robot:NAME",
        SIGNED_IN,
        ANYONE,
    ]


@pytest.mark.parametrize("row", tables(section(page("reference/roles.md"), "## What a refusal looks like")))
def test_refusals_are_as_the_table_says(row: list[str], readable: IndexRecord, hidden: IndexRecord) -> None:
    """Who may not publish gets the status in the table, by who asks and whether the index may be read."""
    identity = ANONYMOUS if row[0].startswith("nobody") else _ALICE
    refusal = _refusal(identity, Action.PUBLISH, readable if row[1] == "yes" else hidden)
    assert refusal is not None
    assert status_of(refusal) == int(row[2][:3])


def test_the_page_has_the_table_that_is_asked_over_http() -> None:
    """Word for word; copy it from tests/integration/access_matrix.py when it has changed there."""
    text = section(page("reference/roles.md"), "## All of it in one table")
    assert TABLE in text
    assert [column for column in COLUMNS if f"\n- *{column}*: " not in text] == []


def test_private_and_missing_sound_the_same(hidden: IndexRecord) -> None:
    """To a stranger the refusal is one sentence, whether the index is private or missing."""
    refusals = [_refusal(ANONYMOUS, Action.READ, index) for index in (hidden, None)]
    assert str(refusals[0]) == str(refusals[1]) != "None"


@pytest.fixture
def readable() -> IndexRecord:
    """A public index."""
    return _index(Visibility.PUBLIC)


@pytest.fixture
def hidden() -> IndexRecord:
    """A private index."""
    return _index(Visibility.PRIVATE)


def _index(visibility: Visibility) -> IndexRecord:
    return IndexRecord(1, "main", "pypi", visibility)


def _refusal(identity: Identity, action: Action, index: IndexRecord | None) -> PypiserveError | None:
    nothing = Standing()
    standings = Standings(nothing) if identity.is_anonymous else Standings(nothing, nothing, nothing)
    return decide(Question(identity, standings, action, index, "main/pypi")).refusal


def test_every_event_kind_is_listed() -> None:
    """The table has each kind of event, in the order of the code."""
    rows = tables(section(page("reference/events.md"), "## Kinds"))
    assert [row[0].strip("`") for row in rows] == [kind.value for kind in EventKind]


def test_every_field_of_an_event_is_listed() -> None:
    """So does the table of fields."""
    rows = tables(section(page("reference/events.md"), "## Fields"))
    assert [row[0].strip("`") for row in rows] == [field.name for field in dataclasses.fields(Event)]
