"""
The simple repository API: project list and project page, in the representation that the client likes best.

Spec: Simple repository API 1.4 (PEP 503, 691 and those that followed).
"""

from __future__ import annotations

from packaging.utils import NormalizedName

from pypiserve.core.errors import NotFound
from pypiserve.core.identity import Action
from pypiserve.core.names import normalise
from pypiserve.plugin import Renderer
from pypiserve.services.access import Extent
from pypiserve.services.pages import Page
from pypiserve.web.base import BaseHandler
from pypiserve.web.negotiation import Offer, choose, choose_encoding, choose_format
from pypiserve.web.problems import NotAcceptable
from pypiserve.web.ranges import etag_matches
from pypiserve.web.rules import requires

__all__ = ["ProjectDetailHandler", "ProjectListHandler", "project_name"]

_CSP = "sandbox allow-top-navigation; default-src 'none'"


class SimpleHandler(BaseHandler):
    """What the two pages share: negotiation, redirects, validators, compression."""

    def choose_renderer(self) -> Renderer:
        """
        Return the renderer that the request asks for.

        Raises:
            NotAcceptable: There is none; the sentence names what there is.
        """
        renderers = self.site.renderers
        offers = [Offer(tuple(renderer.accepts)) for renderer in renderers]
        wanted = self.get_query_argument("format", None)
        if wanted is not None:
            offer = choose_format(wanted, offers)
        else:
            offer = choose(self.request.headers.get("Accept"), offers)
        if offer is None:
            raise NotAcceptable([media_type for offer in offers for media_type in offer.media_types])
        return renderers[offers.index(offer)]

    def redirect_to(self, last_segment: str) -> None:
        """
        Redirect to the same page's own address, in the same tree of addresses, keeping the query.

        Permanently: where it leads never changes, and pip remembers it.
        """
        parent, _, _ = self.request.path.rstrip("/").rpartition("/")
        query = f"?{self.request.query}" if self.request.query else ""
        self.set_header("Vary", "Accept")
        self.set_header("Cache-Control", self.cache_control)
        self.redirect(f"{self.site.addresses.prefix}{parent}/{last_segment}/{query}", permanent=True)

    def send_page(self, page: Page) -> None:
        """Answer with a ready page, or with 304 when the client has it."""
        body, etag = page.body, page.etag
        if page.compressed is not None:
            accepted = self.request.headers.get("Accept-Encoding")
            if accepted and choose_encoding(accepted, ("gzip",)) == "gzip":
                body, etag = page.compressed, page.compressed_etag
                self.set_header("Content-Encoding", "gzip")
        self.set_header("Content-Type", page.media_type)
        self.set_header("ETag", etag)
        self.set_header("Cache-Control", self.cache_control)
        self.set_header("Vary", "Accept, Accept-Encoding")
        self.set_header("X-PyPI-Last-Serial", str(page.last_serial))
        self.set_header("Content-Security-Policy", _CSP)
        seen = self.request.headers.get("If-None-Match")
        if seen is not None and etag_matches(seen, etag):
            self.clear_header("Content-Encoding")
            self.set_status(304)
            self.finish()
        else:
            self.finish(body)


class ProjectListHandler(SimpleHandler):
    """``simple/``: the projects of an index."""

    @requires(Action.READ, extent=Extent.SOME_PROJECT)
    async def get(self, slash: str) -> None:
        """Send the project list."""
        renderer = self.choose_renderer()
        if not slash and not is_json(renderer):
            self.redirect_to(self.request.path.rpartition("/")[2])
        else:
            self.send_page(await self.site.pages.project_list(self.index, renderer, self.permit.reach))

    head = get


class ProjectDetailHandler(SimpleHandler):
    """``simple/{project}/``: the files of a project."""

    @requires(Action.READ)
    async def get(self, project: str, slash: str) -> None:
        """Send the page of a project."""
        renderer = self.choose_renderer()
        name = project_name(project)
        if name != project or (not slash and not is_json(renderer)):
            self.redirect_to(name)
        else:
            self.send_page(await self.site.pages.project_detail(self.index, name, renderer))

    head = get


def project_name(text: str) -> NormalizedName:
    """
    Return the normalised name of a project in an address.

    Raises:
        NotFound: No project can have this name.
    """
    try:
        return normalise(text)
    except ValueError:
        raise NotFound(f"A project {text[:80]!r}") from None


def is_json(renderer: Renderer) -> bool:
    """Tell whether a page may be sent without the slash at the end of its address: JSON has no relative links."""
    return renderer.media_type.endswith("json")
