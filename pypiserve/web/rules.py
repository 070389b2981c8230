"""
Who may call a handler's method: written beside the method, enforced by the base handler, checked at start.

A method that has no rule stops the start, so that none is open by forgetting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import tornado.web

from pypiserve.core.errors import PypiserveError
from pypiserve.core.identity import Action
from pypiserve.services.access import Extent

__all__ = ["Rule", "RuleMissing", "check_rules", "public", "requires", "rule_of", "signed_in"]

Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])

_ATTRIBUTE = "pypiserve_rule"


@dataclass(frozen=True)
class Rule:
    """
    What a method needs.

    Attributes:
        action: ``None`` for one that takes no right.
        extent: How much of the index it is about, where its address names no project.
        takes_credentials: Whether somebody must be signed in all the same.
    """

    action: Action | None
    extent: Extent = Extent.EVERY_PROJECT
    takes_credentials: bool = False


class RuleMissing(PypiserveError):
    """A handler's method says neither ``@public`` nor ``@signed_in`` nor ``@requires(…)``."""

    code = "rule-missing"


def requires(action: Action, *, extent: Extent = Extent.EVERY_PROJECT) -> Callable[[Method], Method]:
    """
    Mark a method as open to those who may do this in the index of the request.

    Args:
        action: What it does.
        extent: Where its address names no project: whether it takes the right to all, or to some, and then the
            method itself heeds which they are.
    """

    def mark(method: Method) -> Method:
        return _marked(method, Rule(action, extent))

    return mark


def public(method: Method) -> Method:
    """Mark a method as open to everybody, because it shows nothing of any index."""
    return _marked(method, Rule(None))


def signed_in(method: Method) -> Method:
    """Mark a method as open to everybody who is signed in, since the service that it calls decides the rest."""
    return _marked(method, Rule(None, takes_credentials=True))


def rule_of(handler: type[tornado.web.RequestHandler], method: str) -> Rule | None:
    """Return the rule of a handler's method; ``None`` for a method that the handler does not have."""
    rule: Rule | None = getattr(getattr(handler, method.lower(), None), _ATTRIBUTE, None)
    return rule


def check_rules(handlers: Iterable[type[tornado.web.RequestHandler]]) -> None:
    """
    Check that every method of every handler has a rule.

    Raises:
        RuleMissing: One has none.
    """
    for handler in handlers:
        for method in tornado.web.RequestHandler.SUPPORTED_METHODS:
            defined = getattr(handler, method.lower())
            inherited = getattr(tornado.web.RequestHandler, method.lower())
            if defined is not inherited and rule_of(handler, method) is None:
                raise RuleMissing(
                    f"{handler.__module__}.{handler.__qualname__}.{method.lower()} says neither @public nor "
                    "@signed_in nor @requires(...); mark it, so that it is not open by forgetting"
                )


def _marked(method: Method, rule: Rule) -> Method:
    setattr(method, _ATTRIBUTE, rule)
    return method
