"""The pages for plugin authors show the real signatures, of every hook and every method, and code that works."""

from __future__ import annotations

import ast
import inspect
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from doc_pages import DOCS, Block, blocks, page, section, tables

from pypiserve.core.events import EventKind
from pypiserve.plugin import (
    Authenticator,
    EventSubscriber,
    FileStore,
    QueueingAuthenticator,
    ReadPolicy,
    RecheckingAuthenticator,
    Renderer,
    UploadPolicy,
    hookspecs,
)
from pypiserve.plugin._loading import load_plugins
from pypiserve.testing import a_wheel
from pypiserve.testing.server import ServerUnderTest

_HOOKS = [name for name in vars(hookspecs) if name.startswith("pypiserve_")]
_PROTOCOLS: list[tuple[str, type]] = [
    ("file-stores", FileStore),
    ("authenticators", Authenticator),
    ("authenticators", QueueingAuthenticator),
    ("authenticators", RecheckingAuthenticator),
    ("renderers", Renderer),
    ("policies", UploadPolicy),
    ("policies", ReadPolicy),
    ("subscribers", EventSubscriber),
]
_EXAMPLES = ("text_renderer", "name_policy", "event_file", "hello_command")


def _hook_page(hook: str) -> str:
    return f"plugin-authors/hooks/{hook.removeprefix('pypiserve_').replace('_', '-')}.md"


def _signature(function: Callable[..., Any]) -> str:
    """Write a function's first line as its source has it."""
    parameters = inspect.signature(function)
    spelt = str(parameters).replace("'", "")
    word = "async def" if inspect.iscoroutinefunction(function) else "def"
    return f"{word} {function.__name__}{spelt}: ..."


def test_every_hook_is_in_the_table() -> None:
    """The overview lists each hook, and no other."""
    rows = tables(section(page("plugin-authors/index.md"), "## Hooks register, objects work"))
    assert [row[0].partition("`")[2].partition("`")[0] for row in rows] == _HOOKS


def test_every_hook_has_a_page() -> None:
    """Each hook has a page, and each page a hook."""
    pages = {str(path.relative_to(DOCS)) for path in (DOCS / "plugin-authors" / "hooks").glob("*.md")}
    assert pages == {_hook_page(hook) for hook in _HOOKS}


@pytest.mark.parametrize("hook", _HOOKS)
def test_hook_signatures_are_real(hook: str) -> None:
    """The page of a hook shows the signature that the hook has."""
    assert f"\n{_signature(getattr(hookspecs, hook))}\n" in page(_hook_page(hook))


@pytest.mark.parametrize(("where", "protocol"), _PROTOCOLS, ids=lambda value: getattr(value, "__name__", value))
def test_method_signatures_are_real(where: str, protocol: type) -> None:
    """The page shows every method of the object's protocol with its real signature, and every attribute."""
    methods = [value for name, value in vars(protocol).items() if inspect.isfunction(value) and name[0] != "_"]
    attributes = [f"{name}: {kind}" for name, kind in inspect.get_annotations(protocol).items()]
    text = page(f"plugin-authors/hooks/{where}.md")
    assert [line for line in [*map(_signature, methods), *attributes] if f"\n{line}\n" not in text] == []


@pytest.mark.parametrize("block", blocks("", "python"), ids=str)
def test_python_is_python(block: Block) -> None:
    """Every block of Python on any page parses."""
    assert ast.parse(block.content).body


@pytest.mark.parametrize("block", blocks("plugin-authors", "python"), ids=str)
def test_imports_are_public(block: Block) -> None:
    """What the examples import from us is there, is public, and comes from where the overview says."""
    imports = [node for node in ast.walk(ast.parse(block.content)) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if (node.module or "").startswith("pypiserve")]
    assert all((node.module or "").split(".")[1] in {"plugin", "core", "testing"} for node in ours)
    missing = [alias.name for node in ours for alias in node.names if alias.name not in _public(node.module or "")]
    assert missing == []


def _public(module: str) -> set[str]:
    return set(import_module(module).__all__)


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The short examples of the hooks' pages as modules in reach of ``import``."""
    folder = tmp_path / "examples"
    folder.mkdir()
    for block in blocks("plugin-authors/hooks", "python"):
        if block.caption:
            (folder / block.caption).write_text(block.content, encoding="utf-8")
    assert {path.stem for path in folder.iterdir()} == set(_EXAMPLES)
    monkeypatch.syspath_prepend(folder)
    yield folder
    for module in _EXAMPLES:
        sys.modules.pop(module, None)


def test_short_examples_work(examples: Path, make_server: Callable[[str], ServerUnderTest]) -> None:
    """The renderer, the policy and the subscriber of the pages do in a server what their pages say."""
    server = make_server(f"""
plugins = ["text_renderer", "name_policy", "event_file"]
renderers = ["html", "json", "text"]
policies = [{{ kind = "names", prefixes = ["acme-"] }}]
subscribers = [{{ kind = "event-file", file = "{examples / "events.jsonl"}" }}]
""")
    refused = server.publish(a_wheel("demo"))
    assert (refused.status, refused.text) == (
        403,
        "Names of projects here begin with acme-; demo does not\n",
    )
    assert server.publish(a_wheel("acme-demo")).status == 201
    page_as_text = server.get("/simple/acme-demo/", accept="text/plain")
    assert page_as_text.headers["content-type"] == "text/plain; charset=utf-8"
    assert "acme_demo-1.0-py3-none-any.whl" in page_as_text.text


def test_the_subscriber_hears(examples: Path, make_server: Callable[[str], ServerUnderTest]) -> None:
    """What is published while the subscriber is configured is in its file, some moments later."""
    events = examples / "events.jsonl"
    settings = f'plugins = ["event_file"]\nsubscribers = [{{ kind = "event-file", file = "{events}" }}]\n'
    server = make_server(settings)
    server.publish(a_wheel("demo"))
    _wait_for(lambda: events.exists() and EventKind.FILE_PUBLISHED.value in events.read_text(encoding="utf-8"))
    assert '"project":"demo"' in events.read_text(encoding="utf-8")


def _wait_for(happened: Callable[[], bool]) -> None:
    for _ in range(300):
        if happened():
            return
        time.sleep(0.1)


def test_the_command_greets(examples: Path) -> None:
    """The command of the page runs."""
    assert examples.exists()
    command = load_plugins(["hello_command"]).commands["hello"].thing
    assert CliRunner().invoke(command, ["world"]).output == "Hello, world.\n"


def test_contracts_are_listed_with_their_fixtures() -> None:
    """The table of contracts names each class of ``pypiserve.testing.contracts`` and what it asks for."""
    rows = tables(section(page("plugin-authors/testing.md"), "## Contracts"))
    listed = {row[0].strip("`"): row[2] for row in rows}
    assert set(listed) == set(_contracts())
    for name, wanted in _contracts().items():
        assert [fixture for fixture in wanted if f"`{fixture}`" not in listed[name]] == []


def _contracts() -> dict[str, list[str]]:
    """Return the contract classes with the fixtures that have no value of their own."""
    found = {}
    for module in ("file_stores", "authenticators", "renderers"):
        place = import_module(f"pypiserve.testing.contracts.{module}")
        for name in place.__all__:
            if name.endswith("Contract"):
                source = ast.parse(inspect.getsource(getattr(place, name))).body[0]
                assert isinstance(source, ast.ClassDef)
                found[f"{place.__name__}.{name}"] = [
                    item.name
                    for item in source.body
                    if isinstance(item, ast.FunctionDef) and any(isinstance(line, ast.Raise) for line in item.body)
                ]
    return found
