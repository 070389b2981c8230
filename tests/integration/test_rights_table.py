"""Who may do what: one table, asked over the wire."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from pypiserve.core.identity import ANYONE, SIGNED_IN, Role
from pypiserve.testing import a_wheel
from pypiserve.testing.server import Reply, ServerUnderTest, multipart_form

WHEEL = a_wheel("demo", "1.0")
PATHS = {
    "list": "simple/",
    "slash-less list": "simple",
    "page": "simple/demo/",
    "unnormalised page": "simple/Demo/",
    "file": f"files/demo/1.0/{WHEEL.filename}",
    "metadata": f"files/demo/1.0/{WHEEL.filename}.metadata",
    "description": "",
    "document": "pypi/demo/json",
    "document for mirrors": "mirror/pypi/demo/json",
    "list for mirrors": "mirror/simple/",
    "new releases": "rss/updates.xml",
    "new projects": "rss/packages.xml",
    "releases of a project": "rss/project/demo/releases.xml",
    "sizes": "stats",
}
WHO = ("anonymous", "stranger", "reader", "publisher", "maintainer", "owner", "server administrator")


@dataclass
class Rights:
    """A server with a public and a private owner, and a token for everybody in ``WHO``."""

    server: ServerUnderTest
    tokens: Mapping[str, str]

    def read(self, owner: str, path: str, who: str, *, method: str = "GET", index: str = "pypi") -> Reply:
        """Ask for something."""
        address = f"/api/packages/{owner}/{index}/{path}"
        return self.server.request(method, address, headers=self.authorization(who))

    def publish(self, owner: str, who: str, *, version: str = "1.0") -> Reply:
        """Publish the wheel; the same bytes again succeed and change nothing."""
        built = a_wheel("demo", version)
        content_type, body = multipart_form(
            {":action": "file_upload", "sha256_digest": built.sha256}, built.filename, built.content
        )
        headers = {"Content-Type": content_type, **self.authorization(who)}
        return self.server.request("POST", f"/api/packages/{owner}/pypi/", headers=headers, body=body)

    def authorization(self, who: str) -> dict[str, str]:
        """Return the header of somebody."""
        return {"Authorization": f"Bearer {self.tokens[who]}"} if who in self.tokens else {}


@pytest.fixture(scope="module")
def rights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rights]:
    """Return the server; the tests of this module share it and leave the roles as they are."""
    with ServerUnderTest(tmp_path_factory.mktemp("site")) as server:
        tokens = {"server administrator": server.token}
        with server.catalog() as catalog:
            accounts = catalog.accounts
            accounts.create_owner("Open", public=True)
            accounts.create_owner("Closed", public=False)
            accounts.create_owner("elsewhere", public=True)
            tokens["stranger"] = accounts.create_token("stranger", Role.PUBLISHER, owner="elsewhere").secret
            for role in set(Role) - {Role.ADMINISTRATOR}:
                tokens[role.value] = accounts.create_token(f"one-{role.value}", role, owner="Closed").secret
                accounts.grant(f"token:one-{role.value}", role, owner="Open")
        rights = Rights(server, tokens)
        for owner in ("open", "closed"):
            assert rights.publish(owner, "server administrator").status == 201
        yield rights


READ = {
    "public": dict.fromkeys(WHO, 200),
    "private": {**dict.fromkeys(WHO, 200), "anonymous": 401, "stranger": 404},
}
PUBLISH = {
    "public": {**dict.fromkeys(WHO, 200), "anonymous": 401, "stranger": 403, "reader": 403},
    "private": {**dict.fromkeys(WHO, 200), "anonymous": 401, "stranger": 404, "reader": 403},
}
OWNERS = {"public": ["Open", "open", "OPEN"], "private": ["Closed", "closed", "cLOSED"]}


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("visibility", ["public", "private"])
@pytest.mark.parametrize("what", PATHS)
def test_reading(rights: Rights, who: str, visibility: str, what: str) -> None:
    """Every address of an index follows the one decision, in any spelling of the owner, for GET and HEAD."""
    for owner in OWNERS[visibility]:
        for method in ("GET", "HEAD"):
            reply = rights.read(owner, PATHS[what], who, method=method)
            expected = READ[visibility][who]
            if expected == 200 and what in {"slash-less list", "unnormalised page"}:
                expected = 301
            assert reply.status == expected
            assert ("www-authenticate" in reply.headers) == (expected == 401)
            if expected >= 400:
                assert reply.headers["cache-control"] == "no-store"
            elif visibility == "private":
                assert "private" in reply.headers["cache-control"]


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("visibility", ["public", "private"])
def test_publishing(rights: Rights, who: str, visibility: str) -> None:
    """Publishers and those above may; readers are told that they may not; strangers not even that it is there."""
    for owner in OWNERS[visibility]:
        reply = rights.publish(owner, who)
        assert reply.status == PUBLISH[visibility][who]
        assert ("www-authenticate" in reply.headers) == (reply.status == 401)


@pytest.mark.parametrize("who", ["anonymous", "stranger"])
@pytest.mark.parametrize("what", [*PATHS, "publish"])
def test_a_private_owner_looks_like_none(rights: Rights, who: str, what: str) -> None:
    """To who may not know, a private owner and one that does not exist give the same answer but for the name."""

    def ask(owner: str) -> tuple[int, str, Mapping[str, str], bytes]:
        reply = rights.publish(owner, who) if what == "publish" else rights.read(owner, PATHS[what], who)
        headers = {name: value for name, value in reply.headers.items() if name not in {"date", "x-request-id"}}
        return reply.status, reply.reason.replace(owner, "*"), headers, reply.body.replace(owner.encode(), b"*")

    assert ask("closed") == ask("nobody")


def test_another_index_of_an_owner_is_not_there(rights: Rights) -> None:
    """An index that does not exist is refused like a private one: 401 to nobody, 404 to somebody."""
    assert rights.read("open", "simple/", "anonymous", index="other").status == 401
    assert rights.read("open", "simple/", "reader", index="other").status == 404
    assert rights.read("open", "simple/", "server administrator", index="PYPI").status == 404


def test_a_missing_project_of_a_private_owner_is_not_told(rights: Rights) -> None:
    """Whether a project exists is seen by readers only."""
    for name in ("demo", "missing", "Missing", "-"):
        assert rights.read("closed", f"simple/{name}/", "anonymous").status == 401
        assert rights.read("closed", f"simple/{name}/", "stranger").status == 404
    texts = {rights.read("closed", f"simple/{name}/", "stranger").text for name in ("demo", "missing")}
    assert len(texts) == 1


def test_the_challenge_is_constant(rights: Rights) -> None:
    """pip reacts to Basic only, and stores of credentials are keyed on the realm."""
    challenges = {
        rights.read(owner, path, "anonymous").headers["www-authenticate"]
        for owner in ("closed", "nobody")
        for path in PATHS.values()
    }
    assert challenges == {'Basic realm="pypiserve", charset="UTF-8"'}


@pytest.mark.parametrize("subject", [ANYONE, SIGNED_IN])
def test_grants_to_everybody(rights: Rights, subject: str) -> None:
    """``anyone`` opens to requests without credentials too, ``signed-in`` to all others; taking it back closes."""
    anonymous = {ANYONE: 200, SIGNED_IN: 401}[subject]
    with rights.server.catalog() as catalog:
        catalog.accounts.create_owner(f"for-{subject}", public=False)
        catalog.accounts.grant(subject, Role.READER, owner=f"for-{subject}")
    owner = f"for-{subject}"
    assert rights.read(owner, "simple/", "anonymous").status == anonymous
    assert rights.read(owner, "simple/", "stranger").status == 200
    assert rights.read(owner, "simple/", "stranger").headers["cache-control"] == "private, no-cache"
    assert rights.publish(owner, "stranger").status == 403
    with rights.server.catalog() as catalog:
        catalog.accounts.grant(subject, Role.PUBLISHER, owner=owner)
    assert rights.publish(owner, "anonymous", version="1.1").status == {ANYONE: 201, SIGNED_IN: 401}[subject]
    assert rights.publish(owner, "stranger", version="1.2").status == 201
    with rights.server.catalog() as catalog:
        catalog.accounts.withdraw(subject, owner=owner)
    assert rights.read(owner, "simple/", "anonymous").status == 401
    assert rights.read(owner, "simple/", "stranger").status == 404


def test_visibility_changes_hold_at_once(rights: Rights) -> None:
    """An owner made private is closed in the very next request, files and pages alike."""
    with rights.server.catalog() as catalog:
        catalog.accounts.create_owner("changing", public=True)
    assert rights.publish("changing", "server administrator").status == 201
    paths = [PATHS[what] for what in ("list", "page", "file", "metadata", "description")]
    for public, status in ((True, 200), (False, 401), (True, 200)):
        with rights.server.catalog() as catalog:
            catalog.accounts.set_visibility("Changing", public=public)
        assert {rights.read("changing", path, "anonymous").status for path in paths} == {status}


def test_the_root_index_follows_the_same_rights(tmp_path_factory: pytest.TempPathFactory) -> None:
    """At the host's root a private index asks for credentials like under its own address."""
    with ServerUnderTest(tmp_path_factory.mktemp("private"), "private = true") as server:
        server.publish(WHEEL, path="/")
        for path in ("/", "/simple/", "/simple/demo/", f"/files/demo/1.0/{WHEEL.filename}"):
            assert server.get(path).status == 401
            assert server.get(path, token=server.token).status == 200
        assert server.get("/-/health").status == 200
        assert server.publish(a_wheel("demo", "2.0"), token="", path="/").status == 401


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("simple/", {"GET", "HEAD"}),
        ("simple/demo/", {"GET", "HEAD"}),
        (f"files/demo/1.0/{WHEEL.filename}", {"GET", "HEAD"}),
        ("legacy/", {"POST"}),
        ("", {"GET", "HEAD", "POST"}),
    ],
)
def test_other_methods_are_405(rights: Rights, path: str, allow: set[str]) -> None:
    """The answer says which methods there are, with and without a body, to everybody alike."""
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"} - allow:
        for body in (None, b"x" * 3_000_000 if method == "POST" else b"x"):
            address = f"/api/packages/closed/pypi/{path}"
            reply = rights.server.request(method, address, body=body)
            assert reply.status == 405
            assert {part.strip() for part in reply.headers["allow"].split(",")} == allow
            assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/-/ready", "/api", "/api/packages/open", "/api/packages/open/pypi/nothing", "/%2e%2e/", "//"],
)
def test_an_unknown_address_is_404(rights: Rights, path: str) -> None:
    """Whatever the method, whoever asks, and however large the body is that comes with it."""
    for method, body in (("GET", None), ("HEAD", None), ("POST", b"x" * 3_000_000), ("PUT", b"x"), ("DELETE", None)):
        reply = rights.server.request(method, path, body=body)
        assert reply.status == 404
        assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("owner", "path", "status"),
    [
        ("closed", "simple/", 401),
        ("open", "files/demo/1.0/missing.whl", 404),
        ("open", "legacy/", 405),
        ("open", "simple/?format=x", 406),
        ("open", "nothing", 404),
    ],
)
def test_errors_are_one_sentence(rights: Rights, owner: str, path: str, status: int) -> None:
    """Text by default, with the whole story in line one and in the status line; JSON for who asks for it."""
    address = f"/api/packages/{owner}/pypi/{path}"
    text = rights.server.get(address)
    assert (text.status, text.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert text.text.count("\n") == 1
    assert text.reason == text.text.strip()
    document = rights.server.get(address, accept="application/json")
    assert (document.status, document.headers["content-type"]) == (status, "application/json")
    told = json.loads(document.body)
    assert told["message"] == text.text.strip()
    assert told["code"] == f"{status} {told['message']}"
    problem = rights.server.get(address, accept="application/problem+json")
    assert problem.headers["content-type"] == "application/problem+json"
    standard = json.loads(problem.body)
    assert (standard["status"], standard["detail"]) == (status, told["message"])
    assert standard["code"] == standard["problems"][0]["code"] == told["problems"][0]["code"]


def test_a_body_does_not_carry_a_request_past_its_refusal(rights: Rights) -> None:
    """A GET with a body is admitted or refused like one without."""
    credentials = base64.b64encode(b"x:y").decode()
    for headers in ({}, {"Authorization": f"Basic {credentials}"}):
        for path in PATHS.values():
            address = f"/api/packages/closed/pypi/{path}"
            assert rights.server.request("GET", address, headers=headers, body=b"body").status == 401
    assert rights.server.request("GET", "/api/packages/open/pypi/simple/", body=b"body").status == 200
