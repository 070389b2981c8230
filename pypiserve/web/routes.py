"""Addresses and their handlers. Spec: the layout of Gitea's registry, and what is beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import tornado.web
from tornado.routing import PathMatches, Rule, URLSpec

from pypiserve.web import feeds
from pypiserve.web.access_log import log_request
from pypiserve.web.api_openapi import OpenApiHandler
from pypiserve.web.api_routes import API_ROUTES
from pypiserve.web.files import FileHandler
from pypiserve.web.home import HealthHandler, HomeHandler, IndexHandler, NotFoundHandler
from pypiserve.web.json_api import JsonHandler, MirrorJsonHandler
from pypiserve.web.openapi import openapi_document
from pypiserve.web.rules import check_rules
from pypiserve.web.simple import ProjectDetailHandler, ProjectListHandler
from pypiserve.web.site import IndexPath, Site
from pypiserve.web.upload import UploadHandler
from pypiserve.web.xmlrpc import XmlRpcHandler

__all__ = ["every_route", "make_application"]

_BASE = r"/api/packages/(?P<owner>[^/]+)/(?P<index>[^/]+)"
_SIMPLE = r"/(?:\+|%2[Bb])?simple"  # hatch asks for +simple, with the plus encoded
_PROJECT = r"(?P<project>[^/]+)"
_VERSION = r"(?P<version>[^/]+)"
_FILE = rf"{_PROJECT}/{_VERSION}/(?P<filename>[^/]+)"
_SLASH = r"(?P<slash>/?)"
_OPENAPI = "/api/v1/openapi.json"
_PARAMETER = re.compile(r"\{(\w+)\}")


def make_application(site: Site, *, root: IndexPath | None) -> tornado.web.Application:
    """
    Build the web application.

    Args:
        site: The services.
        root: The index that also answers at the host's root, if any.

    Raises:
        RuleMissing: A handler's method says neither who may call it nor that everybody may.
    """
    groups = _groups(site, root)
    check_rules([*(spec.handler_class for specs in groups.values() for spec in specs), NotFoundHandler])
    # Addresses are tried one after the other; what many begin with is looked at once.
    rules = [Rule(PathMatches(rf"{prefix}.*"), specs) for prefix, specs in groups.items() if prefix]
    return tornado.web.Application(
        [*rules, *groups[""]],
        default_handler_class=NotFoundHandler,
        default_handler_args={"site": site},
        log_function=log_request,
    )


def every_route(*, root: IndexPath | None) -> list[URLSpec]:
    """Return each address with its handler, in the order in which they are tried."""
    # No handler is made here, and none reads anything of the site.
    return [spec for specs in _groups(cast("Site", None), root).values() for spec in specs]


def _groups(site: Site, root: IndexPath | None) -> dict[str, list[URLSpec]]:
    """Return the routes by what their addresses begin with; the last are all others."""
    given: dict[str, Any] = {"site": site}
    others = [
        URLSpec(r"/-/health", HealthHandler, given),
        # The second address of files, which bandersnatch takes.
        URLSpec(rf"/packages/(?P<owner>[^/]+)/(?P<index>[^/]+)/{_FILE}", FileHandler, given),
    ]
    if root is None:
        others.append(URLSpec(r"/", HomeHandler, given))
    else:
        at_root = given | {"root": root}
        others += [URLSpec(r"/", IndexHandler, at_root), *_index_routes("", at_root)]
    return {
        "/api/packages/": [URLSpec(rf"{_BASE}/?", IndexHandler, given), *_index_routes(_BASE, given)],
        "/api/v1/": [*_api_routes(given)],
        "": others,
    }


def _index_routes(base: str, given: dict[str, Any]) -> Sequence[URLSpec]:
    return [
        URLSpec(rf"{base}/legacy/?", UploadHandler, given),
        URLSpec(rf"{base}{_SIMPLE}{_SLASH}", ProjectListHandler, given),
        URLSpec(rf"{base}{_SIMPLE}/{_PROJECT}{_SLASH}", ProjectDetailHandler, given),
        URLSpec(rf"{base}/files/{_FILE}", FileHandler, given),
        URLSpec(rf"{base}/pypi/?", XmlRpcHandler, given),
        URLSpec(rf"{base}/RPC2/?", XmlRpcHandler, given),
        URLSpec(rf"{base}/pypi/{_PROJECT}/json/?", JsonHandler, given),
        URLSpec(rf"{base}/pypi/{_PROJECT}/{_VERSION}/json/?", JsonHandler, given),
        URLSpec(rf"{base}/rss/updates\.xml", feeds.ReleasesFeedHandler, given),
        URLSpec(rf"{base}/rss/packages\.xml", feeds.ProjectsFeedHandler, given),
        URLSpec(rf"{base}/rss/project/{_PROJECT}/releases\.xml", feeds.ProjectFeedHandler, given),
        URLSpec(rf"{base}/stats/?", feeds.SizesHandler, given),
        *_mirror_routes(f"{base}/mirror", given),
        # Last, since any first segment fits.
        URLSpec(rf"{base}/{_PROJECT}/json/?", JsonHandler, given),
        URLSpec(rf"{base}/{_PROJECT}/{_VERSION}/json/?", JsonHandler, given),
    ]


def _mirror_routes(base: str, given: dict[str, Any]) -> Sequence[URLSpec]:
    return [
        URLSpec(rf"{base}/pypi/?", XmlRpcHandler, given),
        URLSpec(rf"{base}/pypi/{_PROJECT}/json/?", MirrorJsonHandler, given),
        URLSpec(rf"{base}/pypi/{_PROJECT}/{_VERSION}/json/?", MirrorJsonHandler, given),
        URLSpec(rf"{base}{_SIMPLE}{_SLASH}", ProjectListHandler, given),
        URLSpec(rf"{base}{_SIMPLE}/{_PROJECT}{_SLASH}", ProjectDetailHandler, given),
    ]


def _api_routes(given: dict[str, Any]) -> Sequence[URLSpec]:
    specs = [URLSpec(_PARAMETER.sub(r"(?P<\1>[^/]+)", address), handler, given) for address, handler in API_ROUTES]
    document = msgspec.json.encode(openapi_document([*API_ROUTES, (_OPENAPI, OpenApiHandler)]))
    return [*specs, URLSpec(_OPENAPI, OpenApiHandler, given | {"document": document})]
