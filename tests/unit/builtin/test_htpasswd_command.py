"""``pypiserve htpasswd``."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pypiserve.builtin import htpasswd
from pypiserve.builtin.apache_hashes import HashForm, parse_hash

API_TOKEN = "pypiserve_" + "0" * 32 + "0fozjJ"


def _run(file: Path, user: str, *options: str, typed: str = "") -> Result:
    (command,) = htpasswd.pypiserve_commands()
    return CliRunner().invoke(command, [*options, "--", str(file), user], input=typed)


def _matches(file: Path, user: str, password: str) -> bool:
    (line,) = [line for line in file.read_text().splitlines() if line.startswith(f"{user}:")]
    known = parse_hash(line.partition(":")[2])
    assert known is not None
    assert known.form is HashForm.BCRYPT
    return known.matches(password.encode())


def test_a_new_file_is_private(tmp_path: Path) -> None:
    """The first user makes the file, which nobody else may read."""
    result = _run(tmp_path / "users", "alice", typed="secret\nsecret\n")
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE((tmp_path / "users").stat().st_mode) == 0o600
    assert (tmp_path / "users").read_text().startswith("alice:$2y$10$")
    assert _matches(tmp_path / "users", "alice", "secret")
    assert "secret" not in result.output


def test_other_lines_and_the_mode_are_kept(tmp_path: Path) -> None:
    """Only the user's own line changes, in its place; what is written twice is written once."""
    file = tmp_path / "users"
    file.write_bytes(b"# staff\r\nbob:{SHA}x\nalice:old:more\n\nalice:older\n\xff:odd")
    file.chmod(0o640)
    assert _run(file, "alice", "--stdin", typed="new word\n").exit_code == 0
    lines = file.read_bytes().split(b"\n")
    assert [*lines[:2], *lines[3:]] == [b"# staff\r", b"bob:{SHA}x", b"", b"\xff:odd", b""]
    assert lines[2].startswith(b"alice:$2y$")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that a link names is written, not the link."""
    (tmp_path / "link").symlink_to(tmp_path / "users")
    assert _run(tmp_path / "link", "alice", "--stdin", typed="secret").exit_code == 0
    assert (tmp_path / "link").is_symlink()
    assert _matches(tmp_path / "users", "alice", "secret")


def test_a_user_is_removed(tmp_path: Path) -> None:
    """``--delete`` removes the user and asks for no password."""
    (tmp_path / "users").write_text("alice:x\nbob:y\n")
    assert _run(tmp_path / "users", "alice", "--delete").exit_code == 0
    assert (tmp_path / "users").read_text() == "bob:y\n"


def test_removing_nobody_is_an_error(tmp_path: Path) -> None:
    """A user or a file that is not there is said, and no file is made."""
    (tmp_path / "users").write_text("bob:y\n")
    assert "has no user alice" in _run(tmp_path / "users", "alice", "--delete").output
    assert _run(tmp_path / "none", "alice", "--delete").exit_code == 1
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("user", ["", "a:b", "a\nb", "a\x00b", "a\x7f", " a", "#a", "x" * 256, API_TOKEN])
def test_impossible_user_names_are_refused(tmp_path: Path, user: str) -> None:
    """A name that the file cannot hold, or that nobody could sign in with, is refused."""
    assert _run(tmp_path / "users", user, "--stdin", typed="secret\n").exit_code == 2
    assert not (tmp_path / "users").exists()


@pytest.mark.parametrize("password", ["", " secret", "secret\t", "x" * 73, "ä" * 37, "a\0b", API_TOKEN])
def test_impossible_passwords_are_refused(tmp_path: Path, password: str) -> None:
    """A password that could not be checked as it is, is refused and not shown."""
    result = _run(tmp_path / "users", "alice", "--stdin", typed=password + "\n")
    assert result.exit_code == 1
    assert not password or password not in result.output
    assert not (tmp_path / "users").exists()


def test_72_bytes_are_fine(tmp_path: Path) -> None:
    """The longest password that bcrypt tells apart works."""
    assert _run(tmp_path / "users", "alice", "--stdin", typed="ä" * 36 + "\r\n").exit_code == 0
    assert _matches(tmp_path / "users", "alice", "ä" * 36)


def test_two_different_answers_are_asked_again(tmp_path: Path) -> None:
    """A mistyped repetition does not set a password."""
    result = _run(tmp_path / "users", "alice", typed="one\ntwo\nthree\nthree\n")
    assert result.exit_code == 0
    assert _matches(tmp_path / "users", "alice", "three")


def test_an_unwritable_place_is_said(tmp_path: Path) -> None:
    """A folder that is missing is named."""
    result = _run(tmp_path / "none" / "users", "alice", "--stdin", typed="secret\n")
    assert result.exit_code == 1
    assert "none/users" in result.output
