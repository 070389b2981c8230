"""Renderers: how the pages of the simple repository API are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pypiserve.core.model import ProjectDetail, ProjectList

__all__ = ["Renderer"]


@runtime_checkable
class Renderer(Protocol):
    """
    Writes pages in one media type.

    Rendering is a pure function of the model: equal models give equal bytes, on every machine. The methods run
    in worker threads, several at the same time.
    """

    name: str
    """The name by which the settings pick the renderer; lowercase, unique among installed renderers."""

    media_type: str
    """The exact ``Content-Type`` of the pages, parameters included."""

    accepts: Sequence[str]
    """
    Media types without parameters that a client may ask for to get these pages, lowercase.

    The first is that of ``media_type``; wildcards in a request match only that one.
    """

    def render_project_list(self, projects: ProjectList) -> bytes:
        """Write the project list of an index."""
        ...

    def render_project_detail(self, project: ProjectDetail) -> bytes:
        """Write the page of one project."""
        ...
