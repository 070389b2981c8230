"""XML-RPC: the change log tells of each kind of change as PyPI does, and ``search`` finds projects by name."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import pytest

from pypiserve.core.model import ProjectStatus
from pypiserve.services.curation import Target
from pypiserve.testing import a_wheel, an_sdist
from pypiserve.testing.server import ServerUnderTest


def ask(server: ServerUnderTest, method: str, *arguments: Any, path: str = "/pypi") -> Any:
    """Call a method; faults are raised."""
    body = xmlrpc.client.dumps(arguments, method).encode()
    reply = server.request("POST", path, headers={"Content-Type": "text/xml"}, body=body)
    assert reply.status == 200
    return xmlrpc.client.loads(reply.body)[0][0]


def changes(server: ServerUnderTest, since: int = 0) -> list[tuple[str, str | None, str]]:
    """Return project, version and action of each change."""
    return [(row[0], row[1], row[3]) for row in ask(server, "changelog_since_serial", since)]


def test_the_first_file_begins_a_project_and_a_release(server: ServerUnderTest) -> None:
    """A project and a release come up before their first file, with its serial, and never again."""
    for built in (a_wheel("demo", "1.0"), an_sdist("demo", "1.0"), a_wheel("demo", "2.0")):
        server.publish(built)
    rows = ask(server, "changelog_since_serial", 0)
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("demo", None, "create"),
        ("demo", "1.0", "new release"),
        ("demo", "1.0", "add py3 file demo-1.0-py3-none-any.whl"),
        ("demo", "1.0", "add source file demo-1.0.tar.gz"),
        ("demo", "2.0", "new release"),
        ("demo", "2.0", "add py3 file demo-2.0-py3-none-any.whl"),
    ]
    assert len({row[4] for row in rows}) == 3
    assert ask(server, "changelog_since_serial", rows[2][4]) == rows[3:]


def test_a_full_answer_ends_between_serials(server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that asks again from the last serial of a full answer misses nothing."""
    monkeypatch.setattr("pypiserve.services.changelog.MAX_CHANGES", 4)
    for version in ("1.0", "2.0", "3.0"):
        server.publish(a_wheel("demo", version))
    first = ask(server, "changelog_since_serial", 0)
    assert [row[3] for row in first] == ["create", "new release", "add py3 file demo-1.0-py3-none-any.whl"]
    assert [row[1] for row in ask(server, "changelog_since_serial", first[-1][4])] == ["2.0", "2.0", "3.0", "3.0"]


def test_changes_after_publishing(server: ServerUnderTest) -> None:
    """What is yanked, deleted, restored and withheld is told, and the document follows."""
    server.publish(a_wheel("demo", "1.0"))
    start = ask(server, "changelog_last_serial")
    name = "demo-1.0-py3-none-any.whl"
    file, release, project = Target("demo", "1.0", name), Target("demo", "1.0"), Target("demo")
    with server.catalog() as catalog:
        curation = catalog.curation
        for target in (file, release):
            curation.apply_now("main/pypi", curation.yank(target))
            curation.apply_now("main/pypi", curation.unyank(target))
        for target in (file, release, project):
            curation.apply_now("main/pypi", curation.delete(target))
            assert ask(server, "list_packages") == []
            assert server.get("/pypi/demo/json").status == 404
            curation.apply_now("main/pypi", curation.restore(target))
        curation.set_status("main/pypi", "demo", ProjectStatus.ARCHIVED)
    assert changes(server, start) == [
        ("demo", "1.0", f"yank file {name}"),
        ("demo", "1.0", f"unyank file {name}"),
        ("demo", "1.0", "yank release"),
        ("demo", "1.0", "unyank release"),
        ("demo", "1.0", f"remove file {name}"),
        ("demo", "1.0", f"add py3 file {name}"),
        ("demo", "1.0", "remove release"),
        ("demo", "1.0", "new release"),
        ("demo", None, "remove project"),
        ("demo", None, "create"),
        ("demo", None, "set status archived"),
    ]
    assert server.get("/pypi/demo/json").status == 200


def names(server: ServerUnderTest, *arguments: Any) -> list[tuple[str, str]]:
    """Search, and return names and versions."""
    return [(found["name"], found["version"]) for found in ask(server, "search", *arguments)]


def test_search(server: ServerUnderTest) -> None:
    """Names that have all the words are found, or with "or" those that have one, in any spelling."""
    for name, version in (("red-fox", "1.0"), ("red-fox", "2.0"), ("red-owl", "1.0"), ("blue-owl", "3.0rc1")):
        server.publish(a_wheel(name, version))
    assert names(server, {"name": ["Red_", "fox"], "summary": ["red"]}) == [("red-fox", "2.0")]
    assert names(server, {"name": ["fox", "blue"]}, "or") == [("blue-owl", "3.0rc1"), ("red-fox", "2.0")]
    assert names(server, {"name": "OWL"}, "and") == [("blue-owl", "3.0rc1"), ("red-owl", "1.0")]
    assert names(server, {"name": ["%"]}, "or") == names(server, {"name": []}) == []
    with server.catalog() as catalog:
        catalog.curation.set_status("main/pypi", "red-owl", ProjectStatus.QUARANTINED)
        catalog.curation.apply_now("main/pypi", catalog.curation.delete(Target("blue-owl")))
    assert names(server, {"name": ["owl"]}) == []


def test_search_is_bounded(server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more projects are told than the bound says."""
    monkeypatch.setattr("pypiserve.services.search.MAX_FOUND", 2)
    for name in ("demo-a", "demo-b", "demo-c"):
        server.publish(a_wheel(name, "1.0"))
    assert names(server, {"name": ["demo"]}) == [("demo-a", "1.0"), ("demo-b", "1.0")]


@pytest.mark.parametrize("path", ["/RPC2", "/RPC2/", "/api/packages/main/pypi/RPC2"])
def test_other_methods_and_addresses(server: ServerUnderTest, path: str) -> None:
    """PyPI's other methods have empty answers, at its other address too."""
    server.publish(a_wheel("demo", "1.0"))
    assert ask(server, "package_roles", "demo", path=path) == []
    assert ask(server, "user_packages", "anyone", path=path) == []
    assert ask(server, "browse", ["Private :: Do Not Upload"], path=path) == []
    assert ask(server, "list_packages", path=path) == ["demo"]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("search", ()),
        ("search", ("demo",)),
        ("search", ({"summary": ["demo"]},)),
        ("search", ({"name": ["demo"]}, "xor")),
        ("package_roles", ()),
        ("browse", ("demo",)),
        ("list_packages", (1,)),
    ],
)
def test_wrong_arguments(server: ServerUnderTest, method: str, arguments: tuple[Any, ...]) -> None:
    """A method that is offered says so of other arguments."""
    with pytest.raises(xmlrpc.client.Fault) as caught:
        ask(server, method, *arguments)
    assert caught.value.faultCode == -32602
