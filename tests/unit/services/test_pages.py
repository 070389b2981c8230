"""The page cache by itself: what is kept, dropped, shared and forgotten."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator, Sequence

import pytest
from packaging.utils import NormalizedName

from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import NotFound
from pypiserve.core.events import Event, EventKind
from pypiserve.core.identity import Visibility
from pypiserve.core.model import ProjectDetail, ProjectList, ProjectName
from pypiserve.core.names import normalise
from pypiserve.core.project_patterns import EVERYTHING, Reach
from pypiserve.services.listing import Listing
from pypiserve.services.pages import Page, Pages
from pypiserve.testing import a_clock

INDEX = IndexRecord(1, "Acme", "pypi", Visibility.PUBLIC)
OTHER = IndexRecord(2, "Other", "pypi", Visibility.PUBLIC)
DEMO, SECOND = normalise("demo"), normalise("second")


class PlainRenderer:
    """Writes names and versions."""

    name = "plain"
    media_type = "text/plain"
    accepts: Sequence[str] = ("text/plain",)

    def render_project_list(self, projects: ProjectList) -> bytes:
        """Write the names."""
        return " ".join(project.name for project in projects.projects).encode()

    def render_project_detail(self, project: ProjectDetail) -> bytes:
        """Write the versions."""
        return " ".join(project.versions).encode()


class ShelfListing(Listing):
    """A listing out of a dictionary; ``gate`` holds it up, ``asked`` counts."""

    def __init__(self) -> None:
        self.versions: dict[NormalizedName, tuple[str, ...]] = {DEMO: ("1.0",), SECOND: ("2.0",)}
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def project_list(self, index: IndexRecord, reach: Reach) -> ProjectList:  # noqa: ARG002 - the name of the base
        """Count, look, wait."""
        self.asked.append(index.owner)
        names = tuple(ProjectName(name, 1) for name in self.versions)
        await self.gate.wait()
        return ProjectList(names, 1)

    async def project_detail(self, index: IndexRecord, name: NormalizedName) -> ProjectDetail:
        """Count, look, wait."""
        self.asked.append(f"{index.owner}/{name}")
        versions = self.versions.get(name)
        await self.gate.wait()
        if versions is None:
            raise NotFound(name)
        return ProjectDetail(name, versions, (), 1)


PLAIN = PlainRenderer()


@pytest.fixture
def shelf() -> ShelfListing:
    """Return the listing."""
    return ShelfListing()


@pytest.fixture
def pages(shelf: ShelfListing) -> Iterator[Pages]:
    """Return a cache with room for everything."""
    pages = Pages(shelf, [PLAIN], max_bytes=1 << 20)
    yield pages
    pages.threads.shutdown()


def published(project: NormalizedName = DEMO, *, kind: EventKind = EventKind.FILE_PUBLISHED) -> Event:
    """Make an event in ``Acme/pypi``."""
    return Event(1, a_clock()(), kind, "operator", owner="Acme", index="pypi", project=project)


async def demo(pages: Pages) -> Page:
    """Ask for the page of ``demo``."""
    return await pages.project_detail(INDEX, DEMO, PLAIN)


async def test_a_page_is_made_once_and_kept(pages: Pages, shelf: ShelfListing) -> None:
    """The second answer is the first one itself."""
    assert await demo(pages) is await demo(pages)
    assert await pages.project_list(INDEX, PLAIN, EVERYTHING) is await pages.project_list(INDEX, PLAIN, EVERYTHING)
    assert shelf.asked == ["Acme/demo", "Acme"]


async def test_equal_names_in_two_indexes_are_two_pages(pages: Pages, shelf: ShelfListing) -> None:
    """An event in one owner's index leaves the other's pages."""
    first = await pages.project_detail(OTHER, DEMO, PLAIN)
    await demo(pages)
    pages.notice(published())
    assert await pages.project_detail(OTHER, DEMO, PLAIN) is first
    await demo(pages)
    assert shelf.asked == ["Other/demo", "Acme/demo", "Acme/demo"]


@pytest.mark.parametrize("kind", list(EventKind))
async def test_which_events_drop_a_page(pages: Pages, shelf: ShelfListing, kind: EventKind) -> None:
    """Those of its project and of the list; not those of rights, which change no page; unknown ones drop all."""
    await demo(pages)
    await pages.project_detail(INDEX, SECOND, PLAIN)
    await pages.project_list(INDEX, PLAIN, EVERYTHING)
    shelf.asked.clear()
    pages.notice(published(kind=kind))
    await demo(pages)
    await pages.project_detail(INDEX, SECOND, PLAIN)
    await pages.project_list(INDEX, PLAIN, EVERYTHING)
    touches = kind.value.startswith(("file.", "release.", "project."))
    everything = ["Acme/demo", "Acme/second", "Acme"] if kind in {EventKind.OTHER, EventKind.OWNER_RENAMED} else []
    assert shelf.asked == (["Acme/demo", "Acme"] if touches else everything)


async def test_those_who_wait_share_one_making(pages: Pages, shelf: ShelfListing) -> None:
    """Many misses at once ask the catalog once, and one that is cancelled does not take the rest along."""
    shelf.gate.clear()
    waiting = [asyncio.create_task(demo(pages)) for _ in range(10)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    shelf.gate.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert len(set(map(id, answers[1:]))) == 1
    assert shelf.asked == ["Acme/demo"]


async def test_an_event_meanwhile_keeps_the_old_page_out(pages: Pages, shelf: ShelfListing) -> None:
    """What was read before the event goes to those who asked before it, and to nobody after."""
    shelf.gate.clear()
    early = asyncio.create_task(demo(pages))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    shelf.versions[DEMO] = ("1.0", "1.1")
    pages.notice(published())
    late = asyncio.create_task(demo(pages))
    await asyncio.sleep(0)
    shelf.gate.set()
    assert ((await early).body, (await late).body) == (b"1.0", b"1.0 1.1")
    assert await demo(pages) is await late


async def test_a_failure_is_not_kept(pages: Pages, shelf: ShelfListing) -> None:
    """A project that is missing now may be published in a moment."""
    third = normalise("third")
    for _ in range(2):
        with pytest.raises(NotFound):
            await pages.project_detail(INDEX, third, PLAIN)
    shelf.versions[third] = ("3.0",)
    assert (await pages.project_detail(INDEX, third, PLAIN)).body == b"3.0"


async def test_the_least_recently_used_page_goes_first(shelf: ShelfListing) -> None:
    """Within the bound of two pages, the one that was not asked for of late makes room."""
    names = [normalise(f"p{number}") for number in range(3)]
    shelf.versions = dict.fromkeys(names, ("1.0",))
    pages = Pages(shelf, [PLAIN], max_bytes=2200)
    for name in (names[0], names[1], names[0], names[2], names[0], names[1]):
        await pages.project_detail(INDEX, name, PLAIN)
    assert shelf.asked == ["Acme/p0", "Acme/p1", "Acme/p2", "Acme/p1"]
    pages.threads.shutdown()


async def test_a_page_larger_than_the_bound_is_not_kept(shelf: ShelfListing) -> None:
    """It is served all the same, and does not push the others out."""
    pages = Pages(shelf, [PLAIN], max_bytes=1500)
    await demo(pages)
    shelf.versions[SECOND] = tuple(f"1.{number}" for number in range(500))
    for _ in range(2):
        assert len((await pages.project_detail(INDEX, SECOND, PLAIN)).body) > 1500
    await demo(pages)
    assert shelf.asked == ["Acme/demo", "Acme/second", "Acme/second"]
    pages.threads.shutdown()


async def test_what_was_dropped_makes_room(shelf: ShelfListing) -> None:
    """The account of bytes stays true however often pages come and go."""
    pages = Pages(shelf, [PLAIN], max_bytes=2200)
    for _ in range(50):
        await demo(pages)
        pages.notice(published())
    await demo(pages)
    await pages.project_detail(INDEX, SECOND, PLAIN)
    shelf.asked.clear()
    await demo(pages)
    await pages.project_detail(INDEX, SECOND, PLAIN)
    assert shelf.asked == []
    pages.threads.shutdown()


async def test_equal_pages_have_equal_tags_and_bytes(shelf: ShelfListing) -> None:
    """Whoever renders, whenever: two nodes agree, and the tag of the compressed page is another one."""
    shelf.versions[DEMO] = tuple(f"1.{number}" for number in range(500))
    made = []
    for _ in range(2):
        pages = Pages(shelf, [PLAIN], max_bytes=0)
        made.append(await demo(pages))
        pages.threads.shutdown()
    assert made[0] == made[1]
    assert made[0].compressed is not None
    assert gzip.decompress(made[0].compressed) == made[0].body
    assert len({made[0].etag, made[0].compressed_etag, f'"{made[0].etag}"'}) == 3
