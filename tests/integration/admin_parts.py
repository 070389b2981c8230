"""Asking the addresses for administration, in the roles that matter there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pypiserve.core.identity import Role
from pypiserve.testing.server import Reply, ServerUnderTest

__all__ = ["Office"]


@dataclass(frozen=True)
class Office:
    """
    A server with the private owner ``acme`` and the public owner ``main``.

    Attributes:
        tokens: By who has it: ``administrator`` of the server; ``owner``, ``maintainer`` of ``acme``; ``stranger``,
            who has a role elsewhere; ``nobody``, the empty text.
    """

    server: ServerUnderTest
    tokens: dict[str, str]

    @classmethod
    def of(cls, server: ServerUnderTest) -> Office:
        """Make the owner and the tokens."""
        tokens = {"administrator": server.token, "nobody": ""}
        with server.catalog() as catalog:
            catalog.accounts.create_owner("acme", public=False)
            for who, role, owner in (
                ("owner", Role.OWNER, "acme"),
                ("maintainer", Role.MAINTAINER, "acme"),
                ("stranger", Role.READER, "main"),
            ):
                tokens[who] = catalog.accounts.create_token(who, role, owner=owner).secret
        return cls(server, tokens)

    def ask(self, method: str, path: str, body: Any = None, *, who: str = "administrator") -> Reply:
        """Send a request below ``/api/v1``, with a body of JSON, as somebody."""
        token = self.tokens[who]
        headers = {"Accept": "application/problem+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return self.server.request(method, f"/api/v1{path}", headers=headers, body=content)

    def read(self, path: str, *, who: str = "administrator") -> Any:
        """Return what an address tells."""
        reply = self.ask("GET", path, who=who)
        assert (reply.status, reply.headers["content-type"]) == (200, "application/json"), reply.text
        assert reply.headers["cache-control"] == "no-store"
        return json.loads(reply.body)

    def does(self, method: str, path: str, body: Any = None, *, who: str = "administrator") -> Any:
        """Return the answer to a change that is made; ``None`` for none."""
        reply = self.ask(method, path, body, who=who)
        assert reply.status in {200, 201, 204}, reply.text
        return json.loads(reply.body) if reply.body else None

    def code(self, method: str, path: str, body: Any = None, *, who: str = "administrator") -> tuple[int, str]:
        """Return the status and the code of a refusal."""
        reply = self.ask(method, path, body, who=who)
        assert reply.headers["content-type"] == "application/problem+json", (reply.status, reply.text)
        return reply.status, json.loads(reply.body)["code"]
