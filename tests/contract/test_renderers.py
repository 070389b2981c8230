"""The renderers that come along keep the promises of renderers."""

from __future__ import annotations

import pytest

from pypiserve.builtin.html import HtmlRenderer
from pypiserve.builtin.json import JsonRenderer
from pypiserve.plugin import Renderer
from pypiserve.testing.contracts.renderers import RendererContract


class TestHtmlRenderer(RendererContract):
    @pytest.fixture
    def renderer(self) -> Renderer:
        return HtmlRenderer()


class TestJsonRenderer(RendererContract):
    @pytest.fixture
    def renderer(self) -> Renderer:
        return JsonRenderer()
