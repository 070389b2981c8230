"""Feeds tell of what is new, and only of what may be seen."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from pypiserve.core.model import ProjectStatus
from pypiserve.services.curation import Target
from pypiserve.testing import a_wheel, an_sdist
from pypiserve.testing.fixtures import MakeServer
from pypiserve.testing.server import ServerUnderTest

BASE = "/api/packages/main/pypi"
FEEDS = ("rss/updates.xml", "rss/packages.xml", "rss/project/demo/releases.xml", "stats")


def items(server: ServerUnderTest, path: str) -> list[tuple[str, str]]:
    """Return title and link of each entry."""
    reply = server.get(path)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    channel = ET.fromstring(reply.body.decode())
    assert (channel.tag, channel.get("version")) == ("rss", "2.0")
    return [(item.findtext("title", ""), item.findtext("link", "")) for item in channel.iter("item")]


def titles(server: ServerUnderTest, path: str) -> list[str]:
    """Return the titles of the entries."""
    return [title for title, _ in items(server, path)]


@pytest.mark.parametrize("base", ["", BASE])
def test_what_is_new(server: ServerUnderTest, base: str) -> None:
    """Releases and projects come newest first, with the absolute links of their pages."""
    for built in (a_wheel("demo", "2.0"), a_wheel("demo", "1.0"), an_sdist("demo", "1.0"), a_wheel("other", "0.1")):
        server.publish(built)
    demo, other = (f"{server.url}{BASE}/simple/{name}/" for name in ("demo", "other"))
    assert items(server, f"{base}/rss/updates.xml") == [("other 0.1", other), ("demo 1.0", demo), ("demo 2.0", demo)]
    assert items(server, f"{base}/rss/packages.xml") == [("other", other), ("demo", demo)]
    assert items(server, f"{base}/rss/project/demo/releases.xml") == [("demo 1.0", demo), ("demo 2.0", demo)]
    assert titles(server, f"{base}/rss/project/Demo/releases.xml") == ["demo 1.0", "demo 2.0"]
    assert server.get(f"{base}/rss/project/none/releases.xml").status == 404


def test_what_is_gone(server: ServerUnderTest) -> None:
    """What is deleted or quarantined is in no feed and has no size."""
    kept = a_wheel("demo", "1.0")
    for built in (kept, a_wheel("demo", "2.0"), a_wheel("bad", "1.0"), a_wheel("old", "1.0")):
        server.publish(built)
    with server.catalog() as catalog:
        catalog.curation.set_status("main/pypi", "bad", ProjectStatus.QUARANTINED)
        for target in (Target("old"), Target("demo", "2.0")):
            catalog.curation.apply_now("main/pypi", catalog.curation.delete(target))
    assert titles(server, "/rss/updates.xml") == ["demo 1.0"]
    assert titles(server, "/rss/packages.xml") == ["demo"]
    assert titles(server, "/rss/project/demo/releases.xml") == ["demo 1.0"]
    assert server.get("/rss/project/bad/releases.xml").status == 404
    assert json.loads(server.get("/stats").body)["top_packages"] == {"demo": {"size": len(kept.content)}}


def test_sizes(server: ServerUnderTest) -> None:
    """The sizes are those of the files, the largest project first."""
    built = [a_wheel("small", "1.0"), a_wheel("large", "1.0"), an_sdist("large", "1.0")]
    for each in built:
        server.publish(each)
    small, *large = (len(each.content) for each in built)
    found = json.loads(server.get(f"{BASE}/stats").body)
    assert found["total_packages_size"] == small + sum(large)
    assert list(found["top_packages"].items()) == [("large", {"size": sum(large)}), ("small", {"size": small})]


@pytest.mark.parametrize("path", FEEDS)
def test_validators_and_rights(make_server: MakeServer, path: str) -> None:
    """A feed that has not changed is not sent again, and one of a private index takes the right to read it."""
    server = make_server("private = true\n")
    server.publish(a_wheel("demo", "1.0"))
    assert server.get(f"/{path}").status == 401
    first = server.get(f"/{path}", token=server.token)
    assert (first.status, first.headers["cache-control"]) == (200, "private, no-cache")
    etag = first.headers["etag"]
    assert server.get(f"/{path}", token=server.token, if_none_match=etag).status == 304
    server.publish(a_wheel("demo", "1.1"))
    server.publish(a_wheel("more", "1.1"))
    assert server.get(f"/{path}", token=server.token, if_none_match=etag).status == 200


def test_feeds_are_bounded(server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed has no more entries than its bound says."""
    for bound in ("_MAX_RELEASES", "_MAX_PROJECTS", "_MAX_RELEASES_OF_PROJECT"):
        monkeypatch.setattr(f"pypiserve.services.feeds.{bound}", 1)
    for name, version in (("demo", "1.0"), ("demo", "2.0"), ("other", "1.0")):
        server.publish(a_wheel(name, version))
    assert titles(server, "/rss/updates.xml") == ["other 1.0"]
    assert titles(server, "/rss/packages.xml") == ["other"]
    assert titles(server, "/rss/project/demo/releases.xml") == ["demo 2.0"]
