"""Numbers that processes share."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from pypiserve.services.shared_numbers import SharedNumbers


def test_numbers_are_kept_by_key() -> None:
    """What was set last is there; what was never set, or forgotten, is 0."""
    numbers = SharedNumbers(64)
    alice, bob = (numbers.digest(b"users", name) for name in (b"alice", b"bob"))
    numbers.set(alice, 1.5)
    numbers.set(alice, 2.5)
    assert (numbers.get(alice), numbers.get(bob)) == (2.5, 0.0)
    numbers.set(alice, 0.0)
    numbers.set(bob, 0.0)
    assert (numbers.get(alice), numbers.count()) == (0.0, 0)


def test_keys_tell_apart() -> None:
    """Kinds, parts and where a part ends are different; another server's keys have nothing in common."""
    numbers = SharedNumbers(64)
    made = [
        numbers.digest(b"users", b"ab"),
        numbers.digest(b"users", b"a", b"b"),
        numbers.digest(b"users", b"", b"ab"),
        numbers.digest(b"other", b"ab"),
        SharedNumbers(64).digest(b"users", b"ab"),
    ]
    assert len(set(made)) == len(made)


FORKS = """
import os
from pypiserve.services.shared_numbers import SharedNumbers

numbers = SharedNumbers(64)
key = numbers.digest(b"users", b"alice")
for _ in range(3):
    child = os.fork()
    if not child:
        numbers.set(key, numbers.get(key) + 1.0)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
print(numbers.get(key))
"""


def test_forked_processes_share_them() -> None:
    """What a child sets, its parent and its siblings see."""
    done = subprocess.run([sys.executable, "-c", FORKS], check=True, capture_output=True, timeout=60)
    assert done.stdout == b"3.0\n"


@given(pairs=st.lists(st.tuples(st.integers(0, 500), st.floats(1, 1e9)), max_size=600))
def test_the_table_is_bounded_and_never_lies(pairs: list[tuple[int, float]]) -> None:
    """However much is put in: a number that is found is the one that was set last for this key."""
    numbers = SharedNumbers(32)
    last: dict[bytes, float] = {}
    for who, number in pairs:
        key = numbers.digest(b"users", b"%d" % who)
        numbers.set(key, number)
        last[key] = number
        assert numbers.get(key) == number
    assert numbers.count() <= 32
    assert all(numbers.get(key) in {0.0, number} for key, number in last.items())


def test_what_is_over_for_longest_goes() -> None:
    """A newcomer displaces the smallest number of its slots, and nothing else."""
    numbers = SharedNumbers(4)
    keys = [numbers.digest(b"users", b"%d" % who) for who in range(5)]
    for key, number in zip(keys, (30.0, 10.0, 40.0, 20.0, 50.0), strict=True):
        numbers.set(key, number)
    assert [numbers.get(key) for key in keys] == [30.0, 0.0, 40.0, 20.0, 50.0]
