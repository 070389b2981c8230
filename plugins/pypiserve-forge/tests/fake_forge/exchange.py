"""A request, and the answer to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Answer", "FakeForge", "Request", "as_json"]


@dataclass(frozen=True)
class Request:
    """
    What was asked.

    Attributes:
        target: Path and query as sent.
        headers: By lower-case name.
    """

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def steps(self) -> list[str]:
        """The parts of the path between slashes, each unquoted: ``a%2Fb`` is one."""
        return [unquote(step) for step in urlsplit(self.target).path.split("/") if step]

    def number(self, key: str, default: int) -> int:
        """Return a number of the query."""
        return int(parse_qs(urlsplit(self.target).query).get(key, [str(default)])[0])


@dataclass(frozen=True)
class Answer:
    """What is said to it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class FakeForge(Protocol):
    """Knows something, and answers by it."""

    state: dict[str, Any]

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        ...


def as_json(status: int, value: object, **headers: str) -> Answer:
    """Answer with JSON; keyword ``x_total_count`` becomes the header ``x-total-count``."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=utf-8", **named})
