"""The legacy JSON API, at the addresses that PyPI has and those that pip-tools makes. Spec: PyPI's JSON API."""

from __future__ import annotations

from urllib.parse import quote

from pypiserve.core.identity import Action
from pypiserve.services.json_api import Links
from pypiserve.services.kept_documents import DocumentKey
from pypiserve.services.pages import Page
from pypiserve.web.rules import requires
from pypiserve.web.simple import SimpleHandler, project_name

__all__ = ["JsonHandler", "MirrorJsonHandler"]


class JsonHandler(SimpleHandler):
    """``pypi/{project}/json`` and ``pypi/{project}/{version}/json``."""

    for_mirrors = False

    @requires(Action.READ)
    async def get(self, project: str, version: str | None = None) -> None:
        """Send the document of a project or a release."""
        name = project_name(project)
        links = Links(self.origin(), self.for_mirrors)
        documents = self.site.documents
        # Only documents at their own address are kept, so that other spellings are redirected.
        key, generation = DocumentKey.of(self.index, name, version, links), documents.generation
        page = documents.find(key) if name == project else None
        if page is not None:
            self._send_document(page)
            return
        shown = await self.site.json_api.find(self.index, name)
        published = None if version is None else shown.published_as(version)
        if (name, published) != (project, version):
            self._redirect_to(name, published)
            return
        page = await self.site.json_api.document(shown, published, links=links)
        documents.keep(key, page, generation=generation)
        self._send_document(page)

    head = get

    def _send_document(self, page: Page) -> None:
        if self.may_be_shared:
            self.set_header("Access-Control-Allow-Origin", "*")
        self.send_page(page)

    def _redirect_to(self, name: str, version: str | None) -> None:
        own = [name] if version is None else [name, quote(version, safe="")]
        parents = self.request.path.rstrip("/").split("/")[: -len(own) - 1]
        self.set_header("Cache-Control", self.cache_control)
        self.redirect(self.site.addresses.prefix + "/".join([*parents, *own, "json"]), permanent=True)


class MirrorJsonHandler(JsonHandler):
    """The same below ``mirror/``, where files have the addresses that bandersnatch takes."""

    for_mirrors = True
