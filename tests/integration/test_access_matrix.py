"""Who may do what: each cell of one table, asked over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from access_holders import HOLDERS, OWNERS, SETTINGS, Holder, add_roles
from access_matrix import COLUMNS, VISIBILITIES, Row, rows
from access_requests import REQUESTS, Asker, Request

from pypiserve.core.identity import Action, Visibility
from pypiserve.testing import a_wheel
from pypiserve.testing.server import Reply, ServerUnderTest
from pypiserve.web.routes import every_route
from pypiserve.web.rules import rule_of

MINE, OTHER = "acme-core", "zeta-core"


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """Return what asks the server that has everybody in the table; every answer leaves it as it was."""
    with ServerUnderTest(tmp_path_factory.mktemp("site"), SETTINGS) as server:
        with server.catalog() as catalog:
            catalog.accounts.create_owner("elsewhere", public=True)
            for owner in OWNERS:
                catalog.accounts.owners.create(owner, Visibility(owner.removeprefix("gitea-")))
                if owner.startswith("gitea-"):
                    catalog.indexes.change_rules(f"{owner}/pypi", {"hide_as": "401"})
            tokens = add_roles(catalog)
        for owner in OWNERS:
            for project in (MINE, OTHER):
                assert server.publish(a_wheel(project, "1.0"), path=f"/api/packages/{owner}/pypi/").status == 201
        asker = Asker(server, tokens)
        yield asker
        asker.close()


def test_the_table_is_about_these() -> None:
    """Each row has its people, and nobody is in no row."""
    assert [row.who for row in rows()] == list(HOLDERS)


def test_every_address_is_asked() -> None:
    """Whatever takes a right to read, publish, yank or delete stands in the list of requests."""
    routes = every_route(root=None)
    asked = set()
    for request in REQUESTS:
        path = request.path.format(owner="o", project="p", file="f").partition("?")[0]
        matching = [route for route in routes if route.regex.match(path)]
        asked.add((matching[0], request.method))
    for route in routes:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            needed = rule_of(route.handler_class, method)
            if needed is not None and needed.action in {Action.READ, Action.PUBLISH, Action.YANK, Action.DELETE}:
                assert (route, method) in asked, f"{method} {route.regex.pattern}"


def project_of(row: Row) -> str:
    """Return the project that the row is about."""
    return OTHER if row.who.endswith("others") else MINE


def answer(request: Request, reply: Reply) -> str:
    """Say how a request was answered, in the words of the table."""
    if reply.status != request.status:
        return str(reply.status)
    if request.names and OTHER not in reply.text:
        return "part" if MINE in reply.text else "none"
    return "yes"


def expected(row: Row, request: Request, visibility: str) -> str:
    """Return what the table says."""
    cell = row.cells[request.column, visibility]
    return "yes" if cell == "part" and not request.names else cell


def answers(asker: Asker, row: Row, holder: Holder, requests: list[Request], owners: str) -> dict[str, str]:
    """
    Ask of the owner of each visibility, and return what is not answered as the table says.

    What holds of a public and of a private owner at every address is asked of an internal one at one of each column.
    """
    found = {}
    for visibility in VISIBILITIES:
        for request in requests if visibility != "internal" else [each for each in ONE_EACH if each in requests]:
            reply = asker.ask(
                request,
                owner=owners.format(visibility),
                project=project_of(row),
                token=asker.tokens.get(holder.name, holder.token),
            )
            told = expected(row, request, visibility)
            if owners.startswith("gitea-") and told not in {"yes", "part"}:
                told = "401"
            if answer(request, reply) != told:
                found[f"{holder.name}: {request} of {visibility}"] = f"{answer(request, reply)} instead of {told}"
            if ("www-authenticate" in reply.headers) != (reply.status == 401):
                found[f"{holder.name}: {request} of {visibility}"] = "challenge"
    return found


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.who)
def test_every_cell(asker: Asker, row: Row) -> None:
    """Every request of every column is answered as the row says, at owners of each visibility."""
    assert answers(asker, row, HOLDERS[row.who][0], list(REQUESTS), "{}") == {}


ONE_EACH = [next(request for request in REQUESTS if request.column == column) for column in COLUMNS]
OF_INDEX = [request for request in ONE_EACH if request.column not in {"administers", "server"}]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.who)
def test_wherever_the_role_comes_from(asker: Asker, row: Row) -> None:
    """A role on the server, on an index, of a team, or vouched for is as good as one on the owner."""
    for holder in HOLDERS[row.who][1:]:
        requests = [each for each in ONE_EACH if not (holder.is_of_index and each.column == "administers")]
        assert answers(asker, row, holder, requests, "{}") == {}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.who)
def test_in_gitea_s_way_every_refusal_is_401(asker: Asker, row: Row) -> None:
    """An index with the rule ``hide_as=401`` allows the same, and asks whoever may not for other credentials."""
    assert answers(asker, row, HOLDERS[row.who][0], OF_INDEX, "gitea-{}") == {}
