"""The audit: who did what, from where, with which credential, in which request; and which sign-ins failed."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from command_line import call, is_refusal

from pypiserve.core.api_tokens import new_api_token
from pypiserve.core.audit import AuditEntry, AuditFilter
from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import Reply, ServerUnderTest

PROXY = 'trusted_proxies = ["127.0.0.1"]\n'
ID = re.compile(r"[0-9a-f]{16}\Z")


def entries(server: ServerUnderTest, **wanted: str) -> list[AuditEntry]:
    """Read the audit, newest first."""
    with server.catalog() as catalog:
        return list(catalog.audit.read(AuditFilter(**wanted), limit=None))  # type: ignore[arg-type]


def failing(server: ServerUnderTest, address: str) -> Reply:
    """Sign in with a token of nobody's, from an address."""
    return server.get("/simple/", token=new_api_token(), x_forwarded_for=address)


def test_changes_tell_who_made_them_and_from_where(server: ServerUnderTest) -> None:
    """Publishing, yanking and deleting are events with the actor, the address and the request of the answer."""
    base = "/api/v1/packages/main/pypi/demo/1.0"
    headers = {"Authorization": f"Bearer {server.token}"}
    replies = {
        "file.published": server.publish(a_wheel("demo", "1.0")),
        "release.yanked": server.request("PUT", f"{base}/yank", headers=headers),
        "release.deleted": server.request("DELETE", base, headers=headers),
    }
    found = {entry.kind: entry for entry in entries(server)}
    for kind, reply in replies.items():
        assert (found[kind].subject, found[kind].address) == ("token:administrator", "127.0.0.1")
        assert found[kind].request_id == reply.headers["x-request-id"]


def test_requests_have_ids_in_the_answer_and_in_the_log(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Each has one of its own, also errors and redirects, and the access log has the same."""
    server = make_server()
    with caplog.at_level(logging.INFO, "pypiserve.access"):
        paths = ("/simple/", "/simple", "/nothing", "/api/v1/packages/main", "/-/health")
        ids = [server.get(path).headers["x-request-id"] for path in paths]
        ids.append(server.publish(a_wheel("demo", "1.0"), token=new_api_token()).headers["x-request-id"])
        # The line is written after the answer.
        server.stop()
    assert len(set(ids)) == len(ids)
    assert all(ID.match(each) for each in ids)
    logged = [
        record.getMessage().rpartition(" ")[2] for record in caplog.records if record.name == "pypiserve.access"
    ]
    assert sorted(logged) == sorted(ids)


@pytest.mark.parametrize("given", ["abc-1.2_X", "a" * 64])
def test_the_id_of_a_trusted_proxy_is_taken(make_server: MakeServer, given: str) -> None:
    """What a proxy calls a request is what we call it."""
    assert make_server(PROXY).get("/simple/", x_request_id=given).headers["x-request-id"] == given


@pytest.mark.parametrize(
    ("settings", "given"), [("", "abc"), (PROXY, "a b"), (PROXY, ""), (PROXY, "a" * 65), (PROXY, "é"), (PROXY, "-a")]
)
def test_other_ids_are_not_taken(make_server: MakeServer, settings: str, given: str) -> None:
    """Neither those of strangers nor what does not look like an id."""
    assert ID.match(make_server(settings).get("/simple/", x_request_id=given).headers["x-request-id"])


def test_failed_sign_ins_are_summed_up(make_server: MakeServer) -> None:
    """By address (of IPv6 the /64) and reason; with the first request; never with what was typed."""
    server = make_server(PROXY)
    first = failing(server, "203.0.113.7")
    failing(server, "203.0.113.7")
    failing(server, "2001:db8::1")
    failing(server, "2001:db8::2")
    server.get("/simple/", x_forwarded_for="203.0.113.7", authorization="Negotiate x")
    server.stop()
    found = entries(server, kind="sign-in.failed")
    counts: dict[tuple[str | None, str], int] = {}
    for entry in found:
        counts[entry.address, entry.detail] = counts.get((entry.address, entry.detail), 0) + entry.count
    assert counts == {
        ("203.0.113.7", "unknown-credentials"): 2,
        ("2001:db8::/64", "unknown-credentials"): 2,
        ("203.0.113.7", "unknown-scheme"): 1,
    }
    assert first.headers["x-request-id"] in {entry.request_id for entry in found}
    assert {(entry.subject, entry.serial) for entry in found} == {("anyone", None)}
    assert sum(entry.count for entry in entries(server, address="2001:db8::9")) == 2


def test_failed_sign_ins_are_no_news_for_mirrors(server: ServerUnderTest) -> None:
    """They are not in the journal: its serial, which pages show and mirrors follow, stays."""
    server.publish(a_wheel("demo", "1.0"))
    before = server.get("/simple/").headers["x-pypi-last-serial"]
    failing(server, "")
    server.stop()
    assert entries(server, kind="sign-in")
    newest = max(entry.serial for entry in entries(server) if entry.serial is not None)
    assert str(newest) == before


def test_the_command_filters(make_server: MakeServer) -> None:
    """By kind or its first word, by subject, owner with its former names, project in any spelling, and time."""
    server = make_server()
    server.publish(a_wheel("Foo.Bar", "1.0"))
    with server.catalog() as catalog:
        catalog.accounts.owners.rename("main", "Corp")
    server.stop()
    assert _kinds(server.folder, "--kind", "owner") == ["owner.renamed", "owner.created"]
    assert _kinds(server.folder, "--kind", "owner.renamed") == ["owner.renamed"]
    assert _kinds(server.folder, "--kind", "own") == []
    assert _kinds(server.folder, "--subject", "token:administrator") == ["file.published"]
    assert _kinds(server.folder, "--project", "foo_bar") == ["file.published"]
    assert _kinds(server.folder, "--address", "127.0.0.1") == ["file.published"]
    assert "file.published" in _kinds(server.folder, "--owner", "corp")
    assert "token.created" not in _kinds(server.folder, "--owner", "corp")
    assert _kinds(server.folder, "--until", "2020-01-01") == []
    assert _kinds(server.folder, "--since", "2020-01-01", "--limit", "1") == ["owner.renamed"]
    assert is_refusal(call("audit", "--owner", "nobody", folder=server.folder), "The owner nobody")
    text = call("audit", "--kind", "file", folder=server.folder).stdout
    assert "\tfile.published\ttoken:administrator\t" in text
    assert "from 127.0.0.1" in text


def test_everything_can_be_exported(server: ServerUnderTest) -> None:
    """Over all pages nothing is lost, and nothing comes twice."""
    with server.catalog() as catalog:
        for number in range(130):
            catalog.accounts.create_owner(f"o{number}", public=True)
    serials = [json.loads(line)["serial"] for line in _lines(server.folder, "--all")]
    assert serials == list(range(len(serials), 0, -1))
    assert len(_lines(server.folder)) == 100


def test_what_strangers_wrote_stays_on_its_line(server: ServerUnderTest) -> None:
    """The reason of a yank cannot look like another line of the audit, nor command a terminal."""
    server.publish(a_wheel("demo", "1.0"))
    with server.catalog() as catalog:
        catalog.curation.set_yanked("main/pypi", "demo", "1.0", yanked=True, reason="a\nb\x1b[31m")
    (line,) = call("audit", "--kind", "release.yanked", folder=server.folder).stdout.splitlines()
    assert "a?b?[31m" in line


def _kinds(folder: Path, *arguments: str) -> list[str]:
    return [json.loads(line)["kind"] for line in _lines(folder, *arguments)]


def _lines(folder: Path, *arguments: str) -> list[str]:
    return call("audit", "--json", *arguments, folder=folder).stdout.splitlines()
