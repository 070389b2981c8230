"""What the htpasswd authenticator does beyond the contract of authenticators."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import bcrypt
import pytest

from pypiserve.builtin import htpasswd, htpasswd_file
from pypiserve.builtin.apache_hashes import PasswordHash
from pypiserve.core.api_tokens import new_api_token
from pypiserve.core.errors import AuthenticationFailed, CredentialsUnknown, InvalidSetting, Unavailable
from pypiserve.core.identity import BasicCredentials, BearerCredentials, Identity
from pypiserve.plugin import Authenticator, QueueingAuthenticator
from pypiserve.plugin.settings import read_table
from pypiserve.testing import a_context

ALICE = "alice:$2y$04$dHziKzF/IETQe30riwoK0eioyDl3q5dcerr7Ch3KCfLvrr3aHasjq"
ALICE_SHA = "alice:{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="
ALICE_APR1 = "alice:$apr1$gE/InSb.$p792TkVEYR2yB8/zXmMPE/"
RIGHT = BasicCredentials("alice", "correct horse")
IDENTITY = Identity("staff", "alice")


def _build(file: Path, *, remember_seconds: float = 60, max_waiting: int = 32) -> Authenticator:
    (kind,) = htpasswd.pypiserve_authenticators()
    settings = htpasswd.HtpasswdSettings(file=file, remember_seconds=remember_seconds, max_waiting=max_waiting)
    return kind.build(settings, a_context("staff", file.parent))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "users"
    _write(path, ALICE)
    return path


def _write(path: Path, *lines: str) -> None:
    """Write as an editor does, into a new file that takes the place of the old one."""
    path.with_suffix(".new").write_text("\n".join([*lines, ""]))
    path.with_suffix(".new").replace(path)


@pytest.fixture
async def authenticator(file: Path) -> AsyncIterator[Authenticator]:
    built = _build(file)
    yield built
    await built.close()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note every check of a password that is really made."""
    made: list[str] = []
    matches = PasswordHash.matches

    def note(known: PasswordHash, password: bytes) -> bool:
        made.append(password.decode())
        return matches(known, password)

    monkeypatch.setattr(PasswordHash, "matches", note)
    return made


@pytest.mark.parametrize("line", [ALICE, ALICE_SHA, ALICE_APR1, f"{ALICE}:Alice:staff", f"  {ALICE} \r"])
async def test_each_form_signs_in(file: Path, line: str) -> None:
    """Users in every form that we read can sign in, also from files with further fields or Windows line ends."""
    _write(file, "# users", "", line)
    authenticator = _build(file)
    assert await authenticator.authenticate(RIGHT) == IDENTITY
    await authenticator.close()


async def test_a_right_password_is_checked_once(authenticator: Authenticator, checks: list[str]) -> None:
    """Many connections at once, and requests after them, cost one check; wrong ones are checked each time."""
    answers = await asyncio.gather(*(authenticator.authenticate(RIGHT) for _ in range(10)))
    assert [*answers, await authenticator.authenticate(RIGHT)] == [IDENTITY] * 11
    assert checks == ["correct horse"]
    for _ in range(2):
        with pytest.raises(AuthenticationFailed):
            await authenticator.authenticate(BasicCredentials("alice", "wrong"))
    assert checks == ["correct horse", "wrong", "wrong"]


async def test_an_unknown_user_costs_a_check(authenticator: Authenticator, checks: list[str]) -> None:
    """Time does not tell whether a user exists, and the right password of another user does not help."""
    with pytest.raises(AuthenticationFailed) as unknown:
        await authenticator.authenticate(BasicCredentials("mallory", "correct horse"))
    with pytest.raises(AuthenticationFailed) as wrong:
        await authenticator.authenticate(BasicCredentials("alice", "wrong"))
    assert checks == ["correct horse", "wrong"]
    assert str(unknown.value) == str(wrong.value)


@pytest.mark.parametrize(
    "credentials",
    [
        BearerCredentials("anything"),
        BasicCredentials("__token__", new_api_token()),
        BasicCredentials(new_api_token(), ""),
        BasicCredentials(new_api_token(), "x-oauth-basic"),
    ],
)
async def test_tokens_are_left_to_others(
    authenticator: Authenticator, checks: list[str], credentials: BasicCredentials
) -> None:
    """A token is never spent a check on."""
    assert await authenticator.authenticate(credentials) is None
    assert checks == []


async def test_a_password_of_more_than_72_bytes_is_wrong(file: Path) -> None:
    """Bcrypt would look at the first 72 bytes only; that they are right lets nobody in."""
    _write(file, "eve:" + bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode())
    authenticator = _build(file)
    with pytest.raises(AuthenticationFailed):
        await authenticator.authenticate(BasicCredentials("eve", "x" * 73))
    assert await authenticator.authenticate(BasicCredentials("eve", "x" * 72)) == Identity("staff", "eve")
    await authenticator.close()


async def test_changes_of_the_file_count_at_once(file: Path, authenticator: Authenticator) -> None:
    """A removed user is out although remembered, and a new one is in, without a restart."""
    bob = "bob:" + bcrypt.hashpw(b"bob's", bcrypt.gensalt(4)).decode()
    assert await authenticator.authenticate(RIGHT) == IDENTITY
    _write(file, bob)
    with pytest.raises(AuthenticationFailed):
        await authenticator.authenticate(RIGHT)
    assert await authenticator.authenticate(BasicCredentials("bob", "bob's")) == Identity("staff", "bob")


async def test_two_changes_within_a_tick_are_told_apart(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second change with the same size, inode and time is seen, as long as the file is young."""
    monkeypatch.setattr(htpasswd_file, "_SETTLED_NS", 3600 * 10**9)
    authenticator = _build(file)
    assert await authenticator.authenticate(RIGHT) == IDENTITY
    facts = file.stat()
    with file.open("r+") as same:
        same.write(ALICE.replace("alice", "carol"))
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(AuthenticationFailed):
        await authenticator.authenticate(RIGHT)
    await authenticator.close()


async def test_a_vanished_file_lets_nobody_in(
    file: Path, authenticator: Authenticator, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the file nobody is judged, remembered or not; the log says so once, and it heals by itself."""
    assert await authenticator.authenticate(RIGHT) == IDENTITY
    file.unlink()
    for _ in range(3):
        with pytest.raises(Unavailable) as caught:
            await authenticator.authenticate(RIGHT)
    assert str(file) not in str(caught.value)
    assert [record.levelno for record in caplog.records if str(file) in record.getMessage()] == [logging.ERROR]
    _write(file, ALICE)
    assert await authenticator.authenticate(RIGHT) == IDENTITY


async def test_a_huge_file_lets_nobody_in(file: Path, authenticator: Authenticator) -> None:
    """A file over the bound is not read into memory."""
    with file.open("r+b") as grown:
        grown.truncate((16 << 20) + 1)
    with pytest.raises(Unavailable):
        await authenticator.authenticate(RIGHT)


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    """The message names authenticator, setting, file and remedy."""
    with pytest.raises(
        InvalidSetting,
        match=r"authenticator 'staff': file: .*/none cannot be read .*; make it with: pypiserve htpasswd .*/none U",
    ):
        _build(tmp_path / "none")


@pytest.mark.parametrize(
    "table",
    [{}, {"file": 1}, {"file": "x", "max_waiting": 0}, {"file": "x", "remember_seconds": -1}, {"file": "x", "y": 1}],
)
def test_wrong_settings_are_refused(table: dict[str, object], tmp_path: Path) -> None:
    """A missing file, a wrong type and a value out of range stop the start."""
    with pytest.raises(InvalidSetting):
        read_table(table, htpasswd.HtpasswdSettings, source="x.toml", key="authenticators", folder=tmp_path)


async def test_weak_hashes_are_read_with_one_warning(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The operator hears how many users have a weak hash and how to change that, once for each state of the file."""
    _write(file, ALICE_SHA, ALICE_APR1.replace("alice", "bob"), ALICE.replace("alice", "carol"))
    authenticator = _build(file)
    assert await authenticator.authenticate(RIGHT) == IDENTITY
    await authenticator.close()
    (warning,) = [record.getMessage() for record in caplog.records]
    assert "2 users" in warning
    assert "htpasswd -B" in warning


async def test_plain_text_and_broken_lines_are_named_by_number(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Plain text never matches; the log names lines, never their content."""
    _write(file, ALICE, "bob:hunter2", "no-colon", ":nameless", ALICE_SHA, "dave:rqXexS6ZhobKA", "e\x01f:x")
    authenticator = _build(file)
    for username, password in (("bob", "hunter2"), ("dave", "password"), ("no-colon", "")):
        with pytest.raises(AuthenticationFailed):
            await authenticator.authenticate(BasicCredentials(username, password))
    await authenticator.close()
    refused, malformed = [record.getMessage() for record in caplog.records]
    assert "in line 2, 6;" in refused
    assert "in line 3, 4, 5, 7;" in malformed
    assert "hunter2" not in caplog.text
    assert "nameless" not in caplog.text


async def test_bytes_that_are_no_text_are_ignored(file: Path) -> None:
    """A line in another encoding does not spoil the others."""
    file.write_bytes(b"\xff\xfe:x\n" + ALICE.encode())
    authenticator = _build(file)
    assert await authenticator.authenticate(RIGHT) == IDENTITY
    await authenticator.close()


async def test_too_many_checks_are_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two checks run, so many as the settings say wait, and the next is answered 503 at once."""
    may_end = threading.Event()

    def wait(_known: PasswordHash, _password: bytes) -> bool:
        return may_end.wait(30)

    monkeypatch.setattr(PasswordHash, "matches", wait)
    authenticator = _build(file, max_waiting=3)
    tries = [BasicCredentials("alice", str(number)) for number in range(6)]
    tasks = [asyncio.create_task(authenticator.authenticate(credentials)) for credentials in tries]
    answered, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    with pytest.raises(Unavailable, match="Too many sign-ins"):
        await answered.pop()
    may_end.set()
    assert not answered
    assert await asyncio.gather(*waiting) == [IDENTITY] * 5
    assert await authenticator.authenticate(BasicCredentials("alice", "later")) == IDENTITY
    await authenticator.close()


async def test_who_is_remembered_waits_for_nobody(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the checks are stuck and the queue is full, a password that was right a moment ago opens the door."""
    authenticator = _build(file, max_waiting=1)
    assert await authenticator.authenticate(RIGHT) == IDENTITY
    may_end = threading.Event()
    monkeypatch.setattr(PasswordHash, "matches", lambda _known, _password: may_end.wait(30))
    stuck = [asyncio.create_task(authenticator.authenticate(BasicCredentials("eve", str(n)))) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await authenticator.authenticate(BasicCredentials("bob", "right or wrong"))
    assert await asyncio.wait_for(authenticator.authenticate(RIGHT), 5) == IDENTITY
    may_end.set()
    await asyncio.gather(*stuck, return_exceptions=True)
    await authenticator.close()


async def test_who_was_in_before_waits_in_a_lane_of_its_own(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checked again, or for the first time in this process, they wait behind no stranger; checked they are."""
    authenticator = _build(file, max_waiting=1)
    assert isinstance(authenticator, QueueingAuthenticator)
    may_end, matches = threading.Event(), PasswordHash.matches

    def stuck(known: PasswordHash, password: bytes) -> bool:
        return may_end.wait(30) if password.isdigit() else matches(known, password)

    monkeypatch.setattr(PasswordHash, "matches", stuck)
    strangers = [asyncio.create_task(authenticator.authenticate(BasicCredentials("eve", str(n)))) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await authenticator.authenticate(RIGHT)
    assert await asyncio.wait_for(authenticator.authenticate_known(RIGHT), 10) == IDENTITY
    with pytest.raises(CredentialsUnknown):
        await authenticator.authenticate_known(BasicCredentials("alice", "was right before"))
    assert await authenticator.authenticate_known(BearerCredentials("anything")) is None
    may_end.set()
    await asyncio.gather(*strangers, return_exceptions=True)
    await authenticator.close()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux only")
async def test_checks_run_behind_all_other_work(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many passwords are checked, the thread that serves pages gets the processor first."""
    niceness: list[int] = []

    def note(_known: PasswordHash, _password: bytes) -> bool:
        niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return True

    monkeypatch.setattr(PasswordHash, "matches", note)
    before = os.getpriority(os.PRIO_PROCESS, 0)
    authenticator = _build(file)
    await authenticator.authenticate(RIGHT)
    await authenticator.close()
    assert niceness == [min(19, before + 10)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


async def test_unknown_users_and_wrong_passwords_are_one_kind_of_error(authenticator: Authenticator) -> None:
    """Both are left to the authenticators behind, so that who is asked does not tell which it was."""
    refusals = []
    for credentials in (BasicCredentials("mallory", "guess"), BasicCredentials("alice", "guess")):
        with pytest.raises(CredentialsUnknown) as caught:
            await authenticator.authenticate(credentials)
        refusals.append((type(caught.value), str(caught.value)))
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("cost", [4, 6])
async def test_an_unknown_user_costs_as_much_as_a_known_one(
    file: Path, cost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash that an unknown user is checked against is of the form and the cost that the file has."""
    _write(file, "bob:" + bcrypt.hashpw(b"bob's", bcrypt.gensalt(cost)).decode())
    checked: list[str] = []

    def note(known: PasswordHash, _password: bytes) -> bool:
        checked.append(known.text)
        return False

    monkeypatch.setattr(PasswordHash, "matches", note)
    authenticator = _build(file)
    for username in ("bob", "mallory"):
        with pytest.raises(CredentialsUnknown):
            await authenticator.authenticate(BasicCredentials(username, "guess"))
    await authenticator.close()
    assert [text.split("$")[1:3] for text in checked] == [["2b", f"{cost:02}"]] * 2


async def test_an_empty_file_lets_nobody_in(file: Path) -> None:
    """A file without users is a file without users."""
    _write(file)
    authenticator = _build(file)
    with pytest.raises(AuthenticationFailed):
        await authenticator.authenticate(RIGHT)
    await authenticator.close()
