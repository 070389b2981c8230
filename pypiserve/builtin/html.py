"""
The renderer ``html``: pages in the HTML form of the simple repository API.

Spec: PEP 503, 592, 629, 658, 714, 792; PEP 833 froze this form at version 1.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

import msgspec

from pypiserve.core.model import ProjectDetail, ProjectFile, ProjectList
from pypiserve.plugin import Renderer, hookimpl

__all__ = ["API_REVISION", "HtmlRenderer", "pypiserve_renderers"]

API_REVISION = 1

# Stays when the JSON form moves on.
_HTML_API_VERSION = "1.4"


class HtmlRenderer:
    """
    Writes pages as ``text/html``, for browsers, old clients and whoever asks for no type in particular.

    ``application/vnd.pypi.simple.v1+html`` is answered with ``text/html`` too: PEP 691 makes the two one type, every
    client that asks for the first asks for the second as well, and a browser shows only the second.
    """

    name = "html"
    media_type = "text/html; charset=utf-8"
    accepts: Sequence[str] = (
        "text/html",
        "application/vnd.pypi.simple.v1+html",
        "application/vnd.pypi.simple.latest+html",
    )

    def render_project_list(self, projects: ProjectList) -> bytes:
        """Write the project list; the links are relative, since poetry takes a project's name from them."""
        names = [escape(project.name) for project in projects.projects]
        return _page("Simple index", [], [f'<a href="{name}/">{name}</a><br>' for name in names])

    def render_project_detail(self, project: ProjectDetail) -> bytes:
        """Write the page of one project."""
        metas = [_meta("pypi:project-status", project.status.value)]
        if project.status_reason:
            metas.append(_meta("pypi:project-status-reason", project.status_reason))
        return _page(f"Links for {project.name}", metas, [_anchor(file) for file in project.files])


def _page(title: str, metas: Sequence[str], anchors: Sequence[str]) -> bytes:
    title = escape(title)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        _meta("pypi:repository-version", _HTML_API_VERSION),
        *metas,
        f"<title>{title}</title>",
        "</head>",
        "<body>",
        f"<h1>{title}</h1>",
        *anchors,
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(lines).encode()


def _meta(name: str, content: str) -> str:
    return f'<meta name="{name}" content="{escape(content)}">'


def _anchor(file: ProjectFile) -> str:
    # data-size and data-upload-time are not in the standard; uv reads them.
    attributes = f'data-size="{file.size_bytes}" data-upload-time={_quoted_time(file.uploaded_at)}'
    if file.requires_python:
        attributes += f' data-requires-python="{escape(file.requires_python)}"'
    if file.core_metadata_sha256 is not None:
        digest = f'metadata="sha256={file.core_metadata_sha256}"'
        attributes += f" data-core-{digest} data-dist-info-{digest}"
    if file.yanked:
        # Never the bare attribute: pip and PDM read that as not yanked.
        attributes += f' data-yanked="{escape(file.yanked_reason or "")}"'
    return f'<a href="{escape(file.url)}#sha256={file.sha256}" {attributes}>{escape(file.filename)}</a><br>'


def _quoted_time(moment: datetime) -> str:
    # JSON's text of a moment, quotes included, is what both forms want, at a tenth of the time of isoformat().
    return msgspec.json.encode(moment.astimezone(UTC)).decode()


@hookimpl
def pypiserve_renderers() -> Iterable[Renderer]:
    """Yield the renderer ``html``."""
    return [HtmlRenderer()]
