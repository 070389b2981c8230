from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pypiserve.core.errors import PluginConflict, PluginUnusable, UnknownPlugin
from pypiserve.plugin._loading import Plugins, load_plugins

HEAD = """
from pypiserve.plugin import *
from pypiserve.plugin import AuthenticatorKind, FileStoreKind, NoSettings, ReadPolicyKind, SubscriberKind
from pypiserve.plugin import UploadPolicyKind, hookimpl

API_REVISION = 1

def kind(sort, name):
    return sort(name, NoSettings, lambda settings, context: None, "for tests")

"""

STORE = HEAD + "@hookimpl\ndef pypiserve_file_stores():\n    yield kind(FileStoreKind, {name!r})\n"

Install = Callable[..., str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Make a module that no distribution names. Returns its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def add(name: str, source: str) -> str:
        (tmp_path / f"{name}.py").write_text(source)
        return name

    yield add
    for name in [name for name in sys.modules if name.startswith("demo_")]:
        del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path, module: Install) -> Install:
    """Install a distribution: metadata and one module in a folder of sys.path. Returns the module's name."""

    def add(name: str, source: str, *, entry_point: str | None = None) -> str:
        folder = tmp_path / f"{name}-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.2\n")
        (folder / "entry_points.txt").write_text(f"[pypiserve]\n{name} = {entry_point or name}\n")
        return module(name, source)

    return add


def sentence_of(distribution: str) -> str:
    """Load, and say why a distribution failed."""
    (failure,) = [one for one in load_plugins().failures if one.distribution == distribution]
    return failure.sentence


def test_built_in_plugins() -> None:
    """What comes along is registered like any plugin, and all of it loads."""
    plugins = load_plugins()
    assert plugins.failures == ()
    assert set(plugins.file_stores) == {"disk"}
    assert set(plugins.authenticators) == {"htpasswd", "token"}
    assert set(plugins.renderers) == {"html", "json"}
    assert plugins.file_stores["disk"].distribution.startswith("pypiserve ")
    assert plugins.file_stores["disk"].origin == "pypiserve.builtin.disk"


def test_every_sort_is_found(install: Install) -> None:
    """Each hook fills its own place, and what it yields carries the distribution's name and version."""
    install(
        "demo_all",
        HEAD
        + """
import click

@hookimpl
def pypiserve_file_stores():
    return [kind(FileStoreKind, "d-store")]

@hookimpl
def pypiserve_authenticators():
    yield kind(AuthenticatorKind, "d-auth")

class Renderer:
    name = "d-text"
    media_type = "text/plain; charset=utf-8"
    accepts = ("text/plain",)
    def render_project_list(self, projects): return b""
    def render_project_detail(self, project): return b""

@hookimpl
def pypiserve_renderers():
    yield Renderer()

@hookimpl
def pypiserve_policies():
    yield kind(UploadPolicyKind, "d-upload")
    yield kind(ReadPolicyKind, "d-read")

@hookimpl
def pypiserve_subscribers():
    yield kind(SubscriberKind, "d-subscriber")

@hookimpl
def pypiserve_commands():
    yield click.Command("d-command")
""",
    )
    plugins = load_plugins()
    place = {"source": "s", "key": "k"}
    found = [
        plugins.file_store("d-store", **place),
        plugins.authenticator("d-auth", **place),
        plugins.renderer("d-text", **place),
        plugins.policy("d-upload", **place),
        plugins.policy("d-read", **place),
        plugins.subscriber("d-subscriber", **place),
        plugins.commands["d-command"],
    ]
    assert {(offer.distribution, offer.origin) for offer in found} == {("demo-all 1.2", "demo_all")}
    assert (set(plugins.upload_policies), set(plugins.read_policies)) == ({"d-upload"}, {"d-read"})


def test_entry_point_may_name_an_object(install: Install) -> None:
    """A plugin is any object with hooks and a revision, not only a module."""
    source = HEAD + (
        "class Plugin:\n"
        "    API_REVISION = 1\n"
        "    @hookimpl\n"
        "    def pypiserve_subscribers(self):\n"
        "        yield kind(SubscriberKind, 'd-object')\n"
        "plugin = Plugin()\n"
    )
    install("demo_object", source, entry_point="demo_object:plugin")
    assert load_plugins().subscribers["d-object"].origin == "demo_object:plugin"


def test_module_from_the_settings(module: Install) -> None:
    """A module that the settings name is a plugin without being installed."""
    name = module("demo_local", STORE.format(name="d-local"))
    assert load_plugins([name]).file_stores["d-local"].distribution == "module demo_local"


def test_installed_and_named(install: Install) -> None:
    """Naming an installed plugin in the settings as well is no conflict."""
    name = install("demo_twice", STORE.format(name="d-twice"))
    assert load_plugins([name]).file_stores["d-twice"].distribution == "demo-twice 1.2"


BROKEN = {
    "import": ("import no_such_module_at_all", "cannot be imported (ModuleNotFoundError: No module named"),
    "exit": ("raise SystemExit(3)", "cannot be imported (SystemExit: 3)"),
    "syntax": ("def", "cannot be imported (SyntaxError: "),
    "no revision": ("", "it does not state its API_REVISION; add API_REVISION = 1"),
    "next revision": ("API_REVISION = 2", "it was written for API_REVISION 2, and this server has 1"),
    "revision as text": ("API_REVISION = '1'", "it was written for API_REVISION str, and this server has 1"),
    "revision as truth": ("API_REVISION = True", "it was written for API_REVISION True, and this server has 1"),
    "unknown hook": (HEAD + "@hookimpl\ndef pypiserve_file_shops():\n    return []", "unknown hook"),
    "unknown argument": (
        HEAD + "@hookimpl\ndef pypiserve_file_stores(config):\n    return []",
        "its hooks do not fit",
    ),
    "unmarked hook": (HEAD + "def pypiserve_file_stores():\n    return []", "pypiserve_file_stores is not marked"),
    "hook raises": (
        HEAD + "@hookimpl\ndef pypiserve_file_stores():\n    1 / 0",
        "pypiserve_file_stores failed (ZeroDivisionError: division by zero)",
    ),
    "hook raises later": (
        HEAD + "@hookimpl\ndef pypiserve_policies():\n    yield kind(ReadPolicyKind, 'r')\n    1 / 0",
        "pypiserve_policies failed (ZeroDivisionError: division by zero)",
    ),
    "hook exits": (
        HEAD + "import sys\n@hookimpl\ndef pypiserve_commands():\n    sys.exit('over')",
        "pypiserve_commands failed (SystemExit: over)",
    ),
    "not iterable": (HEAD + "@hookimpl\ndef pypiserve_commands():\n    return 3", "not iterable"),
    "another sort": (
        HEAD + "@hookimpl\ndef pypiserve_file_stores():\n    yield kind(AuthenticatorKind, 'a')",
        "pypiserve_file_stores yielded AuthenticatorKind, not FileStoreKind",
    ),
    "another sort of two": (
        HEAD + "@hookimpl\ndef pypiserve_policies():\n    yield kind(AuthenticatorKind, 'a')",
        "pypiserve_policies yielded AuthenticatorKind, not UploadPolicyKind or ReadPolicyKind",
    ),
    "class for object": (
        HEAD + "@hookimpl\ndef pypiserve_renderers():\n    yield 'html'",
        "pypiserve_renderers yielded str, not Renderer",
    ),
    "no name": (
        HEAD + "@hookimpl\ndef pypiserve_file_stores():\n    yield kind(FileStoreKind, None)",
        "a FileStoreKind whose name is not 1 to 63 lowercase letters",
    ),
    "unsafe name": (
        HEAD + "@hookimpl\ndef pypiserve_file_stores():\n    yield kind(FileStoreKind, '../x')",
        "a FileStoreKind whose name is not 1 to 63 lowercase letters",
    ),
    "settings of another base": (
        HEAD + "@hookimpl\ndef pypiserve_file_stores():\n    yield FileStoreKind('x', dict, print, '')",
        "the kind 'x', whose settings are no subclass of PluginSettings",
    ),
    "no build": (
        HEAD + "@hookimpl\ndef pypiserve_file_stores():\n    yield FileStoreKind('x', NoSettings, 3, '')",
        "the kind 'x', whose build cannot be called",
    ),
    "no summary": (
        HEAD + "@hookimpl\ndef pypiserve_file_stores():\n    yield FileStoreKind('x', NoSettings, print, None)",
        "the kind 'x', whose summary is no text",
    ),
    "accepts is text": (
        HEAD
        + "class R:\n    name = 'r'; media_type = 'text/plain'; accepts = 'text/plain'\n"
        + "    render_project_list = render_project_detail = print\n"
        + "@hookimpl\ndef pypiserve_renderers():\n    yield R()",
        "the renderer 'r', whose accepts is no list or tuple of texts",
    ),
}


@pytest.mark.parametrize(("source", "said"), BROKEN.values(), ids=BROKEN)
def test_broken_installed_plugin(source: str, said: str, install: Install, caplog: pytest.LogCaptureFixture) -> None:
    """A broken plugin does not stop the start: it is logged and listed with its distribution and the reason."""
    install("demo_broken", source)
    sentence = sentence_of("demo-broken 1.2")
    assert sentence.startswith("Plugin demo-broken 1.2: ")
    assert said in sentence
    assert [(record.levelno, record.message) for record in caplog.records] == [(logging.WARNING, sentence)]


@pytest.mark.parametrize(("source", "said"), BROKEN.values(), ids=BROKEN)
def test_broken_named_module(source: str, said: str, module: Install) -> None:
    """A broken module that the settings name stops the start: somebody wanted it."""
    name = module("demo_wanted", source)
    with pytest.raises(PluginUnusable) as caught:
        load_plugins([name])
    assert str(caught.value).startswith("Plugin module demo_wanted: ")
    assert said in str(caught.value)


def test_missing_named_module() -> None:
    """A module that is not there stops the start."""
    with pytest.raises(PluginUnusable, match=r"^Plugin module demo_gone: demo_gone cannot be imported"):
        load_plugins(["demo_gone"])


def test_interrupt_passes(install: Install) -> None:
    """Whoever presses Ctrl-C while plugins load wants out, not a failed plugin."""
    install("demo_interrupted", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_plugins()


def test_nothing_of_a_broken_plugin_is_offered(install: Install) -> None:
    """A plugin that fails in one hook offers nothing of its others."""
    source = STORE.format(name="d-half") + "@hookimpl\ndef pypiserve_subscribers():\n    1 / 0\n"
    install("demo_half", source)
    assert "d-half" not in load_plugins().file_stores


def test_broken_plugin_leaves_the_others(install: Install) -> None:
    """What else is installed still works."""
    install("demo_broken", "import no_such_module_at_all")
    install("demo_sound", STORE.format(name="d-sound"))
    plugins = load_plugins()
    assert plugins.file_stores["d-sound"].distribution == "demo-sound 1.2"
    assert "disk" in plugins.file_stores


def test_hooks_cannot_wrap_those_of_others(install: Install) -> None:
    """A plugin sees its own hooks only, so it cannot take away what another one offers."""
    source = HEAD + "@hookimpl(wrapper=True)\ndef pypiserve_renderers():\n    yield\n    return []\n"
    install("demo_wrapper", source)
    assert {"html", "json"} <= set(load_plugins().renderers)


@pytest.mark.parametrize(
    ("hook", "first", "second", "what"),
    [
        ("file_stores", "FileStoreKind", "FileStoreKind", "file store"),
        ("authenticators", "AuthenticatorKind", "AuthenticatorKind", "authenticator"),
        ("subscribers", "SubscriberKind", "SubscriberKind", "subscriber"),
        ("policies", "UploadPolicyKind", "ReadPolicyKind", "policy"),
    ],
)
def test_one_name_twice(hook: str, first: str, second: str, what: str, install: Install) -> None:
    """Two distributions that claim one name stop the start, for nobody could say which one is meant."""
    for module, kind in (("demo_one", first), ("demo_two", second)):
        install(module, HEAD + f"@hookimpl\ndef pypiserve_{hook}():\n    yield kind({kind}, 'd-same')\n")
    with pytest.raises(PluginConflict) as caught:
        load_plugins()
    assert str(caught.value) == (
        f"The {what} 'd-same' is offered by both demo-one 1.2 and demo-two 1.2; "
        "uninstall one of the two distributions."
    )


def test_built_in_names_are_taken(install: Install) -> None:
    """A stranger cannot replace a built-in store by taking its name."""
    install("demo_disk", STORE.format(name="disk"))
    with pytest.raises(PluginConflict, match=r"'disk' is offered by both demo-disk 1\.2 and pypiserve "):
        load_plugins()


def test_unknown_name_lists_the_known() -> None:
    """A name that nobody offers is answered with the setting and the names that there are."""
    with pytest.raises(UnknownPlugin) as caught:
        load_plugins().renderer("yaml", source="pypiserve.toml", key="renderers")
    assert str(caught.value).startswith(
        "pypiserve.toml: renderers: no installed distribution offers 'yaml'; "
        "install the one that does, or choose one of: html, json."
    )


@pytest.mark.parametrize("kind", ["forgejo", "gitea", "github", "gitlab"])
def test_a_forge_without_its_plugin(kind: str) -> None:
    """Settings from before the plugin for forges was uninstalled are told what is missing, by its name."""
    with pytest.raises(UnknownPlugin) as caught:
        Plugins().authenticator(kind, source="pypiserve.toml", key="authenticators[1].kind")
    assert f"offers {kind!r}; install pypiserve-forge, which does, or choose one of: none." in str(caught.value)


def test_unknown_name_names_the_failed_plugins(install: Install) -> None:
    """What is missing may be in a plugin that failed, so the sentence says which failed and why."""
    install("demo_s3", "import no_such_module_at_all")
    with pytest.raises(UnknownPlugin) as caught:
        load_plugins().file_store("s3", source="pypiserve.toml", key="store.kind")
    assert "store.kind: no installed distribution offers 's3'" in str(caught.value)
    assert "Plugin demo-s3 1.2: demo_s3 cannot be imported (ModuleNotFoundError" in str(caught.value)


def test_damaged_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution without METADATA is named by its entry point, and does not stop the others."""
    folder = tmp_path / "demo_bare-1.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_text("[pypiserve]\nbare = no_such_module_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "cannot be imported" in sentence_of("of the entry point bare")
