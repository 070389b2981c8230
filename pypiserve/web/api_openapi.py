"""``/api/v1/openapi.json``: the description of the interface for programs."""

from __future__ import annotations

from pypiserve.web.base import BaseHandler
from pypiserve.web.operations import operation
from pypiserve.web.rules import public
from pypiserve.web.site import IndexPath, Site

__all__ = ["OpenApiHandler"]


class OpenApiHandler(BaseHandler):
    """The document, the same for everybody: it says what there is, and nothing of any owner."""

    def initialize(self, *, site: Site, root: IndexPath | None = None, document: bytes = b"") -> None:
        """
        Take what the routes hand over.

        Args:
            site: The services.
            root: Not used.
            document: The document, made at the start.
        """
        super().initialize(site=site, root=root)
        self._document = document

    @public
    @operation(dict)
    async def get(self) -> None:
        """Send the OpenAPI document of these addresses."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-cache")
        self.finish(self._document)

    head = get
