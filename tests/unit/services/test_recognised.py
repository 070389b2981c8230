"""Who recognised credentials lately."""

from __future__ import annotations

import pytest

from pypiserve.core.identity import BasicCredentials, BearerCredentials, Credentials
from pypiserve.services import recognised
from pypiserve.services.recognised import RecognisedCredentials

ALICE = BasicCredentials("alice", "swordfish")


class _Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_it_is_remembered_for_an_hour_and_not_in_clear() -> None:
    """What is kept is a digest under a key, the name of the authenticator and a time."""
    clock = _Clock()
    memory = RecognisedCredentials(now=clock)
    digest = memory.digest(ALICE)
    memory.remember(digest, "staff")
    assert memory.recall(digest) == "staff"
    assert "swordfish" not in str(vars(memory))
    clock.seconds = 3600
    assert memory.recall(digest) is None


def test_it_can_be_forgotten() -> None:
    """What is refused is not preferred any more."""
    memory = RecognisedCredentials()
    memory.remember(memory.digest(ALICE), "staff")
    memory.forget(memory.digest(ALICE))
    memory.forget(memory.digest(ALICE))
    assert memory.recall(memory.digest(ALICE)) is None


def test_digests_tell_credentials_apart() -> None:
    """Neither the place of a colon nor the scheme is lost, and two servers have nothing in common."""
    memory = RecognisedCredentials()
    others: list[Credentials] = [BasicCredentials("alice ", "swordfish"), BearerCredentials("swordfish")]
    others.append(BasicCredentials("", "alice swordfish"))
    assert len({memory.digest(each) for each in (ALICE, *others)}) == 4
    assert memory.digest(ALICE) != RecognisedCredentials().digest(ALICE)


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest unused go first."""
    monkeypatch.setattr(recognised, "_CAPACITY", 2)
    memory = RecognisedCredentials()
    for name in ("a", "b", "a", "c"):
        memory.remember(name.encode(), name)
    assert [memory.recall(name) for name in (b"a", b"b", b"c")] == ["a", None, "c"]
