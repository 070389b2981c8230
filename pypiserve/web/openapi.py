"""
The OpenAPI document: made of the routes, and of what stands beside the methods of their handlers.

Spec: OpenAPI 3.1.1, whose schemas are those of JSON Schema 2020-12.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import tornado.web

from pypiserve import __version__
from pypiserve.core.identity import Action
from pypiserve.web.operations import Operation, operation_of
from pypiserve.web.rules import Rule, rule_of
from pypiserve.web.shapes import Problems

__all__ = ["openapi_document"]

Json = dict[str, Any]
Routes = Sequence[tuple[str, type[tornado.web.RequestHandler]]]

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_REFS = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)\}")


def openapi_document(routes: Routes) -> Json:
    """
    Write the document.

    Args:
        routes: Addresses with their parameters in braces, and their handlers.
    """
    operations = [
        (address, method, handler, found)
        for address, handler in routes
        for method in _METHODS
        if (found := operation_of(handler, method)) is not None
    ]
    schemas = _Schemas(found for *_, found in operations)
    paths: dict[str, Json] = {}
    for address, method, handler, found in operations:
        paths.setdefault(address, {})[method.lower()] = _operation(address, method, handler, found, schemas)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "pypiserve",
            "version": __version__,
            "description": "The interface for programs: what is published, and administration.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


class _Schemas:
    """The schemas of all types of the operations."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._types: list[Any] = [Problems]
        for each in operations:
            self._types += [
                kind
                for kind in (each.answer, each.otherwise, each.query, each.body)
                if kind not in [None, dict, *self._types]
            ]
        schemas, components = msgspec.json.schema_components(self._types, ref_template=_REFS)
        self._schemas = list(schemas)
        self.components: Json = dict(components)
        self._queries = {each: self.components[each.__name__] for each in self._types if _is_query(each)}
        for each in self._queries:
            del self.components[each.__name__]

    def of(self, kind: Any) -> Json:
        """Return the schema of a type."""
        return self._schemas[self._types.index(kind)]

    def parameters_of(self, query: type | None) -> list[Json]:
        """Return the parameters that a query has."""
        if query is None:
            return []
        schema = self._queries[query]
        return [
            _parameter(name, found, is_needed=name in schema["required"])
            for name, found in schema["properties"].items()
        ]


def _is_query(kind: Any) -> bool:
    return isinstance(kind, type) and kind.__name__.endswith(("Query", "Place"))


def _parameter(name: str, found: Mapping[str, Any], *, is_needed: bool) -> Json:
    schema = dict(found)
    if schema.get("default", ...) is None:
        # What is left out is null; there is no way to write that in a query.
        del schema["default"]
        schema = next(each for each in schema["anyOf"] if each != {"type": "null"})
    description = schema.pop("description", None)
    parameter: Json = {"name": name, "in": "query", "required": is_needed, "schema": schema}
    return parameter if description is None else parameter | {"description": description}


def _operation(
    address: str, method: str, handler: type[tornado.web.RequestHandler], found: Operation, schemas: _Schemas
) -> Json:
    rule = rule_of(handler, method)
    summary = (inspect.getdoc(getattr(handler, method.lower())) or "").partition("\n")[0]
    path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 255}}
        for name in _PARAMETER.findall(address)
    ]
    written: Json = {
        "operationId": f"{method.lower()}{_id_of(address)}",
        "summary": summary.removesuffix("."),
        "description": _who_may(rule),
        "tags": [address.split("/")[3]],
        "parameters": [*path, *schemas.parameters_of(found.query)],
        "responses": {str(found.status): _answer(found, schemas), "default": _refusal(schemas)},
    }
    if found.body is not None:
        content = {"application/json": {"schema": schemas.of(found.body)}}
        written["requestBody"] = {"required": found.needs_body, "content": content}
    if rule is not None and (rule.action is not None or rule.takes_credentials):
        # Without credentials, what everybody may.
        written["security"] = [*([{}] if rule.action is Action.READ else []), {"token": []}, {"basic": []}]
    return written


def _id_of(address: str) -> str:
    words = re.findall(r"\w+", address.removeprefix("/api/v1/"))
    return "".join(word.title().replace("_", "") for word in words)


def _who_may(rule: Rule | None) -> str:
    if rule is None or rule.action is None:
        return f"Open to everybody{' who is signed in' if rule and rule.takes_credentials else ''}."
    return f"It takes the right to {rule.action.value}."


def _answer(found: Operation, schemas: _Schemas) -> Json:
    answer: Json = {"description": "Done."}
    if found.answer is not None:
        schema = {"type": "object"} if found.answer is dict else schemas.of(found.answer)
        if found.otherwise is not None:
            schema = {"anyOf": [schema, schemas.of(found.otherwise)]}
        answer["content"] = {"application/json": {"schema": schema}}
    return answer


def _refusal(schemas: _Schemas) -> Json:
    return {
        "description": "It was refused; the code says why.",
        "content": {
            "application/problem+json": {"schema": schemas.of(Problems)},
            "text/plain": {"schema": {"type": "string"}},
        },
    }
