"""The plugin imports the public plugin API and nothing else of the server."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent
_SOURCES = sorted((_ROOT / "pypiserve_forge").glob("*.py"))
_TESTS = sorted((_ROOT / "tests").rglob("*.py"))


def _imports(file: Path) -> list[tuple[str, str]]:
    """Return module and name of each import from the server."""
    found: list[tuple[str, str]] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module or "", alias.name) for alias in node.names]
    return [(module, name) for module, name in found if module.partition(".")[0] == "pypiserve"]


@pytest.mark.parametrize("file", _SOURCES, ids=lambda file: file.name)
def test_the_plugin_keeps_to_the_public_api(file: Path) -> None:
    """``pypiserve.plugin`` itself, and modules of ``pypiserve.core``, by the names that they publish."""
    for module, name in _imports(file):
        assert module == "pypiserve.plugin" or module.startswith("pypiserve.core."), module
        assert name in import_module(module).__all__


@pytest.mark.parametrize("file", _TESTS, ids=lambda file: file.name)
def test_its_tests_add_the_testing_kit(file: Path) -> None:
    """And nothing else."""
    allowed = ("pypiserve.plugin", "pypiserve.core", "pypiserve.testing")
    assert [module for module, _ in _imports(file) if not module.startswith(allowed)] == []
