"""The reference of error codes and the guide to troubles know every code and every sentence of the source."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache

import pytest
from doc_pages import ROOT, page, section, tables

import pypiserve
from pypiserve.core.errors import ConfigurationError, PypiserveError
from pypiserve.web.problems import status_of

_CODES = "reference/error-codes.md"
_TROUBLES = "guides/troubleshooting.md"
_MAKERS = frozenset({"Problem", "because", "_mismatch", "_problem"})
_REFUSALS = frozenset(
    {
        "Problem",
        "because",
        "AuthenticationFailed",
        "CredentialsExpired",
        "CredentialsMalformed",
        "CredentialsNotYetValid",
        "CredentialsRevoked",
        "CredentialsUnknown",
        "PermissionDenied",
        "StorageUnavailable",
        "Unavailable",
        "UnknownScheme",
    }
)
_CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")


def _kinds(base: type[PypiserveError]) -> Iterator[type[PypiserveError]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("pypiserve."):
            yield kind
            yield from _kinds(kind)


@cache
def _all_errors() -> tuple[type[PypiserveError], ...]:
    """Return every class of error that the server defines."""
    for module in pkgutil.walk_packages(pypiserve.__path__, "pypiserve."):
        if "migrations.env" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return tuple(_kinds(PypiserveError))


@cache
def _trees() -> tuple[ast.Module, ...]:
    files = [path for path in sorted((ROOT / "pypiserve").rglob("*.py")) if "testing" not in path.parts]
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in files)


def _calls(names: frozenset[str]) -> Iterator[ast.Call]:
    """Return every call in the source of a function, class or method of one of these names."""
    for call in (node for tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in names:
            yield call


def _problem_codes() -> set[str]:
    """Return the codes of problems in the source: literals, or a choice between literals."""
    heads = [call.args[0] for call in _calls(_MAKERS) if call.args]
    constants = [node for head in heads for node in ast.walk(head) if isinstance(node, ast.Constant)]
    return {str(node.value) for node in constants if _CODE.fullmatch(str(node.value))}


def _texts() -> list[str]:
    """Return every piece of text in the source."""
    constants = (node.value for tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [" ".join(text.split()) for text in constants if isinstance(text, str)]


def _documented(heading: str) -> set[str]:
    return {row[0].strip("`") for row in tables(section(page(_CODES), heading))}


def test_every_error_is_listed() -> None:
    """Each class of error has its code in the tables, and the tables have no other."""
    listed = _documented("## Errors of requests") | _documented("## Errors of the start and of commands")
    assert listed == {kind.code for kind in _all_errors()} | {"method-not-allowed", "bad-request", "internal-error"}


def test_errors_have_the_statuses_of_the_code() -> None:
    """The table of errors of requests names the status of each, and no error of the start is among them."""
    statuses = {row[0].strip("`"): int(row[1]) for row in tables(section(page(_CODES), "## Errors of requests"))}
    answered = [kind for kind in _all_errors() if kind.code in statuses]
    assert {kind.code: status_of(kind.__new__(kind)) for kind in answered}.items() <= statuses.items()
    assert not any(issubclass(kind, ConfigurationError) for kind in answered)


def test_every_problem_is_listed() -> None:
    """Each code that an upload's answer may name is in the table, and the table has no other."""
    elsewhere = _documented("## Errors of requests")
    assert _documented("## Problems of an upload") == _problem_codes() - elsewhere


def test_every_code_of_an_answer_is_explained() -> None:
    """Whatever code a client meets, the guide to troubles names it."""
    codes = _documented("## Errors of requests") | _documented("## Problems of an upload")
    assert {code for code in codes if f"`{code}`" not in page(_TROUBLES)} == set()


def _messages() -> list[str]:
    return re.findall(r"^\*\*(.+)\*\*$", page(_TROUBLES), re.MULTILINE)


@pytest.mark.parametrize("message", _messages(), ids=lambda message: re.sub(r"\W+", "-", message)[:50])
def test_messages_are_those_of_the_source(message: str) -> None:
    """Each message in the guide to troubles is one that the source has; dots stand for what changes."""
    pieces = [piece.strip() for piece in message.replace("\\", "").split("…") if piece.strip()]
    texts = _texts()
    assert [piece for piece in pieces if not any(piece in text for text in texts)] == []


def test_every_sentence_is_explained() -> None:
    """Each sentence with which the source refuses a request is in the guide to troubles."""
    known = [piece.strip() for message in _messages() for piece in message.replace("\\", "").split("…")]
    sentences = [_spelt(argument) for call in _calls(_REFUSALS) for argument in call.args]
    told = [sentence for sentence in sentences if " " in sentence]
    assert len(told) > 20
    assert [sentence for sentence in told if not any(piece in sentence for piece in known if piece)] == []


def _spelt(argument: ast.expr) -> str:
    """Return the text of a literal, with dots for what is filled in."""
    if isinstance(argument, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in argument.values)
    return str(argument.value) if isinstance(argument, ast.Constant) else ""
