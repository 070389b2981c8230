"""The commands that change a catalog, beside a running server and without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import call, is_refusal
from forked_server import ForkedServer

from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest


@pytest.fixture
def folder(make_server: MakeServer) -> Path:
    """Return a folder whose server was started once, published ``demo`` 1.0, and stopped."""
    server = make_server()
    server.publish(a_wheel("demo", "1.0"))
    server.stop()
    return server.folder


def test_tokens_from_birth_to_death(folder: Path) -> None:
    """A token is made, listed without its secret, refused a second time, and revoked once."""
    made = call("token", "create", "ci", "--role", "reader", "--days", "3", "--json", folder=folder)
    document = json.loads(made.stdout)
    assert made.stderr == ""
    assert document["token"].startswith("pypiserve_")
    assert (document["name"], document["role"], document["owner"]) == ("ci", "reader", "main")
    listed = call("token", "list", folder=folder).stdout
    assert "ci\treader of main\texpires " in listed
    assert "administrator\tadministrator of the whole server\tvalid" in listed
    rows = json.loads(call("token", "list", "--json", folder=folder).stdout)
    assert [(row["name"], row["roles"]) for row in rows][1:] == [("ci", "reader of main")]
    assert document["token"] not in listed
    assert is_refusal(call("token", "create", "ci", folder=folder), "ci", "exists")
    assert call("token", "revoke", "ci", folder=folder).stdout == "Revoked ci.\n"
    assert "ci\treader of main\trevoked" in call("token", "list", folder=folder).stdout
    assert is_refusal(call("token", "revoke", "ci", folder=folder), "ci")
    assert is_refusal(call("token", "create", "ci", folder=folder), "existed")


def test_a_token_is_the_only_word_on_standard_output(folder: Path) -> None:
    """So that ``TOKEN=$(pypiserve token create NAME)`` works; the explanation goes to standard error."""
    made = call("token", "create", "plain", "--server", folder=folder)
    assert made.stdout.startswith("pypiserve_")
    assert made.stdout.count("\n") == 1
    assert "publisher of the whole server" in made.stderr


@pytest.mark.parametrize("name", ["", " ", "-x", "a b", "a/b", "a\nb", "ü", "x" * 65])
def test_bad_names_are_refused(folder: Path, name: str) -> None:
    """Names of tokens and of owners are checked, in a sentence that says what a name is."""
    assert is_refusal(call("token", "create", "--", name, folder=folder), "name")
    assert is_refusal(call("owner", "create", "--", name, folder=folder), "name")


def test_owners_and_grants(folder: Path) -> None:
    """Owners are made, listed, hidden; roles are given and taken; each twice is a refusal where it must be."""
    assert call("owner", "create", "Acme", "--private", folder=folder).stdout == "Made Acme/pypi, private.\n"
    assert is_refusal(call("owner", "create", "ACME", folder=folder), "exists already")
    assert is_refusal(call("owner", "create", "simple", folder=folder), "reserved")
    granted = call("grant", "publisher", "htpasswd:alice", "--owner", "acme", folder=folder)
    assert granted.stdout == "htpasswd:alice is publisher of Acme.\n"
    assert call("grant", "reader", "signed-in", "--server", folder=folder).returncode == 0
    assert is_refusal(call("grant", "reader", "alice", "--owner", "acme", folder=folder), "'alice' is no subject")
    assert is_refusal(call("grant", "reader", "anyone", "--owner", "nobody", folder=folder), "nobody")
    assert is_refusal(call("grant", "reader", "token:nope", "--server", folder=folder), "API token nope")
    listed = call("owner", "list", folder=folder).stdout
    assert "Acme\tprivate\n  publisher\thtpasswd:alice\n" in listed
    assert "(server)\n  reader\tsigned-in\n  administrator\ttoken:administrator\n" in listed
    assert call("withdraw", "htpasswd:alice", "--owner", "Acme", folder=folder).returncode == 0
    assert is_refusal(call("withdraw", "htpasswd:alice", "--owner", "Acme", folder=folder), "was not found")
    assert call("owner", "visibility", "acme", "public", folder=folder).stdout == "acme is public.\n"
    assert "Acme\tpublic\n" in call("owner", "list", folder=folder).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("grant", "reader", "anyone"),
        ("grant", "reader", "anyone", "--owner", "main", "--server"),
        ("grant", "king", "anyone", "--server"),
        ("grant", "reader", "anyone", "--server", "--index", "pypi"),
        ("withdraw", "anyone"),
        ("team", "create", "devs"),
        ("token", "create", "x", "--owner", "main", "--server"),
        ("token", "create", "x", "--days", "0"),
        ("token", "create", "x", "--role", "king"),
        ("owner", "visibility", "main", "open"),
        ("status", "demo", "lost"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_explained(folder: Path, arguments: tuple[str, ...]) -> None:
    """Exit code 2 and a hint, never a traceback."""
    finished = call(*arguments, folder=folder)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "Error: " in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("yank", "demo", "9"), "9"),
        (("yank", "missing", "1.0"), "missing"),
        (("yank", "-bad-", "1.0"), "-bad-"),
        (("yank", "demo", "one"), "'one' is not a version"),
        (("unyank", "demo", "1.0", "--index", "main"), "main"),
        (("yank", "demo", "1.0", "--index", "nobody/pypi"), "nobody/pypi"),
        (("status", "missing", "archived"), "missing"),
    ],
    ids=str,
)
def test_what_is_not_there_cannot_be_curated(folder: Path, arguments: tuple[str, ...], word: str) -> None:
    """A typing error changes nothing and is named."""
    command, *rest = arguments
    assert is_refusal(
        call(command, "--", *rest, folder=folder) if "--index" not in rest else call(*arguments, folder=folder), word
    )


def test_a_folder_without_a_catalog_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A mistyped ``--data`` makes no second catalog beside the real one."""
    for arguments in (("token", "list"), ("token", "create", "x"), ("owner", "create", "x"), ("yank", "demo", "1.0")):
        finished = call(*arguments, "--data", "typo", folder=tmp_path)
        assert is_refusal(finished, "no catalog", "typo", "pypiserve serve")
    assert list(tmp_path.iterdir()) == []


def test_status_and_yank_beside_a_running_server(tmp_path: Path) -> None:
    """What the command line changes holds in the server's next answer."""
    with ForkedServer(tmp_path) as server:
        server.publish(a_wheel("demo", "1.0"))
        etags = {server.get("/simple/demo/").headers["etag"]}
        for arguments in (("yank", "Demo", "1.0.0"), ("unyank", "demo", "1.0"), ("status", "demo", "archived")):
            assert call(*arguments, folder=tmp_path).stderr == ""
            reply = server.get("/simple/demo/")
            assert (b"data-yanked" in reply.body) == (arguments[0] == "yank")
            etags.add(reply.headers["etag"])
        assert len(etags) == 3
        assert server.publish(a_wheel("demo", "2.0")).status == 403


def test_plugins_lists_what_is_there_and_what_is_used(tmp_path: Path) -> None:
    """The built-in plugins are listed like all others, with what the settings use of them."""
    (tmp_path / "pypiserve.toml").write_text('renderers = ["json"]\nplugins = ["plugin_parts"]\n')
    found = json.loads(call("plugins", "--json", folder=tmp_path).stdout)
    used = {(row["sort"], row["name"]): row["in_use"] for row in found["plugins"]}
    assert found["failures"] == []
    assert used["renderer", "json"]
    assert not used["renderer", "html"]
    assert not used["file store", "memory"]
    assert {row["distribution"] for row in found["plugins"] if row["name"] == "memory"} == {"module plugin_parts"}
    assert used["command", "htpasswd"]


def test_a_plugin_that_is_not_used_may_be_broken(make_server: MakeServer) -> None:
    """Kinds that nobody picked are not built: being installed is not being in use."""
    server: ServerUnderTest = make_server('plugins = ["plugin_parts"]')
    assert server.publish(a_wheel()).status == 201
