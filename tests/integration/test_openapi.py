"""The OpenAPI document: it has what the routes have, and says what the handlers do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tornado.web import RequestHandler

from pypiserve.testing.server import ServerUnderTest
from pypiserve.web.api_openapi import OpenApiHandler
from pypiserve.web.api_routes import API_ROUTES
from pypiserve.web.rules import rule_of

ROUTES: list[tuple[str, type[RequestHandler]]] = [*API_ROUTES, ("/api/v1/openapi.json", OpenApiHandler)]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def served(server: ServerUnderTest) -> Any:
    """Return the document."""
    reply = server.get("/api/v1/openapi.json")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    return json.loads(reply.body)


def references(part: Any) -> Iterator[str]:
    """Yield every reference in a document."""
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key == "$ref")
        part = list(part.values())
    for each in part if isinstance(part, list) else ():
        yield from references(each)


def test_each_method_of_each_route_is_described(server: ServerUnderTest) -> None:
    """Nothing is missing, and nothing else is there; HEAD is GET without the body."""
    described = {(path, method.upper()) for path, each in served(server)["paths"].items() for method in each}
    real = {(path, method) for path, handler in ROUTES for method in METHODS if rule_of(handler, method)}
    assert described == real


def test_the_document_holds_together(server: ServerUnderTest) -> None:
    """References lead somewhere, no schema is left over, ids are unique, and parameters are those of the address."""
    document = served(server)
    assert document["openapi"].startswith("3.1.")
    names = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert names == set(document["components"]["schemas"])
    operations = [(path, each) for path, methods in document["paths"].items() for each in methods.values()]
    ids = [each["operationId"] for _, each in operations]
    assert len(set(ids)) == len(ids)
    for path, each in operations:
        given = [one["name"] for one in each["parameters"] if one["in"] == "path"]
        assert given == re.findall(r"\{(\w+)\}", path)
        assert each["summary"]


def test_it_says_where_credentials_are_needed(server: ServerUnderTest) -> None:
    """Reading may do without, changes do not."""
    paths = served(server)["paths"]
    assert {} in paths["/api/v1/packages/{owner}"]["get"]["security"]
    assert {} not in paths["/api/v1/owners"]["get"]["security"]
    assert "security" not in paths["/api/v1/openapi.json"]["get"]


def test_bounds_of_queries_are_told(server: ServerUnderTest) -> None:
    """A parameter that may be left out is not null: there is no way to write that in a query."""
    found = {each["name"]: each for each in served(server)["paths"]["/api/v1/audit"]["get"]["parameters"]}
    assert found["owner"] == {"name": "owner", "in": "query", "required": False, "schema": found["owner"]["schema"]}
    assert found["owner"]["schema"] == {"type": "string", "maxLength": 64}
    assert found["limit"]["schema"]["minimum"] == 1
