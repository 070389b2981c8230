"""The JSON form of the simple API, key by key as clients need it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName
from pypi_simple import IndexPage, ProjectPage
from pypi_simple import ProjectStatus as ReadStatus

from pypiserve.builtin.json import JsonRenderer, pypiserve_renderers
from pypiserve.core.digests import Sha256
from pypiserve.core.model import ProjectDetail, ProjectFile, ProjectList, ProjectName, ProjectStatus

DIGEST = Sha256("0123456789abcdef" * 4)
METADATA_DIGEST = Sha256("fedcba9876543210" * 4)
UPLOADED = datetime(2026, 3, 1, 8, 15, 30, 123, tzinfo=UTC)
PLAIN = ProjectFile(
    filename="holy_grail-1.0.tar.gz",
    url="/api/packages/acme/pypi/files/holy-grail/1.0/holy_grail-1.0.tar.gz",
    sha256=DIGEST,
    size_bytes=1337,
    uploaded_at=UPLOADED,
)
WHEEL = ProjectFile(
    filename="holy_grail-1.1+cu118-py3-none-any.whl",
    url="/api/packages/acme/pypi/files/holy-grail/1.1%2Bcu118/holy_grail-1.1%2Bcu118-py3-none-any.whl",
    sha256=DIGEST,
    size_bytes=2**40,
    uploaded_at=UPLOADED.replace(microsecond=0),
    requires_python=">=3.10,<4",
    core_metadata_sha256=METADATA_DIGEST,
    yanked=True,
    yanked_reason='breaks <everything> & "more"',
)
PROJECT = ProjectDetail(
    name=NormalizedName("holy-grail"), versions=("1.0", "1.1+cu118", "2.0"), files=(PLAIN, WHEEL), last_serial=42
)


def detail(project: ProjectDetail) -> dict[str, Any]:
    """Render a project and read it back."""
    return dict(json.loads(JsonRenderer().render_project_detail(project)))


def rendered(file: ProjectFile) -> dict[str, Any]:
    """Render a project of one file and read the file back."""
    return dict(detail(replace(PROJECT, files=(file,)))["files"][0])


def test_the_plugin_yields_the_renderer() -> None:
    """The settings find the renderer as ``json``."""
    assert [renderer.name for renderer in pypiserve_renderers()] == ["json"]


def test_a_project_page_is_written_to_the_letter() -> None:
    """The keys, their order and their values are exactly these."""
    assert list(detail(PROJECT).items()) == [
        ("meta", {"_last-serial": 42, "api-version": "1.4"}),
        ("name", "holy-grail"),
        ("project-status", {"status": "active"}),
        ("versions", ["1.0", "1.1+cu118", "2.0"]),
        ("files", [rendered(PLAIN), rendered(WHEEL)]),
    ]
    assert list(rendered(PLAIN).items()) == [
        ("filename", PLAIN.filename),
        ("url", PLAIN.url),
        ("hashes", {"sha256": DIGEST}),
        ("size", 1337),
        ("upload-time", "2026-03-01T08:15:30.000123Z"),
        ("yanked", False),
    ]
    assert list(rendered(WHEEL).items()) == [
        ("filename", WHEEL.filename),
        ("url", WHEEL.url),
        ("hashes", {"sha256": DIGEST}),
        ("size", 2**40),
        ("upload-time", "2026-03-01T08:15:30Z"),
        ("yanked", WHEEL.yanked_reason),
        ("requires-python", ">=3.10,<4"),
        ("core-metadata", {"sha256": METADATA_DIGEST}),
        ("data-dist-info-metadata", {"sha256": METADATA_DIGEST}),
    ]


def test_a_project_list_is_written_to_the_letter() -> None:
    """Each project stands with its serial, which bandersnatch needs."""
    projects = ProjectList(
        (ProjectName(NormalizedName("a"), 3), ProjectName(NormalizedName("b-c"), 9)), last_serial=9
    )
    assert JsonRenderer().render_project_list(projects) == (
        b'{"meta":{"_last-serial":9,"api-version":"1.4"},'
        b'"projects":[{"name":"a","_last-serial":3},{"name":"b-c","_last-serial":9}]}\n'
    )


def test_pages_end_with_a_newline() -> None:
    """Pages are text files, also when they are empty."""
    assert JsonRenderer().render_project_detail(replace(PROJECT, files=(), versions=())).endswith(b'"files":[]}\n')
    assert JsonRenderer().render_project_list(ProjectList((), 0)).endswith(b'"projects":[]}\n')


def test_the_content_type_is_exact() -> None:
    """uv refuses parameters' blanks, other letter cases and ``latest``; so there are none."""
    assert JsonRenderer().media_type == "application/vnd.pypi.simple.v1+json"


def test_nothing_is_null() -> None:
    """A key without a value is left out: uv refuses a page for some nulls."""
    assert b"null" not in JsonRenderer().render_project_detail(PROJECT)


def test_the_metadata_alias_that_crashes_old_pip_is_left_out() -> None:
    """pip 22.3 to 23.1 take the value of ``dist-info-metadata`` for text and crash on an object."""
    assert "dist-info-metadata" not in rendered(WHEEL)


@pytest.mark.parametrize(
    ("yanked", "reason", "expected"),
    [(False, None, False), (False, "left over", False), (True, None, True), (True, "", True), (True, "bad", "bad")],
)
def test_a_yank_is_never_an_empty_text(yanked: bool, reason: str | None, expected: object) -> None:  # noqa: FBT001 - a table
    """pip and PDM take ``""`` for not yanked, so a yank without a reason is ``true``."""
    assert rendered(replace(PLAIN, yanked=yanked, yanked_reason=reason))["yanked"] == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 120_000, tzinfo=UTC), "2026-01-02T03:04:05.120000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC), "2026-01-02T03:04:05.000001Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(0), "GMT")), "2026-01-02T03:04:05Z"),
    ],
)
def test_upload_times_have_no_fraction_or_six_digits(moment: datetime, expected: str) -> None:
    """Times are UTC with ``Z``; Python before 3.11 reads no other number of digits."""
    assert rendered(replace(PLAIN, uploaded_at=moment))["upload-time"] == expected


def test_a_status_has_a_reason_only_if_there_is_one() -> None:
    """The reason is a key of its own, at the top level beside the status."""
    archived = replace(PROJECT, status=ProjectStatus.ARCHIVED)
    assert detail(archived)["project-status"] == {"status": "archived"}
    explained = replace(archived, status_reason="superseded")
    assert detail(explained)["project-status"] == {"status": "archived", "reason": "superseded"}


def test_the_strict_reader_reads_every_field() -> None:
    """pypi-simple finds in the page what the model says."""
    project = replace(PROJECT, status=ProjectStatus.DEPRECATED, status_reason="move on")
    page = ProjectPage.from_json_data(detail(project), "https://index.example.com/simple/holy-grail/")
    assert (page.project, page.repository_version, page.last_serial) == ("holy-grail", "1.4", "42")
    assert (page.status, page.status_reason) == (ReadStatus.DEPRECATED, "move on")
    assert page.versions == list(project.versions)
    for package, file in zip(page.packages, project.files, strict=True):
        assert package.filename == file.filename
        assert package.url == f"https://index.example.com{file.url}"
        assert package.digests == {"sha256": file.sha256}
        assert package.size == file.size_bytes
        assert package.upload_time == file.uploaded_at
        assert package.requires_python == file.requires_python
        assert package.is_yanked is file.yanked
        assert package.yanked_reason == file.yanked_reason
        assert package.has_metadata is (True if file.core_metadata_sha256 else None)
        assert package.metadata_digests == ({"sha256": METADATA_DIGEST} if file.core_metadata_sha256 else None)
    assert page.packages[1].version == "1.1+cu118"


def test_the_strict_reader_reads_the_project_list() -> None:
    """pypi-simple finds the names, the version and the serial."""
    projects = ProjectList(
        (ProjectName(NormalizedName("a"), 3), ProjectName(NormalizedName("b-c"), 9)), last_serial=9
    )
    page = IndexPage.from_json_data(json.loads(JsonRenderer().render_project_list(projects)))
    assert (page.projects, page.repository_version, page.last_serial) == (["a", "b-c"], "1.4", "9")


TEXTS = st.text(st.sampled_from("<>&\"'\\/\n\r\0") | st.characters(codec="utf-8"), min_size=1)


@given(filename=TEXTS, reason=TEXTS)
def test_any_text_comes_back(filename: str, reason: str) -> None:
    """Names and reasons survive, whatever characters they have."""
    file = rendered(replace(WHEEL, filename=filename, yanked_reason=reason, requires_python=reason))
    assert (file["filename"], file["yanked"], file["requires-python"]) == (filename, reason, reason)
