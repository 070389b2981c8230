"""Who may call a handler's method is written beside it, or the start is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import tornado.web

from pypiserve.core.identity import Action
from pypiserve.services.access import Extent
from pypiserve.testing.server import ServerUnderTest
from pypiserve.web.base import BaseHandler
from pypiserve.web.files import FileHandler
from pypiserve.web.home import HealthHandler, HomeHandler, IndexHandler, NotFoundHandler
from pypiserve.web.rules import Rule, RuleMissing, check_rules, public, requires, rule_of
from pypiserve.web.upload import UploadHandler


class MarkedHandler(tornado.web.RequestHandler):
    """A handler as it should be."""

    @requires(Action.READ)
    async def get(self) -> None:
        """Read."""

    head = get

    @requires(Action.PUBLISH)
    async def post(self) -> None:
        """Publish."""

    @public
    async def options(self) -> None:
        """Tell everybody."""


class ForgetfulHandler(MarkedHandler):
    """One that forgot its rule."""

    async def delete(self) -> None:
        """Delete, for everybody."""


class CarelessHandler(MarkedHandler):
    """One that overrides a method and loses its rule."""

    async def get(self) -> None:
        """Read, for everybody."""


def test_marks_are_read_back() -> None:
    """Each method has the rule that stands beside it; a method that is not there has none."""
    rules = [rule_of(MarkedHandler, method) for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT")]
    assert rules == [Rule(Action.READ), Rule(Action.READ), Rule(Action.PUBLISH), Rule(None), None]


def test_handlers_with_all_their_rules_pass() -> None:
    """Nothing is said when nothing is missing."""
    check_rules([MarkedHandler, UploadHandler, IndexHandler, HealthHandler, HomeHandler, NotFoundHandler])
    assert rule_of(UploadHandler, "POST") == Rule(Action.PUBLISH, Extent.SOME_PROJECT)


@pytest.mark.parametrize(("handler", "method"), [(ForgetfulHandler, "delete"), (CarelessHandler, "get")])
def test_a_method_without_a_rule_stops_the_start(handler: type[tornado.web.RequestHandler], method: str) -> None:
    """The sentence names the method and the two marks."""
    with pytest.raises(RuleMissing) as error:
        check_rules([MarkedHandler, handler])
    assert f"{handler.__qualname__}.{method} says neither @public nor @signed_in nor @requires" in str(error.value)


@pytest.mark.parametrize("handler", [FileHandler, HealthHandler, NotFoundHandler])
def test_a_server_with_such_a_method_does_not_start(
    handler: type[BaseHandler], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start looks at the handlers of all addresses, and at the one of all others."""
    monkeypatch.setattr(handler, "delete", ForgetfulHandler.delete)
    with pytest.raises(RuleMissing, match=f"{handler.__qualname__}.delete"), ServerUnderTest(tmp_path):
        pass


def test_every_handler_of_the_package_admits_by_its_rules() -> None:
    """Nobody overrides the admission but the handler that refuses everything."""
    overriding = {handler for handler in all_handlers() if "admit" in vars(handler)}
    assert overriding == {NotFoundHandler}
    assert len(all_handlers()) > 5


def all_handlers() -> set[type[BaseHandler]]:
    """Find the handlers of the package."""
    found: set[type[BaseHandler]] = set()
    waiting = [BaseHandler]
    while waiting:
        for handler in waiting.pop().__subclasses__():
            if handler.__module__.startswith("pypiserve."):
                found.add(handler)
                waiting.append(handler)
    return found
