from __future__ import annotations

from pathlib import Path

import pytest

from pypiserve.core.errors import InvalidSetting, UnknownPlugin
from pypiserve.picks import Picks, pick
from pypiserve.plugin import FileStoreKind, PluginSettings, UploadPolicyKind
from pypiserve.plugin._loading import Offer, Plugins, load_plugins
from pypiserve.settings import read_settings


class DemoSettings(PluginSettings, frozen=True):
    folder: Path = Path("files")
    size: int = 1


def never_built(_settings: PluginSettings, _context: object) -> object:
    raise AssertionError


def offers() -> Plugins:
    """The built-in renderers and authenticators, with a store and a policy of our own."""
    store = FileStoreKind("demo", DemoSettings, never_built, "for tests")  # type: ignore[arg-type]  # not built here
    policy = UploadPolicyKind("size", DemoSettings, never_built, "for tests")  # type: ignore[arg-type]  # likewise
    installed = load_plugins()
    return Plugins(
        file_stores={"demo": Offer(store, "demo 1.0", "demo")},
        upload_policies={"size": Offer(policy, "demo 1.0", "demo")},
        authenticators=installed.authenticators,
        renderers=installed.renderers,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "my.toml"


def picked(file: Path, text: str, **environment: str) -> Picks:
    file.write_text(text)
    variables = {f"PYPISERVE_{name}": value for name, value in environment.items()}
    return pick(read_settings(file=file, environment=variables, flags={}), offers())


def test_options_are_typed(file: Path) -> None:
    """The options of an instance get the form that its kind declares, paths relative to the settings file."""
    found = picked(file, '[store]\nkind = "demo"\nfolder = "kept"\n[[policies]]\nkind = "size"\nsize = 3')
    assert found.store.options == DemoSettings(folder=file.parent / "kept")
    assert [(one.instance.name, one.options) for one in found.policies] == [("size", DemoSettings(size=3))]


def test_order_is_that_of_the_settings(file: Path) -> None:
    """Renderers and authenticators keep the order in which the settings name them."""
    text = 'renderers = ["json", "html"]\nstore = {kind = "demo"}\n'
    authenticators = '[[authenticators]]\nkind = "token"\nname = "b"\n[[authenticators]]\nkind = "token"\nname = "a"'
    found = picked(file, text + authenticators)
    assert [offer.thing.name for offer in found.renderers] == ["json", "html"]
    assert [one.instance.name for one in found.authenticators] == ["b", "a"]


def test_environment_options_are_typed_by_the_kind(file: Path) -> None:
    """Only the kind knows that an option given by a variable is a number."""
    found = picked(file, '[store]\nkind = "demo"', STORE__SIZE="7", STORE__FOLDER="7")
    assert found.store.options == DemoSettings(folder=file.parent / "7", size=7)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "store.kind"),
        ('store = {kind = "demo"}\nrenderers = ["yaml"]', "renderers"),
        ('store = {kind = "demo"}\n[[authenticators]]\nkind = "demo"', "authenticators[0].kind"),
        ('store = {kind = "demo"}\n[[policies]]\nkind = "demo"', "policies[0].kind"),
        ('store = {kind = "demo"}\n[[subscribers]]\nkind = "demo"', "subscribers[0].kind"),
    ],
)
def test_unknown_kinds(text: str, key: str, file: Path) -> None:
    """A kind that nobody offers is refused with the setting that asks for it; a name of another sort is no help."""
    with pytest.raises(UnknownPlugin) as caught:
        picked(file, text)
    assert caught.value.key == key


def test_unknown_options(file: Path) -> None:
    """An option that the kind does not know names file, table and key."""
    with pytest.raises(InvalidSetting) as caught:
        picked(file, '[store]\nkind = "demo"\nfoldr = "x"')
    assert str(caught.value) == f"{file}: store.foldr: unknown setting; did you mean folder? Otherwise remove it."
