"""What is kept in memory is never older than what somebody was told: page cache, journal, doorbell."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import plugin_parts
import pytest
from command_line import call
from forked_server import ForkedServer
from raw_http import RawConnection

from pypiserve.catalog.database import Database
from pypiserve.catalog.doorbell import Doorbell
from pypiserve.core.identity import Role
from pypiserve.core.model import ProjectStatus
from pypiserve.services.curation import Curation
from pypiserve.testing import a_clock, a_wheel
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest

COUNTED = 'plugins = ["plugin_parts"]\nrenderers = ["html", "json", "counted"]\n'
DEMO = "/simple/demo/"


@pytest.fixture
def rendering() -> Iterator[plugin_parts.Rendering]:
    """Return what the renderer ``counted`` did; its gate is open before and after."""
    plugin_parts.RENDERING.reset()
    yield plugin_parts.RENDERING
    plugin_parts.RENDERING.gate.set()


def counted(server: ServerUnderTest) -> str:
    """Read the page of ``demo`` as the renderer ``counted`` writes it: one version a line."""
    return server.get(DEMO, accept="text/x-counted").text


def test_an_upload_to_one_server_is_listed_by_the_other(make_server: MakeServer) -> None:
    """Two servers on one folder: what one acknowledged, the other lists in the very next request."""
    first = make_server()
    second = make_server(folder=first.folder)
    for number in range(20):
        into, other = (first, second) if number % 2 else (second, first)
        wheel = a_wheel("demo", f"1.{number}")
        assert into.publish(wheel, token=first.token).status == 201
        assert wheel.filename in other.get(DEMO).text
        assert other.get("/simple/").headers["x-pypi-last-serial"] == into.get(DEMO).headers["x-pypi-last-serial"]
        assert other.get(f"/files/demo/1.{number}/{wheel.filename}").status == 200


def test_processes_agree_too(tmp_path: Path) -> None:
    """The same for two processes, and for the command line beside them."""
    with ForkedServer(tmp_path) as first, ForkedServer(tmp_path) as second:
        assert (bool(first.token), bool(second.token)) == (True, False)
        for number in range(5):
            assert first.publish(a_wheel("demo", f"1.{number}")).status == 201
            assert f"demo-1.{number}-".encode() in second.get(DEMO).body
        assert call("yank", "demo", "1.3", "--reason", "broken", folder=tmp_path).returncode == 0
        for server in (first, second):
            assert b'data-yanked="broken"' in server.get(DEMO).body
        assert call("owner", "visibility", "main", "private", folder=tmp_path).returncode == 0
        for server in (first, second):
            assert server.get(DEMO).status == 401
            assert server.get(DEMO, token=first.token).status == 200


def test_rights_change_everywhere_at_once(make_server: MakeServer) -> None:
    """Tokens, grants and owners that were made, changed or withdrawn hold on every server in the next request."""
    first = make_server("private = true")
    servers = [first, make_server("private = true", folder=first.folder)]
    with first.catalog() as catalog:
        accounts = catalog.accounts
        token = accounts.create_token("ci", Role.READER, owner="main").secret

        def statuses(path: str = "/simple/") -> set[int]:
            return {server.get(path, token=token).status for server in servers}

        assert statuses() == {200}
        accounts.withdraw("token:ci", owner="main")
        assert statuses() == {404}
        accounts.grant("signed-in", Role.READER, owner="main")
        assert statuses() == {200}
        assert statuses("/api/packages/new/pypi/simple/") == {404}
        accounts.create_owner("new", public=True)
        assert statuses("/api/packages/new/pypi/simple/") == {200}
        accounts.revoke_token("ci")
        assert statuses() == {401}


def test_a_change_without_a_bell_is_found_by_the_timer(server: ServerUnderTest) -> None:
    """If a process dies between its commit and the bell, the others still learn of it within moments."""
    server.publish(a_wheel("demo", "1.0"))
    assert "data-yanked" not in server.get(DEMO).text
    data = server.folder / "pypiserve-data"
    database = Database(data / "catalog.sqlite3", Doorbell(server.folder / "another-bell"))
    try:
        Curation(database, now=a_clock()).set_yanked("main/pypi", "demo", "1.0", yanked=True)
    finally:
        database.close()
    end = time.monotonic() + 20
    while "data-yanked" not in server.get(DEMO).text:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_page_is_rendered_once_for_all_who_wait(make_server: MakeServer, rendering: plugin_parts.Rendering) -> None:
    """Many clients that miss together cause one rendering, and those after them, and 304s, none."""
    server = make_server(COUNTED)
    server.publish(a_wheel("demo", "1.0"))
    rendering.gate.clear()
    with ThreadPoolExecutor(12) as threads:
        answers = [threads.submit(counted, server) for _ in range(12)]
        assert rendering.begun.wait(20)
        time.sleep(0.2)
        rendering.gate.set()
        assert {answer.result() for answer in answers} == {"1.0"}
    assert rendering.details == 1
    etag = server.get(DEMO, accept="text/x-counted").headers["etag"]
    assert server.get(DEMO, accept="text/x-counted", if_none_match=etag).status == 304
    assert rendering.details == 1


def test_a_page_that_changes_while_it_is_rendered_is_not_kept(
    make_server: MakeServer, rendering: plugin_parts.Rendering
) -> None:
    """Who asked before the change may get the old page; who asks after it gets the new one, at once and later."""
    server = make_server(COUNTED)
    server.publish(a_wheel("demo", "1.0"))
    rendering.gate.clear()
    with ThreadPoolExecutor(2) as threads:
        early = threads.submit(counted, server)
        assert rendering.begun.wait(20)
        assert server.publish(a_wheel("demo", "2.0")).status == 201
        rendering.begun.clear()
        late = threads.submit(counted, server)
        assert rendering.begun.wait(20)
        rendering.gate.set()
        assert early.result() in {"1.0", "1.0\n2.0"}
        assert late.result() == "1.0\n2.0"
    assert counted(server) == "1.0\n2.0"
    assert rendering.details == 2


def test_a_client_that_goes_away_does_not_take_the_page_along(
    make_server: MakeServer, rendering: plugin_parts.Rendering
) -> None:
    """The first of two clients who wait for one page leaves; the second gets it."""
    server = make_server(COUNTED)
    server.publish(a_wheel("demo", "1.0"))
    rendering.gate.clear()
    with RawConnection(server) as first:
        first.ask("GET", DEMO, accept="text/x-counted")
        assert rendering.begun.wait(20)
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(counted, server)
        time.sleep(0.1)
        rendering.gate.set()
        assert second.result() == "1.0"
    assert rendering.details == 1


@pytest.mark.parametrize(("page_cache_bytes", "renderings"), [(0, 6), (1500, 6), (100_000, 3)])
def test_the_page_cache_is_bounded_in_bytes(
    make_server: MakeServer, rendering: plugin_parts.Rendering, page_cache_bytes: int, renderings: int
) -> None:
    """With room for one page, three in turn are rendered each time; with room for all, once."""
    server = make_server(f"{COUNTED}page_cache_bytes = {page_cache_bytes}")
    for name in ("a", "b", "c"):
        server.publish(a_wheel(name, "1.0"))
    for _ in range(2):
        for name in ("a", "b", "c"):
            assert server.get(f"/simple/{name}/", accept="text/x-counted").text == "1.0"
    assert rendering.details == renderings


def test_a_change_of_one_project_leaves_the_others_pages(
    make_server: MakeServer, rendering: plugin_parts.Rendering
) -> None:
    """Only what an event touches is rendered anew."""
    server = make_server(COUNTED)
    server.publish(a_wheel("demo", "1.0"))
    server.publish(a_wheel("other", "1.0"))
    assert counted(server) == "1.0"
    with server.catalog() as catalog:
        catalog.curation.set_yanked("main/pypi", "other", "1.0", yanked=True)
        catalog.accounts.create_owner("third", public=True)
    counted(server)
    assert rendering.details == 1
    with server.catalog() as catalog:
        catalog.curation.set_status("main/pypi", "demo", ProjectStatus.DEPRECATED)
    counted(server)
    assert rendering.details == 2


def test_an_event_of_a_newer_version_forgets_everything(
    make_server: MakeServer, rendering: plugin_parts.Rendering
) -> None:
    """Its kind is not known here, so nothing that is kept can be trusted; requests go on being answered."""
    server = make_server(COUNTED)
    assert server.publish(a_wheel("demo", "1.0")).status == 201
    assert counted(server) == counted(server)
    rendered = rendering.details
    with sqlite3.connect(server.settings.data / "catalog.sqlite3") as catalog:
        catalog.execute("UPDATE journal_head SET serial = serial + 1")
        catalog.execute(
            "INSERT INTO events (serial, at, kind, subject) SELECT serial, 0, 'index.renamed', 'x' FROM journal_head"
        )
    catalog.close()
    # Publishing elsewhere reads the journal to its end, and would not drop this page.
    assert server.publish(a_wheel("another", "1.0")).status == 201
    assert "1.0" in counted(server)
    assert rendering.details == rendered + 1
