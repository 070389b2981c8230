"""Deleting and restoring: what readers see at once, what the journal keeps, and what cannot come back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from pypiserve.catalog import journal, owners
from pypiserve.core.errors import NotFound
from pypiserve.core.events import OPERATOR, Event, EventKind
from pypiserve.core.index_rules import IndexRules
from pypiserve.services.curation import Curation, RestoreRefused, RetentionOver, Target
from pypiserve.testing import BuiltFile, a_wheel, an_sdist
from pypiserve.testing.server import ServerUnderTest

INDEX = "main/pypi"
JSON = "application/vnd.pypi.simple.v1+json"
ONE, TWO = a_wheel("demo", "1.0"), a_wheel("demo", "2.0")
SDIST = an_sdist("demo", "1.0")


def page(server: ServerUnderTest) -> Any:
    """Return the page of ``demo``, or its status when it is none."""
    reply = server.get("/simple/demo/", accept=JSON)
    return json.loads(reply.body) if reply.status == 200 else reply.status


def names(server: ServerUnderTest) -> list[str]:
    """Return the names of the projects that the list has."""
    return [project["name"] for project in json.loads(server.get("/simple/", accept=JSON).body)["projects"]]


def address(built: BuiltFile) -> str:
    """Return where a file of ``demo`` is."""
    return (
        f"/api/packages/main/pypi/files/demo/{built.filename.split('-')[1].removesuffix('.tar.gz')}/{built.filename}"
    )


def delete(server: ServerUnderTest, *words: str) -> None:
    """Delete the project ``demo``, a release or a file of it."""
    with server.catalog() as catalog:
        catalog.curation.apply_now(INDEX, catalog.curation.delete(Target("demo", *words)))


def restore(server: ServerUnderTest, *words: str) -> tuple[str, ...]:
    """Restore the project ``demo``, a release or a file of it."""
    with server.catalog() as catalog:
        return catalog.curation.apply_now(INDEX, catalog.curation.restore(Target("demo", *words)))


def events(server: ServerUnderTest) -> list[Event]:
    """Return the last events, from the first publication on."""
    with server.catalog() as catalog:
        found = catalog._database.read_now(lambda connection: journal.since(connection, 0))
    return [event for event in found if event.project is not None]


def sizes(server: ServerUnderTest) -> set[int]:
    """Return the sizes that the catalog keeps for the project and the index."""
    with server.catalog() as catalog:
        return catalog._database.read_now(
            lambda connection: {
                connection.exec_driver_sql(f"SELECT sum(size_bytes) FROM {table}").scalar_one()
                for table in ("projects", "indexes")
            }
        )


@pytest.fixture
def stocked(server: ServerUnderTest) -> ServerUnderTest:
    """A server that has two wheels and an sdist of ``demo``, and another project."""
    for built in (ONE, TWO, SDIST, a_wheel("other", "1.0")):
        assert server.publish(built).status == 201
    return server


def test_a_deleted_file_is_gone_at_once(stocked: ServerUnderTest) -> None:
    """Page, file and core metadata follow before the next answer; the rest of the release stays."""
    assert stocked.get(address(ONE)).status == stocked.get(f"{address(ONE)}.metadata").status == 200
    delete(stocked, "1.0", ONE.filename)
    assert [file["filename"] for file in page(stocked)["files"]] == [SDIST.filename, TWO.filename]
    assert page(stocked)["versions"] == ["1.0", "2.0"]
    assert stocked.get(address(ONE)).status == stocked.get(f"{address(ONE)}.metadata").status == 404
    assert stocked.get(address(SDIST)).status == 200


def test_a_release_without_files_is_no_version(stocked: ServerUnderTest) -> None:
    """It leaves the page with its files."""
    delete(stocked, "1.0")
    assert page(stocked)["versions"] == ["2.0"]
    assert stocked.get(address(SDIST)).status == 404


def test_a_project_without_files_is_gone(stocked: ServerUnderTest) -> None:
    """Its page is 404 and the list does not have it, whichever way its last file went."""
    assert names(stocked) == ["demo", "other"]
    delete(stocked)
    assert (page(stocked), names(stocked)) == (404, ["other"])
    assert sorted(restore(stocked)) == sorted([ONE.filename, TWO.filename, SDIST.filename])
    assert names(stocked) == ["demo", "other"]
    delete(stocked, "1.0")
    delete(stocked, "2.0", TWO.filename)
    assert (page(stocked), names(stocked)) == (404, ["other"])


def test_each_change_is_one_event(stocked: ServerUnderTest) -> None:
    """It is of the kind that was addressed, says what and who, and moves the serial of the project."""
    for words in (("1.0", ONE.filename), ("2.0",), ()):
        delete(stocked, *words)
        restore(stocked, *words)
    told = [(event.kind.value, event.version, event.filename, event.subject) for event in events(stocked)[4:]]
    assert told == [
        ("file.deleted", "1.0", ONE.filename, "operator"),
        ("file.restored", "1.0", ONE.filename, "operator"),
        ("release.deleted", "2.0", None, "operator"),
        ("release.restored", "2.0", None, "operator"),
        ("project.deleted", None, None, "operator"),
        ("project.restored", None, None, "operator"),
    ]
    assert page(stocked)["meta"]["_last-serial"] == events(stocked)[-1].serial


def test_the_name_of_a_deleted_file_stays_reserved(stocked: ServerUnderTest) -> None:
    """Neither the same nor other bytes may take it; a new version may come."""
    delete(stocked)
    assert stocked.publish(ONE).status == 409
    assert stocked.publish(a_wheel("demo", "1.0", files={"x.py": "1"})).status == 409
    assert stocked.publish(a_wheel("demo", "3.0")).status == 201
    assert page(stocked)["versions"] == ["3.0"]


def test_a_restored_file_is_as_it_was(stocked: ServerUnderTest) -> None:
    """With its bytes, its time of upload and its yank."""
    with stocked.catalog() as catalog:
        catalog.curation.set_yanked(INDEX, "demo", "1.0", yanked=True, reason="broken")
    before = page(stocked)["files"]
    delete(stocked, "1.0")
    assert sorted(restore(stocked, "1.0")) == sorted([ONE.filename, SDIST.filename])
    assert page(stocked)["files"] == before
    assert stocked.get(address(ONE)).body == ONE.content


def test_what_was_deleted_before_stays_deleted(stocked: ServerUnderTest) -> None:
    """Restoring takes the last deletion back; what went before, perhaps for good reason, is asked for by itself."""
    delete(stocked, "1.0", ONE.filename)
    delete(stocked, "1.0")
    assert restore(stocked, "1.0") == (SDIST.filename,)
    assert restore(stocked, "1.0", ONE.filename) == (ONE.filename,)


def test_what_is_not_there_cannot_be_deleted_or_restored(stocked: ServerUnderTest) -> None:
    """The second time there is nothing left, and what was not deleted cannot come back."""
    with pytest.raises(NotFound, match=r"A deleted file of the release 1\.0"):
        restore(stocked, "1.0")
    delete(stocked, "1.0")
    for words in (("1.0",), ("1.0", ONE.filename), ("9",), ("2.0", ONE.filename)):
        with pytest.raises(NotFound):
            delete(stocked, *words)


def test_sizes_follow(stocked: ServerUnderTest) -> None:
    """The sizes of project and index count what is not deleted."""
    before = sizes(stocked)
    assert len(before) == 1
    delete(stocked, "1.0")
    assert sizes(stocked) == {before.copy().pop() - len(ONE.content) - len(SDIST.content)}
    restore(stocked, "1.0")
    assert sizes(stocked) == before


def restore_after(server: ServerUnderTest, days: float) -> tuple[str, ...]:
    """Restore the release 1.0 some days from now."""
    with server.catalog() as catalog:
        future = Curation(catalog._database, now=lambda: datetime.now(UTC) + timedelta(days=days))
        return future.apply_now(INDEX, future.restore(Target("demo", "1.0")))


def test_it_is_too_late_after_the_retention(stocked: ServerUnderTest) -> None:
    """30 days unless the index says otherwise; the sentence says until when it was possible."""
    delete(stocked, "1.0")
    with pytest.raises(RetentionOver, match=r"The release 1\.0 of demo cannot be restored: .* until 20"):
        restore_after(stocked, 30.1)
    assert len(restore_after(stocked, 29.9)) == 2


def test_the_index_says_how_long(stocked: ServerUnderTest) -> None:
    """With a retention of 0 days nothing comes back."""
    with stocked.catalog() as catalog:

        def work(connection: Any) -> None:
            index = owners.find_index(connection, "main", "pypi")
            assert index is not None
            owners.set_rules(connection, index, IndexRules(retention_days=0), by=OPERATOR, now=datetime.now(UTC))

        catalog._database.write_now(work)
    delete(stocked, "1.0")
    with pytest.raises(RetentionOver):
        restore(stocked, "1.0")


def test_a_restoration_that_breaks_a_rule_is_refused_whole(server: ServerUnderTest) -> None:
    """A release that got another sdist meanwhile does not get the first one back."""
    assert server.publish(SDIST).status == 201
    delete(server, "1.0")
    with server.catalog() as catalog:
        # The same release, with an sdist of another form.
        catalog._database.write_now(
            lambda connection: connection.exec_driver_sql(
                "INSERT INTO files (index_id, release_id, filename, filename_key, kind, sha256, core_metadata_sha256,"
                " uploaded_by, uploaded_at) SELECT index_id, release_id, 'demo-1.0.zip', 'demo-1.0.zip', kind,"
                " sha256, core_metadata_sha256, uploaded_by, uploaded_at FROM files"
            )
        )
    with pytest.raises(RestoreRefused, match="another sdist"):
        restore(server, "1.0", SDIST.filename)
    assert [file["filename"] for file in page(server)["files"]] == ["demo-1.0.zip"]


def test_one_file_is_yanked(stocked: ServerUnderTest) -> None:
    """Its siblings are not, nor what joins them later; another reason replaces the first."""
    with stocked.catalog() as catalog:
        for reason in ("broken", "very broken"):
            catalog.curation.apply_now(INDEX, catalog.curation.yank(Target("demo", "1.0", ONE.filename), reason))
    assert stocked.publish(a_wheel("demo", "1.0", tag="py2-none-any")).status == 201
    yanked = {file["filename"]: file["yanked"] for file in page(stocked)["files"]}
    assert {name for name, mark in yanked.items() if mark} == {ONE.filename}
    assert yanked[ONE.filename] == "very broken"
    last = events(stocked)[-2]
    assert (last.kind, last.filename, last.detail) == (EventKind.FILE_YANKED, ONE.filename, "very broken")
    with stocked.catalog() as catalog:
        catalog.curation.apply_now(INDEX, catalog.curation.unyank(Target("demo", "1.0", ONE.filename)))
    assert not any(file["yanked"] for file in page(stocked)["files"])


def test_what_is_deleted_is_not_yanked(stocked: ServerUnderTest) -> None:
    """There is nobody to tell."""
    delete(stocked, "1.0")
    with stocked.catalog() as catalog, pytest.raises(NotFound):
        catalog.curation.set_yanked(INDEX, "demo", "1.0", yanked=True)


@pytest.mark.parametrize("what", ["project", "index"])
def test_what_would_be_too_much_does_not_come_back(stocked: ServerUnderTest, what: str) -> None:
    """Quotas count for what is restored as for what is published, and nothing has changed then."""
    delete(stocked, "1.0")
    with stocked.catalog() as catalog:
        rules = msgspec.convert({f"max_{what}_size_bytes": len(TWO.content) + 1}, IndexRules)
        index = catalog._database.read_now(lambda connection: owners.find_index(connection, "main", "pypi"))
        assert index is not None
        catalog._database.write_now(
            lambda connection: owners.set_rules(connection, index, rules, by=OPERATOR, now=datetime.now(UTC))
        )
    with pytest.raises(RestoreRefused, match=rf"the {what} would have \d+ bytes and may have \d+; delete old"):
        restore(stocked, "1.0")
    assert page(stocked)["versions"] == ["2.0"]
