"""API tokens that are somebody's: who may make, see and revoke which."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from token_parts import ALICE, BOB, NOW, READ_ACME, ROOT, accounts, bearer, caretaker, database, names, populated

from pypiserve.catalog import journal
from pypiserve.catalog.database import Database
from pypiserve.core.api_tokens import new_api_token
from pypiserve.core.errors import AccountDisabled, AuthenticationFailed, NotFound, PermissionDenied, PypiserveError
from pypiserve.core.events import EventKind
from pypiserve.core.identity import ANONYMOUS, Action, Identity, Role, Scope, VouchedRole
from pypiserve.services import tokens as tokens_module
from pypiserve.services.accounts import Accounts
from pypiserve.services.grants import PlaceNames
from pypiserve.services.owners import InvalidName, NameTaken
from pypiserve.services.token_authority import BESIDE_THE_DATA
from pypiserve.services.token_terms import InvalidToken, TokenTerms
from pypiserve.services.tokens import TokenAmbiguous, TooManyTokens


@pytest.mark.parametrize(
    ("maker", "subject", "refusal"),
    [
        (ALICE, ALICE.subject, None),
        (ALICE, BOB.subject, PermissionDenied),
        (ALICE, "robot:ci", NotFound),
        (ALICE, "robot:mirror", NotFound),
        (ALICE, "robot:none", NotFound),
        (BOB, BOB.subject, None),
        (BOB, ALICE.subject, PermissionDenied),
        (BOB, "robot:ci", None),
        (BOB, "robot:mirror", NotFound),
        (ROOT, ROOT.subject, None),
        (ROOT, ALICE.subject, None),
        (ROOT, "robot:ci", None),
        (ROOT, "robot:mirror", None),
        (ROOT, "robot:none", NotFound),
        (replace(ALICE, roles=(VouchedRole("ACME", Role.OWNER),)), "robot:ci", None),
        (replace(ALICE, roles=(VouchedRole("acme", Role.MAINTAINER),)), "robot:ci", NotFound),
        (ANONYMOUS, ALICE.subject, AuthenticationFailed),
        (ANONYMOUS, "anyone", AuthenticationFailed),
        (ANONYMOUS, "robot:ci", AuthenticationFailed),
        (ANONYMOUS, "robot:none", AuthenticationFailed),
    ],
)
def test_who_may_make_a_token_for_whom(
    accounts: Accounts, maker: Identity, subject: str, refusal: type[PypiserveError] | None
) -> None:
    """Everybody for themselves, an owner's administrators for its robots, the server's for all. Others see none."""
    if subject not in {"robot:none", "anyone"}:
        accounts.tokens.create("there", subject, TokenTerms())
    if refusal is None:
        made = accounts.tokens.create("new", subject, TokenTerms(), by=caretaker(maker))
        assert (made.subject, made.record.created_by) == (subject, maker.subject)
        assert names(accounts.tokens.list_of(subject, by=caretaker(maker))) == ["new", "there"]
        assert accounts.tokens.revoke("there", by=caretaker(maker)).owner_subject == subject
        return
    with pytest.raises(refusal) as caught:
        accounts.tokens.create("new", subject, TokenTerms(), by=caretaker(maker))
    assert type(caught.value) is refusal
    assert accounts.tokens.list_of(subject, by=caretaker(maker)) == []
    with pytest.raises(NotFound):
        accounts.tokens.revoke("there", by=caretaker(maker))


def test_a_robot_that_is_hidden_sounds_like_one_that_is_missing(accounts: Accounts) -> None:
    """Whoever may not make a token for a robot does not learn whether there is one."""
    told = []
    for name in ("ci", "robot9"):
        with pytest.raises(NotFound) as caught:
            accounts.tokens.create("new", f"robot:{name}", TokenTerms(), by=caretaker(ALICE))
        told.append(str(caught.value).replace(name, "NAME"))
    assert told[0] == told[1]


def test_all_tokens_are_for_administrators(accounts: Accounts) -> None:
    """Nobody else sees whose tokens there are."""
    accounts.tokens.create("laptop", ALICE.subject, TokenTerms())
    assert names(accounts.tokens.list_all(by=caretaker(ROOT))) == ["laptop"]
    for identity in (ALICE, BOB):
        with pytest.raises(PermissionDenied):
            accounts.tokens.list_all(by=caretaker(identity))
    with pytest.raises(AuthenticationFailed):
        accounts.tokens.list_all(by=caretaker(ANONYMOUS))


def test_a_token_makes_no_tokens_of_its_own_kind(accounts: Accounts) -> None:
    """One that leaked, and is revoked, has left none behind; it may see and revoke what it could do itself."""
    laptop = accounts.tokens.create("laptop", ALICE.subject, TokenTerms(), by=caretaker(ALICE))
    reading = accounts.tokens.create("reading", ALICE.subject, TokenTerms([READ_ACME]), by=caretaker(ALICE))
    for made in (laptop, reading):
        with pytest.raises(PermissionDenied, match="makes no further tokens for htpasswd:alice"):
            accounts.tokens.create("new", ALICE.subject, TokenTerms([READ_ACME]), by=caretaker(bearer(made)))
    assert names(accounts.tokens.list_of(ALICE.subject, by=caretaker(bearer(laptop)))) == ["laptop", "reading"]
    assert names(accounts.tokens.list_of(ALICE.subject, by=caretaker(bearer(reading)))) == ["reading"]
    with pytest.raises(NotFound):
        accounts.tokens.revoke("laptop", by=caretaker(bearer(reading)))
    accounts.tokens.revoke("reading", by=caretaker(bearer(reading)))
    accounts.tokens.revoke("laptop", by=caretaker(bearer(laptop)))


def test_an_administrator_makes_tokens_for_others_with_a_token(accounts: Accounts) -> None:
    """That is what the first token of a server is for."""
    first = accounts.tokens.create_own("administrator", Role.ADMINISTRATOR, PlaceNames(), TokenTerms())
    made = accounts.tokens.create("ci", "robot:ci", TokenTerms(), by=caretaker(bearer(first)))
    assert made.record.created_by == "token:administrator"
    accounts.tokens.create("laptop", ROOT.subject, TokenTerms(), by=caretaker(bearer(first)))
    with pytest.raises(InvalidName, match="robot instead"):
        accounts.tokens.create("more", "token:administrator", TokenTerms(), by=caretaker(bearer(first)))


@pytest.mark.parametrize(
    ("wanted", "outcome"),
    [
        (None, (READ_ACME,)),
        ([READ_ACME], (READ_ACME,)),
        ([replace(READ_ACME, owner="ACME", index="pypi", projects="x-*")], "made"),
        ([Scope(owner="acme")], "refused"),
        ([Scope(actions=frozenset({Action.READ}))], "refused"),
        ([READ_ACME, replace(READ_ACME, actions=frozenset(Action))], "refused"),
        ([replace(READ_ACME, owner="other")], "refused"),
    ],
)
def test_a_limited_credential_makes_no_wider_token(
    accounts: Accounts, wanted: list[Scope] | None, outcome: str | tuple[Scope, ...]
) -> None:
    """Such as a token of a forge that may only read; without a wish it hands on its own limits."""
    by = caretaker(replace(ALICE, scopes=(READ_ACME,)))
    if outcome == "refused":
        with pytest.raises(PermissionDenied, match="stays within them"):
            accounts.tokens.create("new", ALICE.subject, TokenTerms(wanted), by=by)
        assert accounts.tokens.list_all() == []
        return
    made = accounts.tokens.create("new", ALICE.subject, TokenTerms(wanted), by=by)
    if outcome != "made":
        assert made.record.scopes == outcome


def test_scopes_limit_whom_one_may_make_tokens_for(accounts: Accounts) -> None:
    """A credential for reading administers no robot; one for administering an owner does, within its limits."""
    reads = caretaker(replace(BOB, scopes=(Scope(actions=frozenset({Action.READ})),)))
    with pytest.raises(NotFound):
        accounts.tokens.create("new", "robot:ci", TokenTerms([READ_ACME]), by=reads)
    administers = caretaker(replace(BOB, scopes=(Scope(owner="acme"),)))
    with pytest.raises(PermissionDenied, match="stays within them"):
        accounts.tokens.create("new", "robot:ci", TokenTerms([Scope()]), by=administers)
    made = accounts.tokens.create("new", "robot:ci", TokenTerms([READ_ACME]), by=administers)
    assert made.record.scopes == (READ_ACME,)


def test_a_disabled_robot_manages_nothing(accounts: Accounts) -> None:
    """Neither for itself nor for others."""
    made = accounts.tokens.create("ci", "robot:mirror", TokenTerms())
    accounts.grants.grant("robot:mirror", Role.ADMINISTRATOR, PlaceNames())
    accounts.robots.set_disabled("mirror", disabled=True)
    by = caretaker(bearer(made))
    for subject in ("robot:mirror", "robot:ci", ALICE.subject):
        with pytest.raises((AccountDisabled, NotFound)):
            accounts.tokens.create("new", subject, TokenTerms(), by=by)
    with pytest.raises(AccountDisabled):
        accounts.robots.create("more", owner=None, by=by)


__all__ = ["accounts", "database", "populated"]

LATER = NOW() + timedelta(days=1)


@pytest.mark.parametrize(
    ("terms", "word"),
    [
        (TokenTerms(expires_at=NOW()), "expired already"),
        (TokenTerms(not_before=LATER, expires_at=LATER), "before it begins"),
        (TokenTerms(expires_at=LATER.replace(tzinfo=None)), "offset from UTC"),
        (TokenTerms(not_before=LATER.replace(tzinfo=None)), "offset from UTC"),
        (TokenTerms(description="x" * 501), "500 characters"),
        (TokenTerms(description="a\nb"), "one line"),
        (TokenTerms([]), "1 to 32 scopes"),
        (TokenTerms([Scope()] * 33), "1 to 32 scopes"),
        (TokenTerms([Scope(actions=frozenset())]), "admits nothing"),
        (TokenTerms([Scope(owner="simple")]), "reserved"),
        (TokenTerms([Scope(owner="a b")]), "owner name"),
        (TokenTerms([Scope(index="A")]), "index name"),
        (TokenTerms([Scope(projects="a?")]), "letters, digits"),
    ],
)
def test_terms_that_cannot_be_are_refused(accounts: Accounts, terms: TokenTerms, word: str) -> None:
    """In a sentence that says what can."""
    for by in (BESIDE_THE_DATA, caretaker(ALICE)):
        with pytest.raises((InvalidToken, InvalidName), match=word):
            accounts.tokens.create("new", ALICE.subject, terms, by=by)


def test_terms_are_kept(accounts: Accounts) -> None:
    """In the spelling in which they are compared, and shown to whoever has the token."""
    scope = Scope("Acme", "pypi", "Acme_**", frozenset({Action.PUBLISH, Action.READ}))
    terms = TokenTerms([scope, Scope()], not_before=NOW(), expires_at=LATER, description="for the laptop")
    made = accounts.tokens.create("laptop", ALICE.subject, terms)
    record = accounts.tokens.find_by_secret(made.secret)
    assert record == made.record
    assert record.scopes == (replace(scope, projects="acme-*"), Scope())
    assert (record.not_before, record.expires_at, record.description) == (NOW(), LATER, "for the laptop")
    assert made.secret not in repr(made)
    assert record.secret_sha256 not in repr(made)


def test_the_command_line_looks_for_slips_of_the_pen(accounts: Accounts) -> None:
    """It is told of an owner that is not there; others are not told whether one is."""
    for scope in (Scope("acmee"), Scope("acme", "dev")):
        with pytest.raises(NotFound):
            accounts.tokens.create("new", ALICE.subject, TokenTerms([scope]))
        accounts.tokens.create(f"new-{scope.index}", ALICE.subject, TokenTerms([scope]), by=caretaker(ALICE))


def test_tokens_of_several_people_may_be_called_alike(accounts: Accounts) -> None:
    """Then the id says which, or the subject; the name is free again when the token was revoked."""
    made = {who: accounts.tokens.create("laptop", who, TokenTerms()) for who in (ALICE.subject, BOB.subject)}
    with pytest.raises(NameTaken):
        accounts.tokens.create("laptop", ALICE.subject, TokenTerms())
    with pytest.raises(TokenAmbiguous, match="give the id"):
        accounts.tokens.revoke("laptop")
    accounts.tokens.revoke("laptop", subject=ALICE.subject)
    again = accounts.tokens.create("laptop", ALICE.subject, TokenTerms())
    accounts.tokens.revoke(again.record.token_id)
    with pytest.raises(NotFound):
        accounts.tokens.revoke(again.record.token_id)
    assert accounts.tokens.revoke("laptop").token_id == made[BOB.subject].record.token_id


def test_nobody_has_tokens_without_end(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are revoked or have expired do not count."""
    monkeypatch.setattr(tokens_module, "MAX_TOKENS", 2)
    for name in ("one", "two"):
        accounts.tokens.create(name, ALICE.subject, TokenTerms())
    with pytest.raises(TooManyTokens, match="revoke one"):
        accounts.tokens.create("three", ALICE.subject, TokenTerms(), by=caretaker(ALICE))
    accounts.tokens.revoke("one")
    accounts.tokens.create("three", ALICE.subject, TokenTerms())


def test_events_say_which_token_and_whose(accounts: Accounts, database: Database) -> None:
    """With the actor, the address and the credential; never with the secret."""
    by = caretaker(replace(ROOT, credential="0123456789abcdef"))
    made = accounts.tokens.create("laptop", ALICE.subject, TokenTerms(), by=by)
    accounts.tokens.revoke("laptop", by=by)
    own = accounts.tokens.create_own("job", Role.READER, PlaceNames("acme"), TokenTerms())
    events = database.read_now(lambda connection: journal.since(connection, 0))[-4:]
    kinds = [EventKind.TOKEN_CREATED, EventKind.TOKEN_REVOKED, EventKind.TOKEN_CREATED, EventKind.ROLE_GRANTED]
    assert [event.kind for event in events] == kinds
    detail = f"laptop {made.record.token_id} htpasswd:alice"
    assert [event.detail for event in events[:3]] == [detail, detail, f"job {own.record.token_id}"]
    assert {(event.subject, event.address, event.credential) for event in events[:2]} == {
        ("htpasswd:root", "192.0.2.1", "0123456789abcdef")
    }


def test_a_token_stays_limited_to_an_owner_that_is_renamed(accounts: Accounts) -> None:
    """It goes on to work, and for that owner alone."""
    made = accounts.tokens.create(
        "laptop", ALICE.subject, TokenTerms([READ_ACME, Scope(owner="other")]), by=caretaker(ALICE)
    )
    accounts.owners.rename("ACME", "Corp")
    record = accounts.tokens.find_by_secret(made.secret)
    assert record.scopes == (replace(READ_ACME, owner="Corp"), Scope(owner="other"))


def test_what_is_no_token_of_this_server_is_told_apart(accounts: Accounts) -> None:
    """Misspelt, or another server's."""
    secret = accounts.tokens.create("laptop", ALICE.subject, TokenTerms()).secret
    with pytest.raises(InvalidName, match="misspelt"):
        accounts.tokens.find_by_secret(secret[:-1])
    with pytest.raises(NotFound, match="This API token"):
        accounts.tokens.find_by_secret(new_api_token())


def test_when_is_part_of_the_record(accounts: Accounts) -> None:
    """A token that was never used says so."""
    record = accounts.tokens.create("laptop", ALICE.subject, TokenTerms()).record
    assert (record.last_used_at, record.revoked_at) == (None, None)
    assert isinstance(record.created_at, datetime)
