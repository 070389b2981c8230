"""The HTML form of the simple API, attribute by attribute as clients need it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName
from pypi_simple import IndexPage, ProjectPage
from pypi_simple import ProjectStatus as ReadStatus

from pypiserve.builtin.html import HtmlRenderer, pypiserve_renderers
from pypiserve.core.digests import Sha256
from pypiserve.core.model import ProjectDetail, ProjectFile, ProjectList, ProjectName, ProjectStatus

DIGEST = Sha256("0123456789abcdef" * 4)
METADATA_DIGEST = Sha256("fedcba9876543210" * 4)
PLAIN = ProjectFile(
    filename="holy_grail-1.0.tar.gz",
    url="/files/holy-grail/1.0/holy_grail-1.0.tar.gz",
    sha256=DIGEST,
    size_bytes=1337,
    uploaded_at=datetime(2026, 3, 1, 8, 15, 30, 123, tzinfo=UTC),
)
WHEEL = ProjectFile(
    filename="holy_grail-1.1+cu118-py3-none-any.whl",
    url="/files/holy-grail/1.1%2Bcu118/holy_grail-1.1%2Bcu118-py3-none-any.whl",
    sha256=DIGEST,
    size_bytes=2**40,
    uploaded_at=datetime(2026, 3, 1, 8, 15, 30, tzinfo=UTC),
    requires_python=">=3.10,<4",
    core_metadata_sha256=METADATA_DIGEST,
    yanked=True,
    yanked_reason='breaks <everything> & "more"',
)
PROJECT = ProjectDetail(
    name=NormalizedName("holy-grail"), versions=("1.0", "1.1+cu118"), files=(PLAIN, WHEEL), last_serial=42
)
PROJECTS = ProjectList((ProjectName(NormalizedName("a"), 3), ProjectName(NormalizedName("b-c"), 9)), last_serial=9)


class PageReader(HTMLParser):
    """Collects the anchors (attributes and text) and the metas of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.anchors: list[tuple[dict[str, str | None], str]] = []
        self.metas: dict[str | None, str | None] = {}
        self.tags: list[str] = []
        self._anchor: dict[str, str | None] | None = None
        self._text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self._anchor, self._text = dict(attrs), ""
        if tag == "meta" and "name" in dict(attrs):
            self.metas[dict(attrs)["name"]] = dict(attrs)["content"]

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._anchor is not None:
            self.anchors.append((self._anchor, self._text))


def page_of(project: ProjectDetail) -> str:
    """Render a project."""
    return HtmlRenderer().render_project_detail(project).decode()


def anchor_of(file: ProjectFile) -> dict[str, str | None]:
    """Render a project of one file and read the attributes of its anchor."""
    ((attributes, _),) = PageReader(page_of(replace(PROJECT, files=(file,)))).anchors
    return attributes


def test_the_plugin_yields_the_renderer() -> None:
    """The settings find the renderer as ``html``."""
    assert [renderer.name for renderer in pypiserve_renderers()] == ["html"]


def test_a_project_page_is_written_to_the_letter() -> None:
    """The whole page is exactly this."""
    assert page_of(PROJECT) == (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n'
        "<head>\n"
        '<meta charset="utf-8">\n'
        '<meta name="pypi:repository-version" content="1.4">\n'
        '<meta name="pypi:project-status" content="active">\n'
        "<title>Links for holy-grail</title>\n"
        "</head>\n"
        "<body>\n"
        "<h1>Links for holy-grail</h1>\n"
        f'<a href="/files/holy-grail/1.0/holy_grail-1.0.tar.gz#sha256={DIGEST}" data-size="1337"'
        ' data-upload-time="2026-03-01T08:15:30.000123Z">holy_grail-1.0.tar.gz</a><br>\n'
        f'<a href="/files/holy-grail/1.1%2Bcu118/holy_grail-1.1%2Bcu118-py3-none-any.whl#sha256={DIGEST}"'
        ' data-size="1099511627776" data-upload-time="2026-03-01T08:15:30Z" data-requires-python="&gt;=3.10,&lt;4"'
        f' data-core-metadata="sha256={METADATA_DIGEST}" data-dist-info-metadata="sha256={METADATA_DIGEST}"'
        ' data-yanked="breaks &lt;everything&gt; &amp; &quot;more&quot;">'
        "holy_grail-1.1+cu118-py3-none-any.whl</a><br>\n"
        "</body>\n"
        "</html>\n"
    )


def test_a_project_list_is_written_to_the_letter() -> None:
    """The links are relative and end in a slash, as poetry's reader needs."""
    assert HtmlRenderer().render_project_list(PROJECTS).decode() == (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n'
        "<head>\n"
        '<meta charset="utf-8">\n'
        '<meta name="pypi:repository-version" content="1.4">\n'
        "<title>Simple index</title>\n"
        "</head>\n"
        "<body>\n"
        "<h1>Simple index</h1>\n"
        '<a href="a/">a</a><br>\n'
        '<a href="b-c/">b-c</a><br>\n'
        "</body>\n"
        "</html>\n"
    )


def test_a_status_has_a_reason_only_if_there_is_one() -> None:
    """The status and its reason are metas of the page."""
    archived = replace(PROJECT, status=ProjectStatus.ARCHIVED)
    assert PageReader(page_of(archived)).metas == {
        "pypi:repository-version": "1.4",
        "pypi:project-status": "archived",
    }
    explained = PageReader(page_of(replace(archived, status_reason='"><script>'))).metas
    assert explained["pypi:project-status-reason"] == '"><script>'


@pytest.mark.parametrize("reason", [None, ""])
def test_a_yank_without_reason_has_an_empty_value(reason: str | None) -> None:
    """The bare attribute would be read as not yanked by pip and PDM."""
    page = page_of(replace(PROJECT, files=(replace(PLAIN, yanked=True, yanked_reason=reason),)))
    assert ' data-yanked="">' in page


def test_a_file_that_is_not_yanked_has_no_mark() -> None:
    """The presence of the attribute is the mark, so it is absent, reason or not."""
    assert "data-yanked" not in anchor_of(PLAIN)
    assert "data-yanked" not in anchor_of(replace(PLAIN, yanked_reason="left over"))


def test_absent_values_have_no_attributes() -> None:
    """A file without core metadata and Python requirement has neither attribute."""
    assert set(anchor_of(PLAIN)) == {"href", "data-size", "data-upload-time"}


def test_upload_times_are_utc() -> None:
    """uv reads the time, which is written with ``Z`` whatever the zone it is held in."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 120_000, tzinfo=timezone(timedelta(hours=2)))
    assert anchor_of(replace(PLAIN, uploaded_at=moment))["data-upload-time"] == "2026-01-02T01:04:05.120000Z"


def test_hatch_finds_every_file() -> None:
    """hatch looks for published files with a regular expression, which a raw ``>`` in an attribute would break."""
    assert re.findall(r"<a [^>]+>([^<]+)</a>", page_of(PROJECT)) == [PLAIN.filename, WHEEL.filename]


def test_the_strict_reader_reads_every_field() -> None:
    """pypi-simple finds in the page what the model says."""
    project = replace(PROJECT, status=ProjectStatus.DEPRECATED, status_reason="move on")
    content = HtmlRenderer().render_project_detail(project)
    page = ProjectPage.from_html("holy-grail", content, "https://index.example.com/simple/holy-grail/", "utf-8")
    assert page.repository_version == "1.4"
    assert (page.status, page.status_reason) == (ReadStatus.DEPRECATED, "move on")
    for package, file in zip(page.packages, project.files, strict=True):
        assert package.filename == file.filename
        assert package.url == f"https://index.example.com{file.url}"
        assert package.digests == {"sha256": file.sha256}
        assert package.requires_python == file.requires_python
        assert package.is_yanked is file.yanked
        assert package.yanked_reason == file.yanked_reason
        assert package.has_metadata is (True if file.core_metadata_sha256 else None)
        assert package.metadata_digests == ({"sha256": METADATA_DIGEST} if file.core_metadata_sha256 else None)


def test_the_strict_reader_reads_the_project_list() -> None:
    """pypi-simple finds the names and the version."""
    page = IndexPage.from_html(HtmlRenderer().render_project_list(PROJECTS), "utf-8")
    assert (page.projects, page.repository_version) == (["a", "b-c"], "1.4")


TEXTS = st.text(st.sampled_from("<>&\"';#/= \n") | st.characters(codec="utf-8", exclude_characters="\r"), min_size=1)


@given(filename=TEXTS, reason=TEXTS)
def test_any_text_comes_back(filename: str, reason: str) -> None:
    """Names and reasons survive a parser, and add no element to the page."""
    file = replace(WHEEL, filename=filename, yanked_reason=reason, requires_python=reason)
    page = PageReader(page_of(replace(PROJECT, files=(file,), status_reason=reason)))
    ((attributes, text),) = page.anchors
    assert text == filename
    assert attributes["data-yanked"] == attributes["data-requires-python"] == reason
    assert page.metas["pypi:project-status-reason"] == reason
    assert page.tags == PageReader(page_of(replace(PROJECT, files=(WHEEL,), status_reason="x"))).tags
