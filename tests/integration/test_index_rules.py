"""Every rule of an index as clients and operators meet it, through a running server."""

from __future__ import annotations

import contextlib
import http.client
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from command_line import call, is_refusal
from uploading import BASE, data_of, events_of, keeps_nothing, published

from pypiserve.testing import BuiltFile, a_wheel, an_sdist
from pypiserve.testing.server import Reply, ServerUnderTest

DAY_MICROSECONDS = timedelta(days=1) // timedelta(microseconds=1)


def give(server: ServerUnderTest, *rules: str) -> None:
    """Change rules from the command line, beside the running server."""
    finished = call("index", "rules", "main/pypi", *rules, folder=server.folder)
    assert finished.returncode == 0, finished.stderr


def age(server: ServerUnderTest, table: str, days: int) -> None:
    """Let everything in a table have begun some days earlier."""
    with contextlib.closing(sqlite3.connect(data_of(server) / "catalog.sqlite3")) as catalog, catalog:
        catalog.execute(f"UPDATE {table} SET created_at = created_at - ?", (days * DAY_MICROSECONDS,))


def size_of(server: ServerUnderTest, table: str) -> int:
    """Read the counter of the only project or index."""
    with contextlib.closing(sqlite3.connect(data_of(server) / "catalog.sqlite3")) as catalog:
        size: int = catalog.execute(f"SELECT sum(size_bytes) FROM {table}").fetchone()[0]
        return size


def other(wheel: BuiltFile) -> BuiltFile:
    """Build the same name with other content."""
    changed = a_wheel("demo", "1.0", files={"demo/more.py": "x = 1\n"})
    assert (changed.filename, changed.sha256 != wheel.sha256) == (wheel.filename, True)
    return changed


def refused(reply: Reply, status: int, words: str) -> bool:
    """Tell whether an upload was refused so."""
    return reply.status == status and words in reply.text


@pytest.mark.parametrize(
    ("mode", "same", "changed"), [("immutable", 409, 409), ("idempotent", 200, 409), ("overwrite", 200, 200)]
)
def test_a_taken_name_is_dealt_with_as_the_rule_says(
    server: ServerUnderTest, mode: str, same: int, changed: int
) -> None:
    """The same bytes and other bytes under a name that is there; 409 has the words that clients look for."""
    give(server, f"existing_files={mode}")
    wheel = a_wheel()
    assert server.publish(wheel).status == http.client.CREATED
    for built, expected in ((wheel, same), (other(wheel), changed)):
        reply = server.publish(built)
        assert reply.status == expected
        assert ("File already exists" in reply.text) == (expected == http.client.CONFLICT)


@pytest.mark.parametrize("mode", ["immutable", "idempotent", "overwrite"])
@pytest.mark.parametrize("is_same", [True, False])
def test_two_clients_that_race_are_answered_as_if_one_came_first(
    server: ServerUnderTest, mode: str, *, is_same: bool
) -> None:
    """Whoever is second is told so, and one event tells of each change."""
    give(server, f"existing_files={mode}")
    files = [a_wheel(), a_wheel() if is_same else other(a_wheel())]
    with ThreadPoolExecutor(2) as threads:
        statuses = sorted(reply.status for reply in threads.map(server.publish, files))
    later = 200 if mode == "overwrite" or (is_same and mode == "idempotent") else 409
    assert statuses == sorted([201, later])
    assert len(events_of(server)) == 1
    assert len(events_of(server, "file.replaced")) == (mode == "overwrite" and not is_same)


def test_an_overwritten_file_is_new_everywhere_at_once(server: ServerUnderTest) -> None:
    """Page, file and core metadata follow, nobody keeps the old ones for ever, and the sizes are right."""
    give(server, "existing_files=overwrite")
    first = a_wheel("demo", "1.0", metadata={"Summary": "before"})
    second = a_wheel("demo", "1.0", metadata={"Summary": "after"}, padding_bytes=5000)
    file = f"{BASE}/files/demo/1.0/{first.filename}"
    for built, summary in ((first, b"before"), (second, b"after"), (first, b"before")):
        assert server.publish(built).status in {200, 201}
        page = server.request(
            "GET", f"{BASE}/simple/demo/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
        )
        (listed,) = json.loads(page.body)["files"]
        assert (listed["hashes"]["sha256"], listed["size"]) == (built.sha256, len(built.content))
        reply = server.request("GET", file)
        assert reply.body == built.content
        assert "no-cache" in reply.headers["cache-control"]
        assert "immutable" not in reply.headers["cache-control"]
        assert b"Summary: " + summary in server.request("GET", f"{file}.metadata").body
        assert size_of(server, "projects") == size_of(server, "indexes") == len(built.content)


def test_gc_removes_what_was_overwritten(server: ServerUnderTest) -> None:
    """The bytes that nothing names any more go; the present ones stay."""
    give(server, "existing_files=overwrite")
    first = a_wheel()
    second = other(first)
    for built in (first, second):
        server.publish(built)
    found = call("gc", "--repair", "--older-than", "0", folder=server.folder)
    assert found.returncode == 0, found.stderr
    stored = {path.name for path in (data_of(server) / "files").rglob("*") if path.is_file()}
    assert not any(first.sha256[4:] in name for name in stored)
    assert server.request("GET", f"{BASE}/files/demo/1.0/{second.filename}").body == second.content


def test_a_deleted_name_is_reserved_but_where_files_are_overwritten(server: ServerUnderTest) -> None:
    """Even the same bytes do not come back by themselves; an index that overwrites takes any."""
    wheel = a_wheel()
    server.publish(wheel)
    assert call("delete", "demo", "1.0", "--yes", folder=server.folder).returncode == 0
    assert refused(server.publish(wheel), 409, "restore it")
    give(server, "existing_files=overwrite")
    assert server.publish(other(wheel)).status == http.client.CREATED
    assert published(server) == [wheel.filename]
    assert size_of(server, "projects") == len(other(wheel).content)


def test_an_old_release_takes_no_new_files(server: ServerUnderTest) -> None:
    """Other releases do, and so do files that are there already."""
    give(server, "close_releases_after_days=14")
    server.publish(a_wheel())
    age(server, "releases", 13)
    assert server.publish(a_wheel(tag="py2-none-any")).status == http.client.CREATED
    age(server, "releases", 2)
    with keeps_nothing(server):
        assert refused(server.publish(an_sdist()), 403, "older than 14 days")
        assert server.publish(a_wheel()).status == http.client.OK
    assert server.publish(a_wheel("demo", "1.1")).status == http.client.CREATED


def test_a_file_over_the_limit_of_the_index_is_refused(server: ServerUnderTest) -> None:
    """The sentence names the rule."""
    give(server, "max_file_size_bytes=2000")
    with keeps_nothing(server):
        assert refused(server.publish(a_wheel(padding_bytes=5000)), 413, "max_file_size_bytes")


@pytest.mark.parametrize("rule", ["max_project_size_bytes", "max_index_size_bytes"])
def test_a_quota_holds_to_the_byte(server: ServerUnderTest, rule: str) -> None:
    """What fits exactly is taken, one byte more is not, and the sentence tells used, limit and needed."""
    first, second = a_wheel(), a_wheel("demo", "1.1")
    both = len(first.content) + len(second.content)
    give(server, f"{rule}={both - 1}")
    server.publish(first)
    reply = server.publish(second)
    assert reply.status == http.client.FORBIDDEN
    for number in (len(first.content), both - 1, len(second.content)):
        assert f" {number} " in reply.text
    assert (rule in reply.text, "at least" in reply.text) == (True, False)
    give(server, f"{rule}={both}")
    assert server.publish(second).status == http.client.CREATED


def test_two_uploads_that_fit_alone_but_not_together(server: ServerUnderTest) -> None:
    """One of them gets the room."""
    files = [a_wheel("demo", "1.0"), a_wheel("demo", "1.1")]
    give(server, f"max_project_size_bytes={sum(len(built.content) for built in files) - 1}")
    with ThreadPoolExecutor(2) as threads:
        assert sorted(reply.status for reply in threads.map(server.publish, files)) == [201, 403]
    assert len(published(server)) == 1


def test_new_projects_are_counted_for_a_day(server: ServerUnderTest) -> None:
    """Files of projects that are there do not count; after a day there is room again."""
    give(server, "max_new_projects_per_day=2")
    for name in ("one", "two"):
        assert server.publish(a_wheel(name)).status == http.client.CREATED
    with keeps_nothing(server):
        reply = server.publish(a_wheel("three"))
    assert reply.status == http.client.TOO_MANY_REQUESTS
    assert 86000 < int(reply.headers["retry-after"]) <= 86400
    assert server.publish(a_wheel("one", "1.1")).status == http.client.CREATED
    age(server, "projects", 1)
    assert server.publish(a_wheel("three")).status == http.client.CREATED


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Secret.Thing", "No project may be called secret-thing"),
        ("de-mo", "looks too much like the project demo"),
        ("dem0", "looks too much like the project demo"),
        ("json", "standard library"),
        ("concurrent", "standard library"),
    ],
)
def test_names_of_new_projects_are_looked_at(server: ServerUnderTest, name: str, words: str) -> None:
    """Prohibited, look-alike and standard-library names are refused with 400, and nothing is kept."""
    server.publish(a_wheel())
    give(server, "prohibited_names=secret_*,other")
    with keeps_nothing(server):
        assert refused(server.publish(a_wheel(name)), 400, words)
    give(server, "--reset", "prohibited_names", "refuse_similar_names=false", "refuse_standard_library_names=false")
    assert server.publish(a_wheel(name)).status == http.client.CREATED
    give(server, f"prohibited_names={name}", "--reset", "refuse_similar_names")
    assert server.publish(a_wheel(name, "1.1")).status == http.client.CREATED


def test_lenient_indexes_take_any_name(server: ServerUnderTest) -> None:
    """A mirror has what is elsewhere; what is prohibited here is so there too."""
    give(server, "validation=lenient", "prohibited_names=secret")
    for name in ("demo", "dem0", "json"):
        assert server.publish(a_wheel(name)).status == http.client.CREATED
    assert server.publish(a_wheel("secret")).status == http.client.BAD_REQUEST


def test_a_second_sdist_is_refused(server: ServerUnderTest) -> None:
    """It counts by release, whatever its spelling, and the rule can be switched off."""
    give(server, "validation=lenient")
    server.publish(an_sdist("demo", "1.0"))
    second = an_sdist("demo", "1.0", suffix=".zip")
    with keeps_nothing(server):
        assert refused(server.publish(second), 400, "has an sdist already")
    give(server, "one_sdist_per_release=false")
    assert server.publish(second).status == http.client.CREATED


def test_a_rule_that_cannot_be_changes_nothing(server: ServerUnderTest) -> None:
    """The sentence has the choices, and what is right beside what is wrong is not done either."""
    for given, words in (
        ("existing_file=overwrite", "existing_files"),
        ("existing_files=always", "immutable or idempotent or overwrite"),
        ("max_file_size_bytes=0", "from 1"),
        ("refuse_similar_names=1", "true or false"),
        ("retention_days=-1", "from 0"),
        ("close_releases_after_days=99999999999", "36500"),
    ):
        finished = call("index", "rules", "main/pypi", "max_index_size_bytes=7", given, folder=server.folder)
        assert is_refusal(finished, words), finished.stderr
    assert "index.changed" not in {event["kind"] for event in events_of(server, "index.changed")}
    assert "max_index_size_bytes=none" in call("index", "rules", "main/pypi", folder=server.folder).stdout


def test_a_further_index_works_beside_the_first(server: ServerUnderTest) -> None:
    """It has its own address, its own rules and its own files."""
    made = call("index", "create", "main/dev", "existing_files=overwrite", folder=server.folder)
    assert made.returncode == 0, made.stderr
    assert server.publish(a_wheel(), path="/api/packages/main/dev").status == http.client.CREATED
    assert server.publish(other(a_wheel()), path="/api/packages/main/dev").status == http.client.OK
    assert published(server) == []
    listed = call("index", "list", folder=server.folder).stdout.splitlines()
    assert listed == ["main/dev\texisting_files=overwrite", "main/pypi"]
    assert is_refusal(call("index", "create", "main/dev", folder=server.folder), "exists already")
    assert is_refusal(call("index", "create", "nobody/dev", folder=server.folder), "owner nobody")
    assert is_refusal(call("index", "create", "main/No", folder=server.folder), "OWNER/INDEX")
