"""
What a method of the interface for programs takes and answers: written beside the method, and read by it.

The method reads its query and its body by what is written here, and the OpenAPI document is made of the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import tornado.web

__all__ = ["Operation", "operation", "operation_of"]

Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])

_ATTRIBUTE = "pypiserve_operation"


@dataclass(frozen=True)
class Operation:
    """
    What a method takes and answers.

    Attributes:
        answer: Type of the body of the answer; ``None`` for none.
        otherwise: Another type that it may have instead.
        status: Of the answer, when it is none of an error.
        query: Struct of the query, if it has one.
        body: Struct of the body, if it takes one.
        needs_body: Whether it must be there.
    """

    answer: Any = None
    otherwise: Any = None
    status: int = 200
    query: type | None = None
    body: type | None = None
    needs_body: bool = True


def operation(
    answer: Any = None,
    *,
    otherwise: Any = None,
    status: int | None = None,
    query: type | None = None,
    body: type | None = None,
    needs_body: bool = True,
) -> Callable[[Method], Method]:
    """
    Say what a method takes and answers.

    Args:
        answer: Type of the body of the answer; ``None`` for none, with status 204.
        otherwise: Another type that it may have instead.
        status: Of the answer; 200 unless given.
        query: Struct of the query.
        body: Struct of the body.
        needs_body: Whether it must be there.
    """
    code = status or (204 if answer is None else 200)

    def mark(method: Method) -> Method:
        setattr(method, _ATTRIBUTE, Operation(answer, otherwise, code, query, body, needs_body))
        return method

    return mark


def operation_of(handler: type[tornado.web.RequestHandler], method: str) -> Operation | None:
    """Return what is written beside the method of a handler."""
    found: Operation | None = getattr(getattr(handler, method.lower(), None), _ATTRIBUTE, None)
    return found
