"""What every renderer promises, as tests to inherit."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime

import pytest
from packaging.utils import NormalizedName

from pypiserve.core.digests import Sha256
from pypiserve.core.model import ProjectDetail, ProjectFile, ProjectList, ProjectName, ProjectStatus
from pypiserve.plugin import Renderer

__all__ = ["RendererContract"]

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}")
_CONTENT_TYPE = re.compile(rf"{_MEDIA_TYPE.pattern}(?:; ?{_TOKEN}={_TOKEN})*")

# Text that breaks out of markup, out of quotes, out of lines, or out of what an encoder expects.
_HOSTILE_TEXTS = [
    "<script>alert(1)</script>",
    "\"' onmouseover='x' \"",
    "</a>--><!-- ]]>",
    "&amp;&lt;&#0;",
    'back\\slash "quote"',
    "line\r\nfeed\ttab",
    "nul\0 bell\a del\x7f next\x85",
    "\u2028\u2029\u202e\ufeff\uffff",
    "naïve 雪 \U0001f40d",
    "%s {0} {{x}} ${y}",
    " ",
    "x" * 100_000,
]


class RendererContract:
    """
    Inherit this in a class named ``Test…`` and supply the fixture ``renderer``.

    The renderer must be ready to use; one object serves every test, as it serves every request.
    """

    @pytest.fixture
    def renderer(self) -> Renderer:
        """The renderer under test."""
        raise NotImplementedError("supply the fixture 'renderer'")

    def test_it_is_a_renderer(self, renderer: Renderer) -> None:
        """The object has the attributes and methods of the protocol."""
        assert isinstance(renderer, Renderer)

    def test_its_name_can_stand_in_settings(self, renderer: Renderer) -> None:
        """The name is a lowercase word."""
        assert re.fullmatch(r"[a-z][a-z0-9-]*", renderer.name)

    def test_its_media_type_is_a_content_type(self, renderer: Renderer) -> None:
        """The media type is well-formed, and lowercase before its parameters: clients compare it exactly."""
        assert _CONTENT_TYPE.fullmatch(renderer.media_type)
        essence = renderer.media_type.partition(";")[0]
        assert essence == essence.lower()

    def test_it_says_what_it_answers_to(self, renderer: Renderer) -> None:
        """The accepted types are lowercase, without parameters and wildcards, and begin with the type it writes."""
        assert renderer.accepts
        assert renderer.accepts[0] == renderer.media_type.partition(";")[0]
        for media_type in renderer.accepts:
            assert _MEDIA_TYPE.fullmatch(media_type)
            assert media_type == media_type.lower()
            assert "*" not in media_type
        assert len(set(renderer.accepts)) == len(renderer.accepts)

    def test_no_answer_carries_a_latest_type(self, renderer: Renderer) -> None:
        """A request for the latest version is answered with the type of a version (PEP 691)."""
        assert ".latest+" not in renderer.media_type

    def test_an_empty_index_has_a_page(self, renderer: Renderer) -> None:
        """The list of no projects is a page."""
        page = renderer.render_project_list(ProjectList(projects=(), last_serial=0))
        assert type(page) is bytes
        assert page

    def test_an_empty_project_has_a_page(self, renderer: Renderer) -> None:
        """A project without versions and files is a page."""
        page = renderer.render_project_detail(_project(versions=(), files=()))
        assert type(page) is bytes
        assert page

    def test_every_project_is_listed(self, renderer: Renderer) -> None:
        """Each name of the list stands in the page."""
        page = renderer.render_project_list(_projects("alpha", "beta-two", "z"))
        assert all(name in page for name in (b"alpha", b"beta-two", b"z"))

    def test_every_file_is_listed(self, renderer: Renderer) -> None:
        """Each file's name and digest stand in the project's page, also when it is yanked."""
        files = tuple(_file(number, yanked=number % 2 == 0) for number in range(20))
        page = renderer.render_project_detail(_project(files=files))
        for file in files:
            assert file.filename.encode() in page
            assert file.sha256.encode() in page

    def test_equal_models_give_equal_pages(self, renderer: Renderer) -> None:
        """Rendering depends on nothing but the model's values."""
        assert renderer.render_project_detail(_project()) == renderer.render_project_detail(_project())
        assert renderer.render_project_list(_projects("a", "b")) == renderer.render_project_list(_projects("a", "b"))

    def test_rendering_keeps_no_state(self, renderer: Renderer) -> None:
        """A page does not depend on those that were rendered before."""
        before = renderer.render_project_detail(_project())
        renderer.render_project_detail(_project(files=(_file(99),), status_reason="other"))
        renderer.render_project_list(_projects("other"))
        assert renderer.render_project_detail(_project()) == before

    def test_a_yank_changes_the_page(self, renderer: Renderer) -> None:
        """Yanking a file gives another page, and so another entity tag."""
        kept = renderer.render_project_detail(_project(files=(_file(1),)))
        yanked = renderer.render_project_detail(_project(files=(_file(1, yanked=True),)))
        assert kept != yanked

    @pytest.mark.parametrize("status", ProjectStatus)
    def test_every_status_has_a_page(self, renderer: Renderer, status: ProjectStatus) -> None:
        """Each project status, with and without a reason, is rendered."""
        assert renderer.render_project_detail(_project(status=status))
        assert renderer.render_project_detail(_project(status=status, status_reason="because"))

    @pytest.mark.parametrize("text", _HOSTILE_TEXTS, ids=range(len(_HOSTILE_TEXTS)))
    def test_hostile_text_is_rendered(self, renderer: Renderer, text: str) -> None:
        """Whatever stands in a text field, there is a page, and it holds no markup from that text."""
        hostile = dataclasses.replace(_file(1, yanked=True), filename=text, requires_python=text, yanked_reason=text)
        page = renderer.render_project_detail(_project(files=(hostile,), versions=(text,), status_reason=text))
        assert page.decode("utf-8")
        if renderer.media_type.startswith("text/html"):
            assert b"<script" not in page


def _projects(*names: str) -> ProjectList:
    listed = tuple(ProjectName(NormalizedName(name), serial) for serial, name in enumerate(names, 1))
    return ProjectList(listed, last_serial=len(names))


def _project(
    *,
    files: tuple[ProjectFile, ...] | None = None,
    versions: tuple[str, ...] = ("1.0", "2.0"),
    status: ProjectStatus = ProjectStatus.ACTIVE,
    status_reason: str | None = None,
) -> ProjectDetail:
    return ProjectDetail(
        name=NormalizedName("demo-project"),
        versions=versions,
        files=(_file(1), _file(2, yanked=True)) if files is None else files,
        last_serial=7,
        status=status,
        status_reason=status_reason,
    )


def _file(number: int, *, yanked: bool = False) -> ProjectFile:
    filename = f"demo_project-{number}.0-py3-none-any.whl"
    return ProjectFile(
        filename=filename,
        url=f"/files/demo-project/{number}.0/{filename}",
        sha256=Sha256(f"{number:064x}"),
        size_bytes=1000 + number,
        uploaded_at=datetime(2026, 3, 1, 8, 15, 30, number, tzinfo=UTC),
        requires_python=">=3.11",
        core_metadata_sha256=Sha256(f"{number + 1:064x}"),
        yanked=yanked,
    )
