"""Who recognised credentials lately."""

from __future__ import annotations

import pytest

from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials
from pypiserve.services import recognised
from pypiserve.services.recognised import RecognisedCredentials
from pypiserve.services.shared_numbers import SharedNumbers

ALICE = BasicCredentials("alice", "swordfish")


class _Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_it_is_remembered_for_an_hour_and_not_in_clear() -> None:
    """What is kept is a digest under a key, the name of the authenticator and a time."""
    clock = _Clock()
    memory = RecognisedCredentials(SharedNumbers(64), now=clock)
    digest = memory.digest(ALICE)
    memory.remember(digest, "staff")
    assert (memory.recall(digest), memory.are_good(digest)) == ("staff", True)
    assert "swordfish" not in str(vars(memory))
    clock.seconds = 30
    memory.remember(digest, "staff")
    clock.seconds = 3600
    assert (memory.recall(digest), memory.are_good(digest)) == (None, False)


def test_use_prolongs_it() -> None:
    """Whoever comes every few minutes stays known."""
    clock = _Clock()
    memory = RecognisedCredentials(SharedNumbers(64), now=clock)
    digest = memory.digest(ALICE)
    for clock.seconds in range(0, 7200, 600):
        memory.remember(digest, "staff")
    assert memory.recall(digest) == "staff"


def test_it_can_be_forgotten() -> None:
    """What is refused is not preferred any more."""
    memory = RecognisedCredentials(SharedNumbers(64))
    memory.remember(memory.digest(ALICE), "staff")
    memory.forget(memory.digest(ALICE))
    memory.forget(memory.digest(ALICE))
    assert memory.recall(memory.digest(ALICE)) is None
    assert not memory.are_good(memory.digest(ALICE))


def test_digests_tell_credentials_apart() -> None:
    """Neither the place of a colon nor the scheme is lost, and two servers have nothing in common."""
    memory = RecognisedCredentials(SharedNumbers(64))
    others: list[Credentials] = [BasicCredentials("alice ", "swordfish"), BearerCredentials("swordfish")]
    others.append(BasicCredentials("", "alice swordfish"))
    assert len({memory.digest(each) for each in (ALICE, *others)}) == 4
    assert memory.digest(ALICE) != RecognisedCredentials(SharedNumbers(64)).digest(ALICE)


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest unused go first."""
    monkeypatch.setattr(recognised, "_CAPACITY", 2)
    monkeypatch.setattr(recognised, "_RENEWED_AFTER_SECONDS", 0)
    memory = RecognisedCredentials(SharedNumbers(64))
    digests = {name: memory.digest(BasicCredentials(name, "x")) for name in ("a", "b", "c")}
    for name in ("a", "b", "a", "c"):
        memory.remember(digests[name], name)
    assert [memory.recall(digests[name]) for name in ("a", "b", "c")] == ["a", None, "c"]
