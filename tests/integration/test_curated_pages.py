"""What a yank and a status leave behind: in files that come later, and in the serials that mirrors go by."""

from __future__ import annotations

import json
from typing import Any

from pypiserve.core.model import ProjectStatus
from pypiserve.testing import a_wheel, an_sdist
from pypiserve.testing.server import ServerUnderTest

JSON = "application/vnd.pypi.simple.v1+json"


def detail(server: ServerUnderTest) -> Any:
    """Read the page of the project ``demo`` as JSON."""
    return json.loads(server.get("/simple/demo/", accept=JSON).body)


def serials(server: ServerUnderTest) -> tuple[int, int]:
    """Return what the page of ``demo`` and the project list say of the last change."""
    page, listed = (int(server.get(path).headers["x-pypi-last-serial"]) for path in ("/simple/demo/", "/simple/"))
    return page, listed


def test_a_later_file_is_yanked_for_the_same_reason(server: ServerUnderTest) -> None:
    """The mark belongs to the release; files of other releases do not get it."""
    server.publish(a_wheel("demo", "1.0"))
    with server.catalog() as catalog:
        catalog.curation.set_yanked("main/pypi", "demo", "1.0", yanked=True, reason="broken")
    server.publish(an_sdist("demo", "1.0"))
    server.publish(a_wheel("demo", "2.0"))
    assert [file["yanked"] for file in detail(server)["files"]] == ["broken", "broken", False]


def test_a_file_after_an_unyank_is_not_yanked(server: ServerUnderTest) -> None:
    """Neither the mark nor its reason comes back."""
    server.publish(a_wheel("demo", "1.0"))
    with server.catalog() as catalog:
        catalog.curation.set_yanked("main/pypi", "demo", "1.0", yanked=True, reason="broken")
        catalog.curation.set_yanked("main/pypi", "demo", "1.0", yanked=False)
    server.publish(an_sdist("demo", "1.0"))
    assert [file["yanked"] for file in detail(server)["files"]] == [False, False]


def test_what_changes_a_page_raises_its_serial(server: ServerUnderTest) -> None:
    """A mirror that goes by the serials fetches the page again after a yank, an unyank and a new status."""
    server.publish(a_wheel("demo", "1.0"))
    server.publish(a_wheel("other", "1.0"))
    seen = [serials(server)]
    with server.catalog() as catalog:
        catalog.curation.set_yanked("main/pypi", "demo", "1.0", yanked=True)
        seen.append(serials(server))
        catalog.curation.set_yanked("main/pypi", "demo", "1.0", yanked=False)
        seen.append(serials(server))
        catalog.curation.set_status("main/pypi", "demo", ProjectStatus.DEPRECATED)
        seen.append(serials(server))
    assert len({page for page, _ in seen}) == len(seen)
    assert seen == sorted(seen)
    assert all(page == listed for page, listed in seen[1:])


def test_the_serial_of_the_list_never_falls(server: ServerUnderTest) -> None:
    """A project that leaves the list by its status leaves its serial there, so that a mirror notices."""
    server.publish(a_wheel("other", "1.0"))
    server.publish(a_wheel("demo", "1.0"))
    before = int(server.get("/simple/").headers["x-pypi-last-serial"])
    with server.catalog() as catalog:
        catalog.curation.set_status("main/pypi", "demo", ProjectStatus.QUARANTINED)
    page = server.get("/simple/", accept=JSON)
    assert [project["name"] for project in json.loads(page.body)["projects"]] == ["other"]
    assert int(page.headers["x-pypi-last-serial"]) == json.loads(page.body)["meta"]["_last-serial"] > before
