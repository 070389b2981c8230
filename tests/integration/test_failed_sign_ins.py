"""Failed sign-ins over HTTP: what a 401 says, when it turns into 429, and who is not affected."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bcrypt
import pytest
from server_process import ServerProcess

from pypiserve.core.api_tokens import new_api_token
from pypiserve.core.identity import Role
from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import Reply, ServerUnderTest

PASSWORD = "correct horse"


def settings(folder: Path, more: str = "") -> str:
    """Write the settings of a private server with users, of whom there is one."""
    users = folder / "users"
    users.write_bytes(b"alice:" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)) + b"\n")
    kinds = f'[[authenticators]]\nkind = "htpasswd"\nfile = "{users}"\n[[authenticators]]\nkind = "token"\n'
    return f"private = true\n{more}\n{kinds}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return a server with a bound that the tests of this module do not reach."""
    folder = tmp_path_factory.mktemp("site")
    with ServerUnderTest(folder, settings(folder, "failed_sign_ins_per_user = 1000")) as server:
        yield server


def read(server: ServerUnderTest, username: str, password: str, **headers: str) -> Reply:
    """Ask for the project list as somebody."""
    basic = base64.b64encode(f"{username}:{password}".encode()).decode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.request("GET", "/simple/", headers={"Authorization": f"Basic {basic}", **named})


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Negotiate YII", "unknown-scheme"),
        ("Basic", "malformed-credentials"),
        ("Basic !!!", "malformed-credentials"),
        ("Basic bm8gY29sb24=", "malformed-credentials"),
        ("Bearer pypiserve_cut-off", "malformed-credentials"),
        (f"Bearer {new_api_token()}", "unknown-credentials"),
        ("Bearer something-else", "unknown-credentials"),
        (None, "authentication-failed"),
    ],
    ids=["scheme", "empty", "no-base64", "no-colon", "cut-off", "other-token", "other-bearer", "missing"],
)
def test_a_401_says_which_step_failed(site: ServerUnderTest, header: str | None, code: str) -> None:
    """Programs read the code, people the sentence; each comes with a challenge."""
    headers = {"Accept": "application/problem+json"} | ({"Authorization": header} if header else {})
    reply = site.request("GET", "/simple/", headers=headers)
    assert (reply.status, reply.headers["www-authenticate"].split()[0]) == (401, "Basic")
    assert json.loads(reply.body)["code"] == code
    assert json.loads(reply.body)["detail"].isprintable()


def test_a_user_who_is_not_there_looks_like_one_who_is(site: ServerUnderTest) -> None:
    """Status, headers and body are the same, but for the time of day and the id of the request."""
    known, unknown = (read(site, username, "a wrong password") for username in ("alice", "mallory"))
    assert (known.status, known.body) == (unknown.status, unknown.body)
    assert {**known.headers, "date": "", "x-request-id": ""} == {**unknown.headers, "date": "", "x-request-id": ""}


def test_guessing_ends_and_the_right_password_goes_on(make_server: MakeServer, tmp_path: Path) -> None:
    """After ten wrong passwords the next guess is not looked at; who had signed in before does not notice."""
    server = make_server(settings(tmp_path))
    with server.catalog() as catalog:
        catalog.accounts.grant("htpasswd:alice", Role.READER, owner="main")
    assert read(server, "alice", PASSWORD).status == 200
    for number in range(10):
        assert read(server, "alice", f"guess number {number}").status == 401
    reply = read(server, "alice", "one more guess")
    assert (reply.status, "www-authenticate" in reply.headers) == (429, False)
    assert 1 <= int(reply.headers["retry-after"]) <= 30
    assert "Too many sign-ins from your address have failed" in reply.text
    assert read(server, "alice", PASSWORD).status == 200
    assert server.publish(a_wheel()).status == 201


def test_the_same_wrong_token_does_not_shut_others_out(make_server: MakeServer) -> None:
    """A job with a revoked token repeats itself for hours; the next one, with a good one, gets its pages."""
    server = make_server("private = true")
    wrong = new_api_token()
    statuses = [server.get("/simple/", token=wrong).status for _ in range(150)]
    assert statuses == [401] * 101 + [429] * 49
    assert "again and again" in server.get("/simple/", token=wrong).text
    assert server.get("/simple/", token=server.token).status == 200


def test_users_of_two_files_sign_in_side_by_side(make_server: MakeServer, tmp_path: Path) -> None:
    """Whom one file does not know is looked for in the next, whatever the order; a stranger hears one sentence."""
    kinds = ""
    for name in ("staff", "guests"):
        hashed = bcrypt.hashpw(f"the secret of {name}".encode(), bcrypt.gensalt(4)).decode()
        (tmp_path / name).write_text(f"{name}-only:{hashed}\nboth:{hashed}\n")
        kinds += f'[[authenticators]]\nkind = "htpasswd"\nname = "{name}"\nfile = "{tmp_path / name}"\n'
    server = make_server(f'private = true\n{kinds}[[authenticators]]\nkind = "token"\n')
    with server.catalog() as catalog:
        for subject in ("staff:staff-only", "guests:guests-only", "guests:both"):
            catalog.accounts.grant(subject, Role.READER, owner="main")
    for username, name in (("staff-only", "staff"), ("guests-only", "guests"), ("both", "guests")):
        assert [read(server, username, f"the secret of {name}").status for _ in range(2)] == [200, 200]
    assert read(server, "both", "the secret of staff").status == 404
    refused = {read(server, username, "wrong secret").text for username in ("staff-only", "guests-only", "nobody")}
    assert len(refused) == 1


def test_a_flood_of_tokens_is_bounded(make_server: MakeServer) -> None:
    """An upload too is refused, at its headers, with the time to wait."""
    server = make_server("private = true\nfailed_sign_ins_per_address = 20")
    statuses = [server.get("/simple/", token=new_api_token()).status for _ in range(25)]
    assert statuses == [401] * 20 + [429] * 5
    reply = server.publish(a_wheel(padding_bytes=100_000), token=new_api_token())
    assert (reply.status, int(reply.headers["retry-after"]) <= 15) == (429, True)


def test_workers_count_together(tmp_path: Path) -> None:
    """However connections are spread over the processes of a server, ten wrong passwords are ten."""
    (tmp_path / "pypiserve.toml").write_text(settings(tmp_path))
    with ServerProcess(tmp_path, "--workers", "3") as server:
        header = {"Authorization": f"Bearer {server.token}"}
        assert {server.request("GET", "/simple/", headers=header).status for _ in range(12)} == {200}
        statuses = []
        for number in range(30):
            encoded = base64.b64encode(f"alice:guess number {number}".encode()).decode()
            headers = {"Authorization": f"Basic {encoded}"}
            statuses.append(server.request("GET", "/simple/", headers=headers).status)
        assert {server.request("GET", "/simple/", headers=header).status for _ in range(12)} == {200}
    assert statuses == [401] * 10 + [429] * 20


def test_clients_behind_a_trusted_proxy_are_told_apart(
    make_server: MakeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One client's failures are not held against another; the log shows the clients."""
    caplog.set_level(logging.INFO)
    server = make_server(settings(tmp_path, 'trusted_proxies = ["127.0.0.1"]\nfailed_sign_ins_per_address = 3'))
    for number in range(4):
        guessed = read(server, f"user{number}", "a guess", X_Forwarded_For="1.1.1.1, 198.51.100.1")
    assert guessed.status == 429
    assert read(server, "bob", "a guess", X_Forwarded_For="1.1.1.1, 198.51.100.2").status == 401
    assert "198.51.100.1 anyone GET /simple/ 429" in caplog.text


def test_a_header_of_a_stranger_is_no_way_around(
    make_server: MakeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without trusted proxies the header changes nothing, and the log says once that it was seen."""
    server = make_server(settings(tmp_path, "failed_sign_ins_per_address = 3"))
    replies = [read(server, f"user{n}", "a guess", X_Forwarded_For=f"198.51.100.{n}") for n in range(4)]
    assert [reply.status for reply in replies] == [401, 401, 401, 429]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert ["trusted_proxies" in warning for warning in warnings] == [True]


@pytest.mark.parametrize("remember_seconds", [60, 0])
def test_a_flood_of_passwords_stops_nobody_who_was_in(
    make_server: MakeServer, tmp_path: Path, remember_seconds: int
) -> None:
    """
    With the throttle off, slow checks fill the queue: who finds it full hears 503 and when to come again.

    Who was in before is not kept out, remembered or to be checked again.
    """
    users = tmp_path / "slow"
    lines = [b"%s:%s\n" % (user, bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(9))) for user in (b"alice", b"bob")]
    users.write_bytes(b"".join(lines))
    server = make_server(
        "private = true\nfailed_sign_ins_per_user = 0\nfailed_sign_ins_per_address = 0\n"
        f'[[authenticators]]\nkind = "htpasswd"\nfile = "{users}"\nmax_waiting = 2\n'
        f"remember_seconds = {remember_seconds}\n"
        '[[authenticators]]\nkind = "token"\n'
    )
    with server.catalog() as catalog:
        catalog.accounts.grant("signed-in", Role.READER, owner="main")
    assert read(server, "alice", PASSWORD).status == 200
    with ThreadPoolExecutor(16) as threads:
        guesses = [threads.submit(read, server, f"user{number}", "a guess") for number in range(60)]
        readings = [read(server, "alice", PASSWORD).status for _ in range(20)]
        tokens = [server.get("/simple/", token=server.token).status for _ in range(5)]
        right = [read(server, "bob", PASSWORD) for _ in range(5)]
        refused = [guess.result() for guess in guesses]
    assert (readings, tokens) == ([200] * 20, [200] * 5)
    assert {reply.status for reply in refused} == {401, 503}
    assert {reply.status for reply in right} <= {200, 503}
    assert all(reply.headers["retry-after"] == "5" for reply in [*refused, *right] if reply.status == 503)
