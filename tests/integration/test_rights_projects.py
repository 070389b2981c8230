"""Rights to some projects of an index, over the wire: lists are cut, and the rest looks missing."""

from __future__ import annotations

import json
import xmlrpc.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pypiserve.catalog.database import Connection
from pypiserve.catalog.grants import grant_role
from pypiserve.core.events import OPERATOR
from pypiserve.core.identity import ANYONE, Role
from pypiserve.services.grants import PlaceNames, place_of
from pypiserve.testing import a_wheel
from pypiserve.testing.server import Reply, ServerUnderTest

JSON = "application/vnd.pypi.simple.v1+json"
ACME, OTHER = a_wheel("acme-core", "1.0"), a_wheel("other", "1.0")
BASE = "/api/packages/closed/pypi"
API = "/api/v1/packages/closed"


@dataclass
class Parts:
    """A server with a private index of two projects, and a token for ``acme-*`` in each role."""

    server: ServerUnderTest
    tokens: Mapping[Role, str]

    def get(self, path: str, *, role: Role | None = Role.READER, accept: str = JSON) -> Reply:
        """Read as the holder of a role."""
        token = None if role is None else self.tokens[role]
        return self.server.get(path, token=token, accept=accept)

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of XML-RPC as a reader."""
        headers = {"Authorization": f"Bearer {self.tokens[Role.READER]}", "Content-Type": "text/xml"}
        body = xmlrpc.client.dumps(arguments, method).encode()
        reply = self.server.request("POST", f"{BASE}/pypi", headers=headers, body=body)
        assert reply.status == 200
        return xmlrpc.client.loads(reply.body)[0][0]

    def document(self, path: str, *, role: Role = Role.READER) -> Any:
        """Read JSON."""
        reply = self.get(path, role=role)
        assert reply.status == 200
        return json.loads(reply.body)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Return the server; the tests of this module share it and leave the roles as they are."""
    with ServerUnderTest(tmp_path_factory.mktemp("site")) as server:
        tokens = {}
        with server.catalog() as catalog:
            accounts = catalog.accounts
            accounts.create_owner("Closed", public=False)
            accounts.create_owner("elsewhere", public=True)
            for role in (Role.READER, Role.PUBLISHER, Role.MAINTAINER):
                tokens[role] = accounts.create_token(role.value, Role.READER, owner="elsewhere").secret
                accounts.grants.grant(f"token:{role.value}", role, PlaceNames("closed", "pypi", "acme-*"))
        for wheel in (ACME, OTHER):
            assert server.publish(wheel, path=f"{BASE}/").status == 201
        yield Parts(server, tokens)


def test_the_project_list_is_cut(parts: Parts) -> None:
    """Who may read some projects sees those, in both forms; the whole list stays as it is for others."""
    for _ in range(2):
        found = parts.document(f"{BASE}/simple/")
        assert [project["name"] for project in found["projects"]] == ["acme-core"]
    assert "other" not in parts.get(f"{BASE}/simple/", accept="text/html").text
    whole = parts.server.get(f"{BASE}/simple/", token=parts.server.token, accept=JSON)
    assert len(json.loads(whole.body)["projects"]) == 2
    reply = parts.get(f"{BASE}/simple/")
    assert reply.headers["cache-control"] == "private, no-cache"
    assert reply.headers["x-pypi-last-serial"] == str(found["meta"]["_last-serial"])
    assert reply.headers["x-pypi-last-serial"] < whole.headers["x-pypi-last-serial"]


PROJECT_PATHS = {
    "page": f"{BASE}/simple/NAME/",
    "page without slash": f"{BASE}/simple/NAME",
    "file": f"{BASE}/files/NAME/1.0/FILE",
    "metadata": f"{BASE}/files/NAME/1.0/FILE.metadata",
    "document": f"{BASE}/pypi/NAME/json",
    "feed": f"{BASE}/rss/project/NAME/releases.xml",
    "package": f"{API}/pypi/NAME",
    "release": f"{API}/pypi/NAME/1.0",
    "status": f"{API}/pypi/NAME/-/status",
}


@pytest.mark.parametrize("path", PROJECT_PATHS.values(), ids=PROJECT_PATHS)
def test_other_projects_look_missing(parts: Parts, path: str) -> None:
    """The same answer, but for the name, whether the project is out of reach or not there at all."""

    def ask(name: str, filename: str) -> tuple[int, Mapping[str, str], str]:
        reply = parts.get(path.replace("NAME", name).replace("FILE", filename))
        headers = {
            key: value
            for key, value in reply.headers.items()
            if key not in {"date", "content-length", "x-request-id"}
        }
        return reply.status, headers, reply.text.replace(name, "*")

    assert ask("other", OTHER.filename) == ask("absent", "absent-1.0-py3-none-any.whl")
    assert ask("other", OTHER.filename)[0] == 404
    assert parts.get(path.replace("NAME", "acme-core").replace("FILE", ACME.filename)).status == 200
    assert parts.get(path.replace("NAME", "other"), role=None).status == 401


def test_a_missing_page_within_reach_sounds_the_same(parts: Parts) -> None:
    """One sentence for all three."""
    texts = {parts.get(f"{BASE}/simple/{name}/").text.replace(name, "*") for name in ("other", "absent", "acme-x")}
    assert texts == {"The project * in Closed/pypi was not found\n"}


def test_packages_are_listed_within_reach(parts: Parts) -> None:
    """The list, its length, and a search in it know of no other project."""
    reply = parts.get(API)
    assert [package["name"] for package in json.loads(reply.body)] == ["acme-core"]
    assert reply.headers["x-total-count"] == "1"
    assert json.loads(parts.get(f"{API}?q=other").body) == []
    assert parts.get(f"{API}?deleted=true").status == 403


def test_what_is_about_an_index_is_about_the_projects_within_reach(parts: Parts) -> None:
    """Feeds, sizes, the change log and the search know of no other project, nor of the serial of its last change."""
    whole = parts.server.get(f"{BASE}/simple/", token=parts.server.token).headers["x-pypi-last-serial"]
    for path in ("rss/updates.xml", "rss/packages.xml", "stats"):
        reply = parts.get(f"{BASE}/{path}")
        assert (reply.status, "acme-core" in reply.text, "other" in reply.text) == (200, True, False)
        assert int(reply.headers["x-pypi-last-serial"]) < int(whole)
    assert parts.document(f"{BASE}/stats")["total_packages_size"] == len(ACME.content)
    call = parts.call
    assert call("list_packages") == ["acme-core"]
    assert list(call("list_packages_with_serial")) == ["acme-core"]
    assert {change[0] for change in call("changelog_since_serial", 0)} == {"acme-core"}
    assert call("changelog_last_serial") == call("list_packages_with_serial")["acme-core"]
    assert [found["name"] for found in call("search", {"name": ["o"]})] == ["acme-core"]


def test_publishing_is_for_the_projects_of_the_grant(parts: Parts) -> None:
    """Of another project it is told what it takes, whether there is one of that name or not; a reader likewise."""
    token = parts.tokens[Role.PUBLISHER]
    assert parts.server.publish(a_wheel("acme-new", "1.0"), token=token, path=f"{BASE}/").status == 201
    for wheel in (OTHER, a_wheel("absent", "1.0")):
        reply = parts.server.publish(wheel, token=token, path=f"{BASE}/")
        assert (reply.status, reply.text.replace(wheel.filename.split("-")[0], "*")) == (
            403,
            (
                "token:publisher may not publish to the project * in closed/pypi; "
                "ask an administrator for the role publisher of that project\n"
            ),
        )
    assert parts.server.publish(ACME, token=parts.tokens[Role.READER], path=f"{BASE}/").status == 403


def test_deleting_is_for_the_projects_of_the_grant(parts: Parts) -> None:
    """A maintainer of some projects deletes, lists what is deleted and restores there, and nowhere else."""
    token = parts.tokens[Role.MAINTAINER]
    wheel = a_wheel("acme-gone", "1.0")
    assert parts.server.publish(wheel, path=f"{BASE}/").status == 201

    def send(method: str, path: str, who: str = token) -> int:
        return parts.server.request(method, path, headers={"Authorization": f"Bearer {who}"}).status

    assert send("DELETE", f"{API}/pypi/other") == 404
    assert send("DELETE", f"{API}/pypi/acme-gone", parts.tokens[Role.PUBLISHER]) == 403
    assert send("DELETE", f"{API}/pypi/acme-gone") == 204
    second = a_wheel("zzz", "1.0")
    assert parts.server.publish(second, path=f"{BASE}/").status == 201
    assert send("DELETE", f"{API}/pypi/zzz", parts.server.token) == 204
    deleted = parts.document(f"{API}?deleted=true", role=Role.MAINTAINER)
    assert [file["name"] for file in deleted] == ["acme-gone"]
    assert send("POST", f"{API}/pypi/acme-gone/-/restore") == 200


def test_some_projects_can_be_open_to_everybody(parts: Parts) -> None:
    """Without credentials those are served, privately cached, and all others ask for credentials."""
    with parts.server.catalog() as catalog:
        catalog.accounts.grants.grant(ANYONE, Role.READER, PlaceNames("closed", projects="other"))
    assert parts.get(f"{BASE}/simple/other/", role=None).status == 200
    for name in ("acme-core", "absent"):
        assert parts.get(f"{BASE}/simple/{name}/", role=None).status == 401
    found = json.loads(parts.get(f"{BASE}/simple/", role=None).body)
    assert [project["name"] for project in found["projects"]] == ["other"]
    with parts.server.catalog() as catalog:
        catalog.accounts.grants.withdraw(ANYONE, PlaceNames("closed", projects="other"))
    assert parts.get(f"{BASE}/simple/other/", role=None).status == 401


def test_a_thousand_patterns_are_no_trouble(parts: Parts) -> None:
    """A list is made of them all, in the catalog and in memory."""
    with parts.server.catalog() as catalog:
        accounts = catalog.accounts
        token = accounts.create_token("many", Role.READER, owner="elsewhere").secret
        place = accounts._database.read_now(
            lambda connection: place_of(connection, PlaceNames("closed", projects="acme-*"))
        )

        def work(connection: Connection) -> None:
            for number in range(1200):
                here = replace(place, projects=f"acme-{number}*" if number else "acme-*")
                grant_role(
                    connection,
                    here,
                    grantee="token:many",
                    role=Role.READER,
                    team_id=None,
                    by=OPERATOR,
                    now=datetime.now(UTC),
                )

        accounts._database.write_now(work)
    reply = parts.server.get(API, token=token)
    assert reply.status == 200
    assert "acme-core" in {package["name"] for package in json.loads(reply.body)}
    assert "other" not in {package["name"] for package in json.loads(reply.body)}
    assert parts.server.get(f"{BASE}/simple/", token=token, accept=JSON).status == 200
