"""Owners that got another name: reading is redirected, changing is not, and strangers learn nothing."""

from __future__ import annotations

import json

import pytest

from pypiserve.core.identity import Role
from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest

WHEEL = a_wheel("demo", "1.0")
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def server(make_server: MakeServer) -> ServerUnderTest:
    """Return a server whose owner ``Acme`` is called ``Corp`` now, in the very same process."""
    server = make_server()
    with server.catalog() as catalog:
        catalog.accounts.create_owner("Acme", public=True)
    assert server.publish(WHEEL, path="/api/packages/acme/pypi/").status == 201
    assert server.get("/api/packages/acme/pypi/simple/demo/").status == 200
    with server.catalog() as catalog:
        catalog.accounts.owners.rename("acme", "Corp")
    return server


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/packages/{}/pypi/simple/",
        "/api/packages/{}/pypi/simple/demo/?format=x",
        f"/api/packages/{{}}/pypi/files/demo/1.0/{WHEEL.filename}",
        "/api/packages/{}/pypi/pypi/demo/json",
        f"/packages/{{}}/pypi/demo/1.0/{WHEEL.filename}",
        "/api/packages/{}/pypi",
        "/api/v1/packages/{}",
        "/api/v1/packages/{}/pypi/demo",
    ],
)
def test_reading_is_redirected(server: ServerUnderTest, method: str, path: str) -> None:
    """From the old name, in any letter case, to the same place under the new one."""
    for name in ("Acme", "acme", "%41cme"):
        reply = server.request(method, path.format(name))
        assert (reply.status, reply.headers["location"]) == (301, path.format("Corp"))
        assert reply.headers["cache-control"] == "no-store"
    assert server.get("/api/packages/corp/pypi/simple/demo/").status == 200


def test_changing_is_not_redirected(server: ServerUnderTest) -> None:
    """The sentence has the new name: a client that followed would lose its body, or its credentials."""
    reply = server.publish(a_wheel("demo", "2.0"), path="/api/packages/acme/pypi/")
    assert reply.status == 410
    assert "location" not in reply.headers
    assert "is called Corp now" in reply.text
    headers = {"Authorization": f"Bearer {server.token}"}
    assert server.request("DELETE", "/api/v1/packages/acme/pypi/demo", headers=headers).status == 410
    assert server.publish(a_wheel("demo", "2.0"), path="/api/packages/corp/pypi/").status == 201


def test_links_have_the_new_name(server: ServerUnderTest) -> None:
    """Nothing that was kept under the old name is served, also after the owner has it back."""
    page = json.loads(server.get("/api/packages/corp/pypi/simple/demo/", accept=JSON).body)
    assert page["files"][0]["url"].startswith("/api/packages/Corp/pypi/files/")
    assert server.publish(a_wheel("demo", "3.0"), path="/api/packages/corp/pypi/").status == 201
    with server.catalog() as catalog:
        catalog.accounts.owners.rename("corp", "acme")
    page = json.loads(server.get("/api/packages/acme/pypi/simple/demo/", accept=JSON).body)
    assert [file["url"].split("/")[3] for file in page["files"]] == ["acme", "acme"]
    assert server.get("/api/packages/Corp/pypi/simple/").headers["location"] == "/api/packages/acme/pypi/simple/"


def test_a_private_owner_tells_its_name_to_those_who_may_know_it(server: ServerUnderTest) -> None:
    """To strangers the old name, the new one and any other are the same."""
    with server.catalog() as catalog:
        catalog.accounts.set_visibility("corp", public=False)
        catalog.accounts.create_owner("elsewhere", public=True)
        stranger = catalog.accounts.create_token("stranger", Role.READER, owner="elsewhere").secret
        reader = catalog.accounts.create_token("reader", Role.READER, owner="corp").secret
    for token in (None, stranger):
        told = set()
        for name in ("acme", "corp", "nobody"):
            reply = server.get(f"/api/packages/{name}/pypi/simple/", token=token)
            told.add((reply.status, reply.text.replace(name, "*"), "location" in reply.headers))
        assert len(told) == 1
    assert server.get("/api/packages/acme/pypi/simple/", token=reader).status == 301
    assert server.publish(WHEEL, token=reader, path="/api/packages/acme/pypi/").status == 410


def test_the_root_index_goes_on_under_its_old_name(server: ServerUnderTest) -> None:
    """The settings name it by the old name: the host's root reads and publishes all the same."""
    with server.catalog() as catalog:
        catalog.accounts.owners.rename("main", "core")
    assert server.get("/simple/").status == 200
    assert server.publish(WHEEL, path="/").status == 201
    assert server.get("/simple/demo/").status == 200


def test_the_change_log_goes_on(server: ServerUnderTest) -> None:
    """What was published under the old name is still a change of the index."""
    body = (
        b"<?xml version='1.0'?><methodCall><methodName>changelog_since_serial</methodName>"
        b"<params><param><value><int>0</int></value></param></params></methodCall>"
    )
    reply = server.request("POST", "/api/packages/corp/pypi/pypi", headers={"Content-Type": "text/xml"}, body=body)
    assert reply.status == 200
    assert "demo" in reply.text
