"""Throttling of sign-ins that fail."""

from __future__ import annotations

import pytest

from pypiserve.core.errors import TooManySignIns
from pypiserve.services.shared_numbers import SharedNumbers
from pypiserve.services.sign_in_throttle import SignInLimits, SignInThrottle, network_of

HOME, OTHER = "192.0.2.1", "192.0.2.2"


class _Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def memory() -> SharedNumbers:
    return SharedNumbers(4096)


@pytest.fixture
def throttle(memory: SharedNumbers, clock: _Clock) -> SignInThrottle:
    return SignInThrottle(SignInLimits(per_user=3, per_address=5, seconds=60), memory, now=clock)


def fail(throttle: SignInThrottle, secret: str, *, username: str = "alice", address: str = HOME) -> None:
    """Sign in with what is wrong."""
    throttle.end(throttle.begin(secret.encode(), username=username, address=address), failed=True)


def refusal(throttle: SignInThrottle, secret: str, *, username: str = "alice", address: str = HOME) -> TooManySignIns:
    """Sign in where it is not admitted any more."""
    with pytest.raises(TooManySignIns) as caught:
        throttle.begin(secret.encode(), username=username, address=address)
    return caught.value


def test_wrong_passwords_of_a_user_are_bounded(throttle: SignInThrottle, clock: _Clock) -> None:
    """After so many at once each further one takes its share of the time, and the answer says how long that is."""
    for number in range(3):
        fail(throttle, str(number))
    assert refusal(throttle, "next").retry_after_seconds == 20
    clock.seconds += 19.5
    assert refusal(throttle, "next").retry_after_seconds == 1
    clock.seconds += 0.5
    fail(throttle, "next")
    assert refusal(throttle, "one more").retry_after_seconds == 20
    clock.seconds += 60
    for number in range(3):
        fail(throttle, f"later {number}")


def test_strangers_do_not_lock_a_user_out(throttle: SignInThrottle) -> None:
    """Failures at one address are not held against the user at another, nor against others at the same one."""
    for number in range(3):
        fail(throttle, str(number), address=OTHER)
    refusal(throttle, "right", address=OTHER)
    fail(throttle, "right", address=HOME)
    fail(throttle, "right", username="bob", address=OTHER)


def test_an_address_is_bounded_over_all_users(throttle: SignInThrottle) -> None:
    """Trying many names is no way around, and tokens count too."""
    for number in range(5):
        fail(throttle, str(number), username=f"user{number}" if number % 2 else "")
    assert refusal(throttle, "next", username="another").retry_after_seconds == 12
    assert not refusal(throttle, "next", username="").repeated
    fail(throttle, "next", address=OTHER)


def test_the_same_wrong_password_does_not_lock_the_right_one_out(throttle: SignInThrottle, clock: _Clock) -> None:
    """A forgotten entry in some file, sent again and again, is one failure of the user's, and stops by itself."""
    for _ in range(6):
        fail(throttle, "old")
    error = refusal(throttle, "old")
    assert error.repeated
    assert error.retry_after_seconds == 12
    assert "again and again" in str(error)
    fail(throttle, "also wrong")
    throttle.end(throttle.begin(b"right", username="alice", address=HOME), failed=False)
    clock.seconds += 12
    fail(throttle, "old")


def test_repeating_many_is_bounded_too(throttle: SignInThrottle) -> None:
    """Trying five credentials again and again is no way around."""
    for number in range(5):
        fail(throttle, str(number), username="")
    for number in range(5):
        fail(throttle, str(number), username="")
    assert refusal(throttle, "0", username="").repeated
    fail(throttle, "0", username="", address=OTHER)


@pytest.mark.parametrize("username", ["", "__token__", "gitlab-ci-token"])
def test_a_name_beside_tokens_is_nobody(throttle: SignInThrottle, username: str) -> None:
    """What everybody writes beside a token is no user whose failures are counted together."""
    for number in range(4):
        fail(throttle, str(number), username=username)


def test_what_has_not_failed_does_not_count(throttle: SignInThrottle, memory: SharedNumbers) -> None:
    """Successes, and sign-ins that could not be judged, leave nothing behind."""
    for number in range(50):
        throttle.end(throttle.begin(b"%d" % number, username="alice", address=HOME), failed=False)
    assert memory.count() == 0


def test_what_is_under_way_counts(throttle: SignInThrottle) -> None:
    """However many are sent before the first is judged, no more than the bound are."""
    running = [throttle.begin(b"%d" % number, username="alice", address=HOME) for number in range(3)]
    refusal(throttle, "next")
    throttle.end(running.pop(), failed=False)
    running.append(throttle.begin(b"next", username="alice", address=HOME))
    for attempt in running:
        throttle.end(attempt, failed=True)


def test_equal_requests_at_once_are_one_attempt(throttle: SignInThrottle, memory: SharedNumbers) -> None:
    """An installer opens fifty connections with the same credentials, which are right; no bound is in its way."""
    running = [throttle.begin(b"right", username="alice", address=HOME) for _ in range(50)]
    for attempt in running:
        throttle.end(attempt, failed=False)
    assert memory.count() == 0


def test_overlapping_requests_are_no_way_around(throttle: SignInThrottle) -> None:
    """Who always has one more under way is counted all the same."""
    first = throttle.begin(b"wrong", username="alice", address=HOME)
    for _ in range(5):
        second = throttle.begin(b"wrong", username="alice", address=HOME)
        throttle.end(first, failed=True)
        first = throttle.begin(b"wrong", username="alice", address=HOME)
        throttle.end(second, failed=True)
    throttle.end(first, failed=True)
    assert refusal(throttle, "wrong").repeated


def test_a_failure_among_equals_counts(throttle: SignInThrottle) -> None:
    """That one of two equal requests could not be judged does not make the other one's failure good."""
    for number in range(3):
        first, second = (throttle.begin(b"%d" % number, username="alice", address=HOME) for _ in range(2))
        throttle.end(first, failed=True)
        throttle.end(second, failed=False)
    refusal(throttle, "next")


def test_zero_means_no_bound(clock: _Clock) -> None:
    """Who throttles elsewhere turns it off."""
    throttle = SignInThrottle(SignInLimits(per_user=0, per_address=0), SharedNumbers(4096), now=clock)
    for number in range(1000):
        fail(throttle, str(number))
        fail(throttle, "same")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("no address", "another", False),
    ],
)
def test_addresses_of_one_subscriber_are_one(first: str, second: str, *, same: bool) -> None:
    """Who has an IPv6 network has 2^64 addresses in it."""
    assert (network_of(first) == network_of(second)) is same
