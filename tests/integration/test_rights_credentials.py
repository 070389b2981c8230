"""Credentials: every form in which clients carry them, and what happens to bad ones."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bcrypt
import pytest
from command_line import call
from forked_server import ForkedServer

from pypiserve.core.api_tokens import new_api_token
from pypiserve.core.identity import Role
from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import Reply, ServerUnderTest

PRIVATE = "private = true\n"


def basic(username: str, password: str, *, encoding: str = "utf-8") -> str:
    """Write an Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode(encoding)).decode()


def read(server: ServerUnderTest, authorization: str) -> Reply:
    """Ask for the project list of the private root index."""
    return server.request("GET", "/simple/", headers={"Authorization": authorization})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server whose root index is private; the tests of this module share it."""
    with ServerUnderTest(tmp_path_factory.mktemp("site"), PRIVATE) as server:
        yield server


@pytest.mark.parametrize(
    "form",
    [
        "Bearer {token}",
        "bearer  {token}",
        "token {token}",
        "Basic __token__:{token}",
        "Basic anybody:{token}",
        "Basic :{token}",
        "Basic {token}:",
        "Basic {token}:x-oauth-basic",
        "Basic __token__:{token}\n",
        "Basic __token__: {token}\r\n",
        "Basic  __token__ :{token}",
    ],
)
def test_a_token_works_in_every_form(site: ServerUnderTest, form: str) -> None:
    """Clients put tokens in many places, and people paste them with line ends."""
    header = form.format(token=site.token)
    if header.startswith("Basic "):
        header = basic(*header.removeprefix("Basic ").split(":"))
    assert read(site, header).status == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic ====",
        "Bearer",
        "Bearer x",
        "Negotiate abc",
        "Digest username=x",
        basic("a", "b"),
        basic("", "b"),
        basic("a", ""),
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\x00").decode(),
        "Bearer " + "a" * 9000,
        f"Bearer {new_api_token()}",
        basic("__token__", new_api_token()),
        "Bearer \xe9",
    ],
    ids=lambda header: header[:10],
)
def test_bad_credentials_are_401_even_where_none_are_needed(
    site: ServerUnderTest, make_server: MakeServer, header: str
) -> None:
    """Wrong credentials never pass as none: on a public index too they are refused, with a challenge."""
    for server in (site, make_server()):
        reply = read(server, header)
        assert reply.status == 401
        assert reply.headers["www-authenticate"].startswith("Basic ")


def test_empty_basic_credentials_are_none(site: ServerUnderTest, server: ServerUnderTest) -> None:
    """Some clients send an empty user name and password for "nobody"."""
    assert read(server, basic("", "")).status == 200
    assert read(site, basic("", "")).status == 401


def test_a_damaged_token_is_refused(site: ServerUnderTest) -> None:
    """One changed letter is another token; another's end is not mine."""
    token = site.token
    for damaged in (token[:-1], token + "x", token.upper(), token[:-1] + ("a" if token[-1] != "a" else "b")):
        assert read(site, f"Bearer {damaged}").status == 401


def test_an_expired_token_is_401(site: ServerUnderTest) -> None:
    """It says that it expired, for its owner to know what to do."""
    with site.catalog() as catalog:
        soon = datetime.now(UTC) + timedelta(seconds=0.2)
        token = catalog.accounts.create_token("old", Role.READER, owner="main", expires_at=soon)
        later = datetime.now(UTC) + timedelta(hours=1)
        valid = catalog.accounts.create_token("young", Role.READER, owner="main", expires_at=later)
    while datetime.now(UTC) <= soon:
        time.sleep(0.05)
    reply = read(site, f"Bearer {token.secret}")
    assert reply.status == 401
    assert "expired" in reply.text
    assert read(site, f"Bearer {valid.secret}").status == 200


def test_a_revoked_token_is_401_at_once(tmp_path: Path) -> None:
    """The command line makes and revokes tokens beside the running server; each holds in the next request."""
    with ForkedServer(tmp_path, "--private") as server:
        made = call("token", "create", "ci", "--data", "pypiserve-data", "--json", folder=tmp_path)
        token = json.loads(made.stdout)["token"]
        for _ in range(2):
            assert server.get("/simple/", token=token).status == 200
        assert server.publish(a_wheel("demo", "1.0"), token=token).status == 201
        revoked = call("token", "revoke", "ci", folder=tmp_path)
        assert (revoked.returncode, revoked.stderr) == (0, "")
        reply = server.get("/simple/", token=token)
        assert (reply.status, b"revoked" in reply.body) == (401, True)
        assert server.publish(a_wheel("demo", "2.0"), token=token).status == 401
        assert token not in server.log


def test_users_of_an_htpasswd_file(make_server: MakeServer, tmp_path: Path) -> None:
    """Users sign in with their passwords and get what they were granted; changes of the file hold at once."""
    users = tmp_path / "users"

    def write(**passwords: str) -> None:
        lines = [
            f"{user}:{bcrypt.hashpw(word.encode(), bcrypt.gensalt(4)).decode()}\n" for user, word in passwords.items()
        ]
        users.write_text("".join(lines))

    write(alice="pä:ss word")
    kinds = f'[[authenticators]]\nkind = "token"\n[[authenticators]]\nkind = "htpasswd"\nfile = "{users}"\n'
    server = make_server(PRIVATE + kinds)
    alice = basic("alice", "pä:ss word")
    assert read(server, alice).status == 404
    with server.catalog() as catalog:
        catalog.accounts.grant("htpasswd:alice", Role.READER, owner="main")
    assert read(server, alice).status == 200
    assert read(server, basic("alice", "pä:ss word\n")).status == 200
    for wrong in (basic("alice", "pass word"), basic("Alice", "pä:ss word"), basic("bob", "pä:ss word")):
        assert read(server, wrong).status == 401
    assert read(server, f"Bearer {server.token}").status == 200
    assert read(server, basic("alice", server.token)).status == 200
    write(alice="changed", bob="new")
    assert read(server, alice).status == 401
    assert read(server, basic("alice", "changed")).status == 200
    assert read(server, basic("bob", "new")).status == 404
    write(bob="new")
    assert read(server, basic("alice", "changed")).status == 401


def test_without_an_authenticator_nobody_is_known(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """A server without ``token`` makes no token, serves what is public, and refuses every credential."""
    server = make_server("authenticators = []")
    assert server.token == ""
    assert server.get("/simple/").status == 200
    for header in (basic("a", "b"), f"Bearer {new_api_token()}"):
        assert read(server, header).status == 401
    assert server.publish(a_wheel(), token="").status == 401


def test_an_authenticator_that_crashes_is_503(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of a plugin neither lets anybody in nor says that the password is wrong; others are not touched."""
    crashing = '[[authenticators]]\nkind = "crashing"\n[[authenticators]]\nkind = "token"\n'
    server = make_server('plugins = ["plugin_parts"]\n' + crashing)
    reply = read(server, basic("crash", "hush-hush"))
    assert (reply.status, "www-authenticate" in reply.headers) == (503, False)
    assert "tongues" not in reply.text
    assert server.publish(a_wheel(), path="/").status == 201
    assert server.get("/simple/").status == 200
    assert "the directory speaks in tongues" in caplog.text
    assert "hush-hush" not in caplog.text


def test_secrets_are_never_written_down(site: ServerUnderTest, caplog: pytest.LogCaptureFixture) -> None:
    """Neither log nor answer shows a password or a token, good or bad, wherever it was put."""
    caplog.set_level(logging.DEBUG)
    unknown, password = new_api_token(), "swordfish-of-a-test"
    headers = [
        f"Bearer {site.token}",
        f"Bearer {unknown}",
        basic(unknown, ""),
        basic("alice", password),
        basic(password, site.token),
        f"Custom {password}",
    ]
    for header in headers:
        for path in ("/simple/", "/simple/none/", "/nothing", f"/simple/?token={password}", "/legacy/"):
            for method in ("GET", "POST"):
                reply = site.request(method, path, headers={"Authorization": header})
                told = reply.text + reply.reason + str(reply.headers)
                assert not [secret for secret in (site.token, unknown, password) if secret in told]
    assert not [secret for secret in (site.token, unknown, password) if secret in caplog.text]
    assert "token:administrator GET /simple/ 200" in caplog.text


def test_only_hashes_are_at_rest(site: ServerUnderTest) -> None:
    """No file of the data folder contains the token."""
    files = [path for path in (site.folder / "pypiserve-data").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if site.token.encode() in path.read_bytes()]


def test_an_authenticator_cannot_speak_for_another(make_server: MakeServer) -> None:
    """An identity with another authenticator's name, which has roles of its own, lets nobody in."""
    crashing = '[[authenticators]]\nkind = "crashing"\n[[authenticators]]\nkind = "token"\n'
    server = make_server('private = true\nplugins = ["plugin_parts"]\n' + crashing)
    assert read(server, basic("impostor", "x")).status == 500
