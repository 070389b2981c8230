"""What is neither page, file nor upload: the front page of an index, the health check, and everything else."""

from __future__ import annotations

import json
from pathlib import Path

import tornado.template
from tornado.web import HTTPError

from pypiserve import __version__
from pypiserve.core.identity import Action
from pypiserve.services.access import Extent
from pypiserve.web.base import BaseHandler
from pypiserve.web.negotiation import Offer, choose
from pypiserve.web.rules import Rule, public, requires
from pypiserve.web.upload import UploadHandler

__all__ = ["HealthHandler", "HomeHandler", "IndexHandler", "NotFoundHandler"]

_TEMPLATES = tornado.template.Loader(str(Path(__file__).parent / "templates"))
_HTML = Offer(("text/html",))
_JSON = Offer(("application/json",))
# The style stands in the page itself; nothing else may be loaded or run.
_CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class FrontPage(BaseHandler):
    """Sends a page of our own."""

    def send_template(self, template: str, **values: object) -> None:
        """Fill a template and send it."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", _CSP)
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish(_TEMPLATES.load(template).generate(version=__version__, **values))


class IndexHandler(FrontPage, UploadHandler):
    """The address of an index: GET tells how to use it, POST publishes."""

    @requires(Action.READ, extent=Extent.SOME_PROJECT)
    async def get(self) -> None:
        """Describe the index."""
        addresses = self.site.addresses
        host = self.origin()
        upload_url = host + addresses.base(self.index.owner, self.index.name) + "/"
        index_url = host + addresses.project_list(self.index.owner, self.index.name)
        self.set_header("Cache-Control", self.cache_control)
        self.set_header("Vary", "Accept")
        if choose(self.request.headers.get("Accept"), (_HTML, _JSON)) is _JSON:
            self.set_header("Content-Type", "application/json")
            names = {"owner": self.index.owner, "index": self.index.name, "public": self.index.public}
            self.finish(json.dumps({**names, "upload_url": upload_url, "index_url": index_url}) + "\n")
            return
        self.send_template(
            "index.html",
            name=self.index.path,
            public=self.index.public,
            upload_url=upload_url,
            index_url=index_url,
            list_path=addresses.project_list(self.index.owner, self.index.name),
        )

    head = get


class HomeHandler(FrontPage):
    """The root of a host without a root index."""

    @public
    async def get(self) -> None:
        """Say what this is and where the indexes are."""
        self.send_template("home.html", origin=self.origin() + self.site.addresses.prefix)

    head = get


class HealthHandler(BaseHandler):
    """Whether the server answers at all."""

    @public
    async def get(self) -> None:
        """Answer as soon as requests are served."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish("ok\n")

    head = get


class NotFoundHandler(BaseHandler):
    """Every other address: refused like a request without rights, so that a body is received before the answer."""

    def hint_for_address(self) -> str:
        """Tell who is near an index how its address goes on."""
        if self.request.path.startswith("/api/packages"):
            return "an index is at /api/packages/OWNER/INDEX/, and its projects at simple/ below that"
        return super().hint_for_address()

    async def admit(self, rule: Rule | None) -> None:  # noqa: ARG002 - the same for every method
        """Refuse."""
        raise HTTPError(404)
