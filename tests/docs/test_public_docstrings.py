"""Everything public that plugin authors may use says what it is."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from types import ModuleType

import pytest

import pypiserve.core
import pypiserve.plugin
import pypiserve.testing


def _modules(package: ModuleType) -> list[str]:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    names = [package.__name__, *(module.name for module in found)]
    return [name for name in names if not name.rpartition(".")[2].startswith("_")]


_MODULES = [name for package in (pypiserve.core, pypiserve.plugin, pypiserve.testing) for name in _modules(package)]


def _undocumented(module: ModuleType) -> list[str]:
    missing = [] if inspect.getdoc(module) else [module.__name__]
    for name in getattr(module, "__all__", ()):
        thing = getattr(module, name)
        if not (inspect.isclass(thing) or inspect.isfunction(thing)) or not thing.__module__.startswith("pypiserve."):
            continue
        if not (thing.__doc__ or "").strip():
            missing.append(name)
        if inspect.isclass(thing):
            missing += [f"{name}.{method}" for method in _methods_without_a_word(thing)]
    return missing


def _methods_without_a_word(kind: type) -> list[str]:
    functions = {name: value.fget if isinstance(value, property) else value for name, value in vars(kind).items()}
    return [
        name
        for name, value in functions.items()
        if inspect.isroutine(value) and not name.startswith("_") and not (inspect.getdoc(value) or "").strip()
    ]


@pytest.mark.parametrize("name", _MODULES)
def test_public_names_have_docstrings(name: str) -> None:
    """Each module, and in it each public class, method and function, has a docstring."""
    assert _undocumented(import_module(name)) == []
