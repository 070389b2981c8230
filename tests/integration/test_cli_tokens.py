"""Tokens of robots and people on the command line, from their making to their end."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command_line import call, is_refusal

from pypiserve.testing.fixtures import MakeServer

JOB = ("token", "create", "job", "--for", "robot:ci")


@pytest.fixture
def folder(make_server: MakeServer) -> Path:
    """Return the folder of a server that was started once, with the robot ci that publishes demo-*."""
    server = make_server()
    server.stop()
    call("robot", "create", "ci", "--owner", "main", "--description", "nightly builds", folder=server.folder)
    call("role", "grant", "publisher", "robot:ci", "--owner", "main", "--project", "demo-*", folder=server.folder)
    return server.folder


def inspected(folder: Path, secret: str) -> dict[str, list[str]]:
    """Return what ``inspect`` says of a token, by the first word of each line."""
    found = call("token", "inspect", folder=folder, answer=f"{secret}\n")
    assert (found.returncode, secret in found.stdout + found.stderr) == (0, False)
    lines: dict[str, list[str]] = {}
    for line in found.stdout.splitlines():
        name, _, value = line.partition("\t")
        lines.setdefault(name, []).append(value)
    return lines


def test_a_robot_from_birth_to_death(folder: Path) -> None:
    """It is made, listed, disabled, enabled and deleted; each in a line, and only once."""
    assert call("robot", "create", "mirror", folder=folder).stdout == "Made robot:mirror of the whole server.\n"
    assert is_refusal(call("robot", "create", "ci", "--owner", "main", folder=folder), "exists")
    assert is_refusal(call("robot", "create", "CI", folder=folder), "no name for a robot")
    assert is_refusal(call("robot", "create", "x", "--owner", "nobody", folder=folder), "The owner nobody")
    listed = "ci\tmain\tenabled\tnightly builds\n"
    assert call("robot", "list", folder=folder).stdout == f"{listed}mirror\t(server)\tenabled\n"
    assert call("robot", "list", "--owner", "main", folder=folder).stdout == listed
    assert call("robot", "disable", "ci", folder=folder).stdout == "robot:ci is disabled.\n"
    assert call("robot", "disable", "ci", folder=folder).stdout == "robot:ci is disabled already.\n"
    (row,) = json.loads(call("robot", "list", "--owner", "main", "--json", folder=folder).stdout)
    assert row == {"name": "ci", "owner": "main", "state": "disabled", "description": "nightly builds"}
    assert call("robot", "enable", "ci", folder=folder).stdout == "robot:ci is enabled.\n"
    assert call("robot", "delete", "ci", folder=folder).stdout == "Deleted robot:ci.\n"
    for command in ("disable", "enable", "delete"):
        assert is_refusal(call("robot", command, "ci", folder=folder), "The robot ci")
    assert call("role", "list", "--owner", "main", folder=folder).stdout == ""


def test_a_token_of_a_robot_is_told_what_it_may(folder: Path) -> None:
    """Whose it is, its limits and its time stand in the list, and in what ``inspect`` says of it."""
    more = ("--action", "read", "--action", "publish", "--days", "9", "--description", "release.yml")
    made = call(*JOB, "--owner", "main", "--project", "Demo.Docs", *more, folder=folder)
    secret = made.stdout.strip()
    assert re.fullmatch(r"pypiserve_\w{38}", secret)
    assert made.stderr == "job: of robot:ci, main/*/demo-docs: read, publish. It is not shown again.\n"
    lines = inspected(folder, secret)
    assert (lines["name"], lines["subject"]) == (["job"], ["robot:ci"])
    assert lines["limits"] == ["main/*/demo-docs: read, publish"]
    assert lines["may"] == ["read, publish for demo-* and demo-docs in main/pypi"]
    assert (lines["used"], lines["description"]) == (["never"], ["release.yml"])
    listed = call("token", "list", "--for", "robot:ci", folder=folder).stdout.rstrip("\n").split("\t")
    assert listed[:2] == ["job", "of robot:ci"]
    assert listed[2].startswith("expires ")
    assert listed[4:] == [*lines["id"], *lines["limits"], "never used", "release.yml"]
    assert secret not in call("token", "list", "--json", folder=folder).stdout


def test_what_is_told_of_a_token_is_what_holds_now(folder: Path) -> None:
    """Roles that the robot gets are the token's, and those that it loses are not."""
    secret = call(*JOB, folder=folder).stdout.strip()
    assert inspected(folder, secret)["may"] == ["read, publish, yank for demo-* in main/pypi"]
    call("role", "grant", "administrator", "robot:ci", "--server", folder=folder)
    everything = "read, publish, yank, delete, administer in main/pypi"
    assert inspected(folder, secret)["may"] == ["administer the whole server", everything]
    call("role", "withdraw", "robot:ci", "--server", folder=folder)
    call("role", "withdraw", "robot:ci", "--owner", "main", "--project", "demo-*", folder=folder)
    assert inspected(folder, secret)["may"] == ["nothing but what everybody may"]


def test_a_token_that_does_not_work_says_why(folder: Path) -> None:
    """Not yet, no more, revoked, or its robot is disabled: then it may nothing."""
    later = call(*JOB, "--not-before", "2100-01-01", "--expires", "2100-02-01T12:00+02:00", folder=folder).stdout
    lines = inspected(folder, later.strip())
    assert (lines["state"], lines["may"]) == (["valid from 2100-01-01 00:00 UTC on"], ["nothing"])
    good = call("token", "create", "good", "--for", "robot:ci", folder=folder).stdout.strip()
    call("robot", "disable", "ci", folder=folder)
    assert (inspected(folder, good)["state"], inspected(folder, good)["may"]) == (["disabled"], ["nothing"])
    call("robot", "enable", "ci", folder=folder)
    assert inspected(folder, good)["state"] == ["valid"]
    call("token", "revoke", *inspected(folder, good)["id"], folder=folder)
    assert inspected(folder, good)["state"] == ["revoked"]


def test_inspect_reads_a_variable_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is no setting, whatever the command; a text that is no token is not repeated."""
    secret = call(*JOB, "--action", "read", folder=folder).stdout.strip()
    monkeypatch.setenv("PYPISERVE_TOKEN", secret)
    document = json.loads(call("token", "inspect", "--json", folder=folder).stdout)
    assert (document["subject"], document["state"]) == ("robot:ci", "valid")
    assert document["scopes"] == [{"owner": None, "index": None, "projects": None, "actions": ["read"]}]
    assert document["may"] == {"main/pypi": "read for demo-*"}
    monkeypatch.setenv("PYPISERVE_TOKEN", secret[:-1])
    refused = call("token", "inspect", folder=folder)
    assert is_refusal(refused, "misspelt")
    assert secret[:-1] not in refused.stderr


def test_tokens_called_alike_are_told_apart(folder: Path) -> None:
    """By whose they are."""
    call(*JOB, folder=folder)
    call("token", "create", "job", "--for", "htpasswd:alice", folder=folder)
    assert is_refusal(call("token", "revoke", "job", folder=folder), "2 tokens are called job")
    assert call("token", "revoke", "job", "--for", "htpasswd:alice", folder=folder).stdout == "Revoked job.\n"
    assert call("token", "revoke", "job", folder=folder).returncode == 0


def test_a_token_of_its_own_may_be_limited_too(folder: Path) -> None:
    """To an index and projects by the place of its role, and to actions."""
    place = ("--index", "pypi", "--project", "demo-*")
    made = call("token", "create", "own", *place, "--action", "read", folder=folder)
    assert made.stderr == "own: publisher of main/pypi/demo-*, limited to read. It is not shown again.\n"
    assert inspected(folder, made.stdout.strip())["may"] == ["read for demo-* in main/pypi"]
    listed = call("role", "list", "--owner", "main", folder=folder).stdout
    assert "publisher\ttoken:own\tmain/pypi/demo-*" in listed


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--for", "robot:ci", "--role", "reader"), "leave out --role"),
        (("--for", "robot:ci", "--server"), "leave out --role"),
        (("--for", "robot:nope"), "The robot nope"),
        (("--for", "alice"), "no subject"),
        (("--for", "token:administrator"), "make one for a robot instead"),
        (("--for", "robot:ci", "--owner", "nobody"), "The owner nobody"),
        (("--for", "robot:ci", "--project", "a?"), "no separator at either end"),
        (("--for", "robot:ci", "--days", "1", "--expires", "2100-01-01"), "not both"),
        (("--for", "robot:ci", "--expires", "2020-01-01"), "expired already"),
        (("--for", "robot:ci", "--expires", "soon"), "neither 2027-01-31 nor"),
        (("--for", "robot:ci", "--description", "a\nb"), "one line"),
        (("--project", "a", "--project", "b"), "takes one --project"),
        (("--action", "fly"), "fly"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_in_a_sentence(folder: Path, arguments: tuple[str, ...], word: str) -> None:
    """And no token is made."""
    refused = call("token", "create", "x", *arguments, folder=folder)
    assert (refused.returncode, refused.stdout, word in refused.stderr) == (2, "", True)
    assert "x\t" not in call("token", "list", folder=folder).stdout
