"""The reference of the HTTP addresses lists every route with its methods, who may use them, and what they answer."""

from __future__ import annotations

import re

from doc_pages import page, section, tables
from tornado.web import RequestHandler

from pypiserve.testing.server import ServerUnderTest
from pypiserve.web.routes import every_route
from pypiserve.web.rules import rule_of
from pypiserve.web.site import IndexPath

_PAGE = "reference/http-addresses.md"
_OF_THE_HOST = ("/api/", "/-/", "/packages/")
"""What addresses begin with that a host has once, whatever its root index."""


def _routes(root: IndexPath | None) -> dict[str, type[RequestHandler]]:
    """Return the addresses as the page writes them, with their handlers."""
    return {_spell(route.regex.pattern): route.handler_class for route in every_route(root=root)}


def _spell(pattern: str) -> str:
    # The page says once that +simple is the same, and that the last slash may be left out.
    text = (
        pattern.removesuffix("$")
        .replace(r"/(?:\+|%2[Bb])?simple", "/simple")
        .replace("(?P<slash>/?)", "/")
        .replace(r"\-", "-")
        .replace(r"\.", ".")
    )
    text = re.sub(r"\(\?P<(\w+)>\[\^/\]\+\)", r"{\1}", text.replace(r"\-", "-"))
    return text.removesuffix("?")


def _methods(handler: type[RequestHandler]) -> dict[str, str]:
    """Return the methods of a handler with the action that each requires, or ``everybody``."""
    rules = {method: rule_of(handler, method) for method in RequestHandler.SUPPORTED_METHODS}
    return {
        method: rule.action or ("signed in" if rule.takes_credentials else "everybody")
        for method, rule in rules.items()
        if rule is not None
    }


def _real(beginning: str) -> dict[tuple[str, str], str]:
    routes = {address: handler for address, handler in _routes(None).items() if address.startswith(beginning)}
    return {(address, method): who for address in routes for method, who in _methods(routes[address]).items()}


def _documented(heading: str) -> dict[tuple[str, str], str]:
    rows = tables(section(page(_PAGE), heading))
    base = "/api/packages/{owner}/{index}"
    assert f"`{{base}}` is `{base}`." in page(_PAGE)
    return {
        (row[0].strip("`").replace("{base}", base), method): row[2] for row in rows for method in row[1].split(", ")
    }


def test_every_address_of_an_index_is_listed() -> None:
    """The table names each address below an index, each method, and the right that it takes."""
    assert _documented("## Addresses of an index") == _real("/api/packages/")


def test_every_address_for_programs_is_listed() -> None:
    """The interface for programs has a page of its own, with the same kind of table."""
    rows = tables(section(page("reference/rest-api.md"), "## Addresses"))
    base = "/api/v1/packages/{owner}"
    assert f"`{{base}}` is `{base}`" in page("reference/rest-api.md")
    listed = {
        (
            row[0].strip("`").replace("{base}", base).replace("{type}", "{index}").replace("{name}", "{project}"),
            method,
        ): row[2]
        for row in rows
        for method in row[1].split(", ")
    }
    assert listed == _real("/api/v1/")


def test_every_other_address_is_listed() -> None:
    """So does the table of what is not below an index, with and without a root index."""
    real: dict[tuple[str, str], str] = {}
    for root in (None, IndexPath("main", "pypi")):
        for address, handler in _routes(root).items():
            is_copy = root is not None and f"/api/packages/{{owner}}/{{index}}{address}" in _routes(None)
            if not address.startswith("/api/") and not is_copy:
                real |= {(address, method): who for method, who in _methods(handler).items()}
    assert _documented("## Other addresses") == real


def test_the_root_index_answers_everywhere() -> None:
    """At the host's root are the same addresses as below an index, as the page says."""
    below = {address for address in _routes(None) if address.startswith("/api/packages/")}
    at_root = {address for address in _routes(IndexPath("main", "pypi")) if not address.startswith(_OF_THE_HOST)}
    assert {f"/api/packages/{{owner}}/{{index}}{address}" for address in at_root} == below


_EXAMPLES = [
    ("GET", "/-/health", 200),
    ("GET", "/", 200),
    ("GET", "/api/packages/main/pypi/", 200),
    ("GET", "/api/packages/main/pypi/simple", 301),
    ("GET", "/api/packages/main/pypi/+simple/", 200),
    ("GET", "/simple/?format=text/x-unknown", 406),
    ("GET", "/simple/demo/", 404),
    ("GET", "/api/packages/nobody/pypi/simple/", 401),
    ("POST", "/", 401),
    ("POST", "/legacy/", 401),
    ("POST", "/simple/", 405),
    ("DELETE", "/simple/demo/", 405),
    ("GET", "/no/such/address", 404),
    ("PUT", "/no/such/address", 404),
]


def test_examples_of_statuses(server: ServerUnderTest) -> None:
    """What the page says about statuses is what a server answers, and each status has its row."""
    assert [(*each[:2], server.request(*each[:2]).status) for each in _EXAMPLES] == _EXAMPLES
    assert {str(each[2]) for each in _EXAMPLES} <= {row[0] for row in tables(section(page(_PAGE), "## Statuses"))}
