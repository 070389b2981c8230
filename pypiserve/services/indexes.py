"""Indexes and their rules: made and changed. Blocking, outside the event loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from pypiserve.catalog import owners
from pypiserve.catalog.database import Connection, Database
from pypiserve.catalog.owners import IndexRecord
from pypiserve.core.errors import NotFound, PypiserveError
from pypiserve.core.events import OPERATOR, Actor
from pypiserve.core.index_rules import ExistingFiles, HideAs, IndexRules, Validation
from pypiserve.core.names import as_index_name
from pypiserve.services.owners import InvalidName, NameTaken, owner_named

__all__ = ["Indexes", "InvalidRule", "changed_rules", "rule_values"]


_CHOICES = {
    "validation": tuple(Validation),
    "existing_files": tuple(ExistingFiles),
    "hide_as": tuple(HideAs),
}


class InvalidRule(PypiserveError):
    """There is no such rule, or it cannot have such a value."""

    code = "invalid-rule"


class Indexes:
    """Makes indexes and changes their rules, each in one transaction with its event."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def list_all(self) -> list[IndexRecord]:
        """Return every index, by owner and name."""

        def work(connection: Connection) -> list[IndexRecord]:
            return [_index(connection, f"{owner}/{index}") for owner, index in owners.list_indexes(connection)]

        return self._database.read_now(work)

    def list_of(self, owner: str) -> list[IndexRecord]:
        """
        Return the indexes of an owner, by name.

        Raises:
            NotFound, OwnerMoved: There is no such owner.
        """

        def work(connection: Connection) -> list[IndexRecord]:
            record = owner_named(connection, owner)
            names = owners.list_indexes_of(connection, record.name)
            return [_index(connection, f"{record.name}/{name}") for name in names]

        return self._database.read_now(work)

    def find(self, path: str) -> IndexRecord:
        """
        Return an index, given as ``owner/index``.

        Raises:
            NotFound: There is no such index.
        """
        return self._database.read_now(lambda connection: _index(connection, path))

    def create(self, path: str, given: Mapping[str, str], *, by: Actor = OPERATOR) -> IndexRecord:
        """
        Make a further index of an owner.

        Args:
            path: ``owner/index``.
            given: Rules that are not the default, as text.
            by: Who makes it.

        Raises:
            InvalidName: The name cannot be one.
            InvalidRule: There is no such rule, or no such value.
            NameTaken: The owner has an index of this name.
            NotFound: There is no such owner.
        """
        return self.make(path, changed_rules(IndexRules(), given), by=by)

    def make(self, path: str, rules: IndexRules, *, by: Actor = OPERATOR) -> IndexRecord:
        """Make a further index of an owner, with rules; raises as ``create`` does."""
        owner, name = _parts(path)

        def work(connection: Connection) -> IndexRecord:
            record = owner_named(connection, owner)
            if name in owners.list_indexes_of(connection, owner):
                raise NameTaken(f"The index {record.name}/{name} exists already; choose another name")
            now = self._now()
            owners.create_index(connection, record, as_index_name(name), by=by, now=now)
            if rules != IndexRules():
                owners.set_rules(connection, _index(connection, path), rules, by=by, now=now)
            return _index(connection, path)

        return self._database.write_now(work)

    def rules_of(self, path: str) -> IndexRules:
        """
        Return the rules of an index, given as ``owner/index``.

        Raises:
            NotFound: There is no such index.
        """
        return self.find(path).rules

    def change_rules(
        self, path: str, given: Mapping[str, str], *, reset: Collection[str] = (), by: Actor = OPERATOR
    ) -> IndexRules:
        """
        Change some rules of an index, all or none; return all of them. Running servers notice at once.

        Args:
            path: ``owner/index``.
            given: New values, as text.
            reset: Rules that get their default again.
            by: Who changes them.

        Raises:
            InvalidRule: There is no such rule, or no such value.
            NotFound: There is no such index.
        """
        return self.change(path, rule_values(given), reset=reset, by=by)

    def change(
        self, path: str, values: Mapping[str, Any], *, reset: Collection[str] = (), by: Actor = OPERATOR
    ) -> IndexRules:
        """Change some rules to values of the right types; otherwise as ``change_rules``."""

        def work(connection: Connection) -> IndexRules:
            index = _index(connection, path)
            rules = _merged(index.rules, values, reset)
            if rules != index.rules:
                owners.set_rules(connection, index, rules, by=by, now=self._now())
            return rules

        return self._database.write_now(work)


def changed_rules(rules: IndexRules, given: Mapping[str, str], *, reset: Collection[str] = ()) -> IndexRules:
    """
    Return rules with some of them changed.

    Raises:
        InvalidRule: There is no such rule, or no such value; the sentence has the choices.
    """
    return _merged(rules, rule_values(given), reset)


def rule_values(given: Mapping[str, str]) -> dict[str, Any]:
    """
    Return the values of rules that are given as text.

    Raises:
        InvalidRule: There is no such rule, or no such value; the sentence has the choices.
    """
    _check_names(given)
    return {name: _value(name, text) for name, text in given.items()}


def _merged(rules: IndexRules, values: Mapping[str, Any], reset: Collection[str]) -> IndexRules:
    _check_names((*values, *reset))
    defaults = msgspec.structs.asdict(IndexRules())
    return msgspec.structs.replace(rules, **{name: defaults[name] for name in reset} | dict(values))


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if name not in IndexRules.__struct_fields__:
            raise InvalidRule(f"There is no rule {name}; choose one of: {', '.join(IndexRules.__struct_fields__)}")


def _value(name: str, text: str) -> Any:
    try:
        return getattr(msgspec.convert({name: _untyped(name, text)}, IndexRules), name)
    except msgspec.ValidationError as error:
        raise InvalidRule(f"The rule {name} cannot be {text!r}; it takes {_choices(name)}") from error


def _untyped(name: str, text: str) -> Any:
    default = getattr(IndexRules(), name)
    if isinstance(default, tuple):
        return tuple(filter(None, (item.strip() for item in text.split(","))))
    if isinstance(default, str):
        return text
    if default is None and text == "none":
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _choices(name: str) -> str:
    default = getattr(IndexRules(), name)
    if isinstance(default, bool):
        return "true or false"
    if isinstance(default, str):
        return " or ".join(_CHOICES[name])
    if isinstance(default, int):
        return "a whole number from 0 on, at most 36500"
    return (
        f"a whole number from 1 to {36_500 if name.endswith('_days') else 10**15}, or none"
        if default is None
        else "names with commas between them"
    )


def _parts(path: str) -> tuple[str, str]:
    owner, _, name = path.partition("/")
    try:
        return owner, as_index_name(name)
    except ValueError as error:
        raise InvalidName(f"{path!r} is no OWNER/INDEX: {error}") from None


def _index(connection: Connection, path: str) -> IndexRecord:
    owner, _, name = path.partition("/")
    record = owners.find_index(connection, owner, name)
    if record is None:
        raise NotFound(f"The index {path}")
    return record
