"""The commands of administrators with ``--url``: what they print is what they print beside the data folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Finished, call, is_refusal

from pypiserve.core.identity import Role
from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

HERE = "beside the data folder"
THERE = "on a running server"


class Desk:
    """Calls commands at one place or the other."""

    def __init__(self, server: ServerUnderTest, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self._elsewhere = elsewhere
        self._monkeypatch = monkeypatch

    def call(self, *words: str, place: str = THERE, token: str | None = None) -> Finished:
        """Run a command; on the server from a folder in which nothing is."""
        if place == HERE:
            return call(*words, folder=self.server.folder)
        with self._monkeypatch.context() as patch:
            patch.setenv("PYPISERVE_TOKEN", self.server.token if token is None else token)
            return call(*words, "--url", self.server.url, folder=self._elsewhere)


@pytest.fixture
def desk(server: ServerUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk at a server that has something of each kind."""
    for version in ("1.0", "2.0"):
        server.publish(a_wheel("demo", version))
    return Desk(server, tmp_path, monkeypatch)


STORY: list[tuple[str, ...]] = [
    ("owner", "create", "{0}", "--private"),
    ("owner", "create", "{0}"),
    ("owner", "visibility", "{0}", "internal"),
    ("owner", "visibility", "nobody", "internal"),
    ("index", "create", "{0}/dev", "existing_files=overwrite"),
    ("index", "rules", "{0}/dev", "retention_days=3", "max_file_size_bytes=10"),
    ("index", "rules", "{0}/dev", "--reset", "retention_days"),
    ("index", "rules", "{0}/dev", "retention_days=never"),
    ("index", "rules", "{0}/nope"),
    ("team", "create", "{0}/devs"),
    ("team", "add", "{0}/devs", "htpasswd:a/b"),
    ("team", "add", "{0}/devs", "htpasswd:a/b"),
    ("team", "list", "{0}"),
    ("role", "grant", "publisher", "team:{0}/devs", "--owner", "{0}", "--index", "dev", "--project", "a-*"),
    ("role", "grant", "reader", "htpasswd:bob", "--server"),
    ("role", "list", "--owner", "{0}"),
    ("owner", "list"),
    ("index", "list"),
    ("explain", "htpasswd:bob", "read", "{0}"),
    ("explain", "htpasswd:bob", "publish", "{0}/dev"),
    ("explain", "bob", "publish", "{0}/dev"),
    ("withdraw", "htpasswd:bob", "--server"),
    ("withdraw", "htpasswd:bob", "--server"),
    ("robot", "create", "{0}bot", "--owner", "{0}", "--description", "CI"),
    ("robot", "disable", "{0}bot"),
    ("robot", "list", "--owner", "{0}"),
    ("robot", "enable", "{0}bot"),
    ("user", "disable", "htpasswd:{0}"),
    ("user", "disable", "htpasswd:{0}"),
    ("user", "enable", "htpasswd:{0}"),
    ("user", "enable", "htpasswd:nobody"),
    ("team", "remove", "{0}/devs", "htpasswd:a/b"),
    ("team", "delete", "{0}/devs"),
    ("robot", "delete", "{0}bot"),
    ("owner", "rename", "{0}", "{0}-co"),
]


def test_the_words_are_the_same_at_both_places(desk: Desk) -> None:
    """One story is done twice, with an owner of its own each time; what is printed differs in its name only."""
    told = {
        place: [_said(desk.call(*(word.format(name) for word in words), place=place), name) for words in STORY]
        for place, name in ((HERE, "aaaa"), (THERE, "bbbb"))
    }
    for words, here, there in zip(STORY, told[HERE], told[THERE], strict=True):
        if words[1:] != ("list",):  # which has the owner of the other story as well
            assert there == here, words
        assert there[0] == here[0], words
    assert "bbbb" in str(told[THERE]) or "OWNER" in str(told[THERE])


def _said(finished: Finished, name: str) -> tuple[int, str, str]:
    return finished.returncode, finished.stdout.replace(name, "OWNER"), finished.stderr.replace(name, "OWNER")


def test_releases_are_yanked_deleted_and_restored(desk: Desk) -> None:
    """With the index named, as the server's root index is not known here."""
    index = ("--index", "main/pypi")
    assert desk.call("yank", "demo", "1.0", "--reason", "broken", *index).stdout == "Yanked demo 1.0.\n"
    assert desk.call("unyank", "demo", "1.0", *index).stdout == "Unyanked demo 1.0.\n"
    gone = desk.call("delete", "demo", "1.0", "--yes", *index)
    assert gone.stdout.startswith("demo-1.0-py3-none-any.whl\nDeleted demo 1.0. Until 20")
    listed = [desk.call("deleted", *index, place=place).stdout for place in (HERE, THERE)]
    assert [line.split("\t")[0] for line in listed[1].splitlines()] == ["demo-1.0-py3-none-any.whl"]
    assert desk.call("restore", "demo", "1.0", *index).stdout == "demo-1.0-py3-none-any.whl\nRestored demo 1.0.\n"
    assert desk.call("status", "demo", "archived", *index).stdout == "demo is archived.\n"
    assert is_refusal(desk.call("yank", "demo", "9.0", *index), "9.0", "not found")
    assert "no root index is known here" in desk.call("yank", "demo", "1.0").stderr


def test_the_audit_is_the_same(desk: Desk) -> None:
    """Line by line, however many pages it has."""
    with desk.server.catalog() as catalog:
        for number in range(120):
            catalog.accounts.create_owner(f"o{number}", public=False)
    desk.call("team", "create", "main/devs")
    whole = [desk.call("audit", "--all", "--json", place=place).stdout for place in (HERE, THERE)]
    assert whole[0] == whole[1]
    assert len(whole[1].splitlines()) > 240
    assert "from 127.0.0.1" in desk.call("audit", "--kind", "team", "--limit", "1").stdout


def test_tokens_are_made_and_revoked(desk: Desk) -> None:
    """For a robot; a token with a role of its own is made beside the data folder."""
    desk.call("robot", "create", "ci", "--owner", "main")
    desk.call("grant", "publisher", "robot:ci", "--owner", "main")
    made = desk.call("token", "create", "job", "--for", "robot:ci", "--project", "demo")
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    assert desk.server.get("/simple/", token=secret).status == 200
    assert secret not in desk.call("token", "list").stdout
    assert "job" in desk.call("token", "list", "--for", "robot:ci").stdout
    assert is_refusal(desk.call("token", "create", "own"), "beside the data folder")
    assert desk.call("token", "revoke", "job").stdout == "Revoked job.\n"
    assert desk.server.get("/simple/", token=secret).status == 401


def test_who_may_not_is_told_so(desk: Desk) -> None:
    """The server decides; its sentence is what is printed."""
    with desk.server.catalog() as catalog:
        catalog.accounts.create_owner("acme", public=False)
        token = catalog.accounts.create_token("lead", Role.OWNER, owner="acme").secret
    assert is_refusal(desk.call("owner", "create", "x", token=token), "token:lead may not do this")
    assert desk.call("owner", "list", token=token).stdout == "acme\tprivate\n  owner\ttoken:lead\n"
    assert is_refusal(desk.call("owner", "list", token="pypiserve_cut"), "misspelt")


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1", "http://user:password@127.0.0.1", "http://"])
def test_wrong_addresses(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused before a token goes anywhere."""
    monkeypatch.setenv("PYPISERVE_TOKEN", "secret")
    finished = call("owner", "list", "--url", url, folder=tmp_path)
    assert (finished.returncode, "--url is the address" in finished.stderr) == (2, True)


def test_servers_that_do_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says so."""
    monkeypatch.setenv("PYPISERVE_TOKEN", "secret")
    assert is_refusal(call("owner", "list", "--url", "http://127.0.0.1:1", folder=tmp_path), "cannot be asked")
