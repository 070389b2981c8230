"""``pypiserve delete``, ``restore``, ``deleted`` and ``yank --file``, as operators type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import call, is_refusal
from forked_server import ForkedServer

from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer


def test_delete_asks_for_the_name(tmp_path: Path) -> None:
    """Without --yes and without the name nothing is deleted."""
    with ForkedServer(tmp_path) as server:
        server.publish(a_wheel("demo", "1.0"))
        for answer in ("", "y\n", "Demo\n"):
            refused = call("delete", "demo", folder=tmp_path, answer=answer)
            assert (refused.returncode, "Aborted!" in refused.stderr) == (1, True)
        assert server.get("/simple/demo/").status == 200


def test_delete_says_how_to_take_it_back(tmp_path: Path) -> None:
    """The command that it prints does it; the list of what is deleted has it until then."""
    name = a_wheel("demo", "1.0").filename
    with ForkedServer(tmp_path) as server:
        server.publish(a_wheel("demo", "1.0"))
        for words in ((), ("1.0",), ("1.0", "--file", name)):
            gone = call("delete", "demo", *words, "--yes", folder=tmp_path)
            assert gone.stdout.splitlines()[0] == name
            assert server.get("/simple/demo/").status == 404
            listed = json.loads(call("deleted", "--json", folder=tmp_path).stdout)
            assert [(each["filename"], each["version"]) for each in listed] == [(name, "1.0")]
            assert listed[0]["restorable_until"] > listed[0]["deleted_at"]
            assert name in call("deleted", "demo", folder=tmp_path).stdout
            again = gone.stdout.rpartition("takes it back: pypiserve ")[2].split()
            assert again == ["restore", "demo", *words]
            assert call(*again, folder=tmp_path).stderr == ""
            assert server.get("/simple/demo/").status == 200
            assert call("deleted", folder=tmp_path).stdout == ""


def test_one_file_is_yanked_by_name(tmp_path: Path) -> None:
    """The option --file leaves the rest of the release as it is."""
    name = a_wheel("demo", "1.0").filename
    with ForkedServer(tmp_path) as server:
        server.publish(a_wheel("demo", "1.0"))
        server.publish(a_wheel("demo", "1.0", tag="py2-none-any"))
        assert call("yank", "demo", "1.0", "--file", name, folder=tmp_path).stderr == ""
        assert server.get("/simple/demo/").body.count(b"data-yanked") == 1
        assert call("unyank", "demo", "1.0", "--file", name, folder=tmp_path).stderr == ""
        assert b"data-yanked" not in server.get("/simple/demo/").body


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("delete", "missing", "--yes"), ("missing",)),
        (("delete", "demo", "9", "--yes"), ("9", "demo")),
        (("restore", "demo"), ("deleted file", "demo")),
        (("yank", "demo", "1.0", "--file", "none.whl"), ("none.whl",)),
    ],
)
def test_curation_that_is_refused(
    make_server: MakeServer, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """One line says what is not there."""
    server = make_server("")
    server.publish(a_wheel("demo", "1.0"))
    assert is_refusal(call(*arguments, folder=server.folder), *words)


def test_a_file_takes_its_version(tmp_path: Path) -> None:
    """A file name alone is no target."""
    for command in ("delete", "restore"):
        refused = call(command, "demo", "--file", "x.whl", folder=tmp_path)
        assert (refused.returncode, "Give the VERSION" in refused.stderr) == (2, True)
