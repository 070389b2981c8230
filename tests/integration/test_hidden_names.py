"""Strangers learn nothing of what is hidden: the same answer, with the same work done, as if it were not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from access_requests import REQUESTS, Asker, Request, spelt

from pypiserve.core.identity import Role
from pypiserve.services.curation import Target
from pypiserve.services.grants import PlaceNames
from pypiserve.testing import a_wheel, an_sdist
from pypiserve.testing.server import ServerUnderTest

HERE, GONE, ABSENT = "zeta-here", "zeta-gone", "zeta-none"
"""Projects that are there, deleted, and not there: of one length, so that the lengths of answers can be compared."""

NAMES = [
    *[("closed", "pypi"), ("closed", "beta"), ("closed", "none")],
    *[("former", "pypi"), ("latter", "pypi")],
    *[("nobody", "pypi"), ("nobody", "beta")],
]
"""Owners and their indexes, likewise: private, renamed, and not there."""


class Site:
    """
    A server with private names, and those who are not to learn of them.

    Attributes:
        tokens: Of nobody, of somebody with a role elsewhere, of a reader, and of who has a role on ``acme-*`` only.
    """

    def __init__(self, server: ServerUnderTest, statements: list[str]) -> None:
        self.server = server
        self._statements = statements
        self._asker = Asker(server)
        with server.catalog() as catalog:
            accounts = catalog.accounts
            accounts.create_owner("elsewhere", public=True)
            for owner in ("closed", "former"):
                accounts.create_owner(owner, public=False)
                catalog.indexes.create(f"{owner}/beta", {})
            roles = {"stranger": ("elsewhere", Role.OWNER), "reader": ("closed", Role.READER)}
            roles["part"] = ("elsewhere", Role.READER)
            self.tokens = {
                who: accounts.create_token(who, roles[who][1], owner=roles[who][0]).secret for who in roles
            }
            self.tokens["nobody"] = ""
            accounts.grants.grant("token:part", Role.MAINTAINER, PlaceNames("closed", projects="acme-*"))
            for project in (HERE, GONE):
                for built in (a_wheel(project, "1.0"), an_sdist(project, "1.0")):
                    assert server.publish(built, path="/api/packages/closed/pypi/").status == 201
            for target in (Target(GONE), Target(HERE, "1.0", an_sdist(HERE, "1.0").filename)):
                catalog.curation.apply_now("closed/pypi", catalog.curation.delete(target))
            accounts.owners.rename("former", "latter")

    def ask(
        self, request: Request, who: str, *, owner: str = "closed", index: str = "pypi", project: str = HERE
    ) -> tuple[Any, int]:
        """Return the answer without the names, and how many statements the database ran for it."""
        there = replace(request, path=request.path.replace("{owner}/pypi", f"{{owner}}/{index}"))
        self._statements.clear()
        reply = self._asker.ask(there, owner=owner, project=project, token=self.tokens[who])
        names = (f"{owner}/{index}", owner, project, project.replace("-", "_"))
        return spelt(reply, *names), len(self._statements)

    def forget(self) -> None:
        """Make the server forget what it knows of owners, and of who asks."""
        with self.server.catalog() as catalog:
            catalog.accounts.set_visibility("elsewhere", public=True)
        for who in self.tokens:
            self.ask(REQUESTS[0], who, owner="absent")

    def close(self) -> None:
        """Hang up."""
        self._asker.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return the server; the tests of this module share it."""
    statements: list[str] = []

    def trace(connection: sqlite3.Connection, _record: object) -> None:
        # Every statement that SQLite runs, whoever handed it over.
        connection.set_trace_callback(lambda text: statements.append(text) if _asks(text) else None)

    sa.event.listen(sa.Engine, "connect", trace)
    try:
        with ServerUnderTest(tmp_path_factory.mktemp("site"), "failed_sign_ins_per_address = 0") as server:
            site = Site(server, statements)
            yield site
            site.close()
    finally:
        sa.event.remove(sa.Engine, "connect", trace)


def _asks(statement: str) -> bool:
    # What a timer asks of the journal, meanwhile, belongs to no request.
    return statement.startswith("SELECT") and "FROM events" not in statement and "FROM journal_head" not in statement


OF_OWNERS = [request for request in REQUESTS if request.column != "server"]


@pytest.mark.parametrize("request_", OF_OWNERS, ids=str)
def test_private_names_look_like_none(site: Site, request_: Request) -> None:
    """Owners, with the name of now and one from before, and indexes: to who has no role there, at every address."""
    for who, status in (("nobody", 401), ("stranger", 404)):
        site.forget()
        first, again = ([site.ask(request_, who, owner=owner, index=index) for owner, index in NAMES] for _ in "ab")
        for asked in (first, again):
            assert asked == asked[-1:] * len(asked)
        assert (first[0][0][0], first[0][1]) == (status, 1)


OF_PROJECTS = [request for request in REQUESTS if "{project}" in request.path or request.column == "publishes"]


@pytest.mark.parametrize("request_", OF_PROJECTS, ids=str)
def test_projects_out_of_reach_look_like_none(site: Site, request_: Request) -> None:
    """To whoever may do all of it in other projects; what was deleted too."""
    site.ask(request_, "part", project="zeta-warm")
    asked = [site.ask(request_, "part", project=project) for project in (HERE, GONE, ABSENT)]
    assert asked == asked[-1:] * 3
    # Who publishes some projects may know that there are others.
    assert asked[0][0][0] == (403 if request_.column == "publishes" else 404)


@pytest.mark.parametrize("request_", [request for request in OF_PROJECTS if request.column == "reads"], ids=str)
def test_what_was_deleted_looks_like_what_never_was(site: Site, request_: Request) -> None:
    """To those who may read, a deleted project, and a deleted file of one that is there."""
    answers = [site.ask(request_, "reader", project=project)[0] for project in (GONE, ABSENT)]
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    deleted = an_sdist(HERE, "1.0").filename
    missing = deleted.replace(".tar.gz", "").replace("here", "hare") + ".tar.gz"
    if "{file}" in request_.path:
        named = [replace(request_, path=request_.path.replace("{file}", name)) for name in (deleted, missing)]
        told = [site.ask(each, "reader")[0] for each in named]
        assert [status for status, *_ in told] == [404, 404]
        assert [text.replace("hare", "here").replace("zeta_here", "*") for *_, text in told] == [told[0][-1]] * 2
