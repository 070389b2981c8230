from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from pypiserve.core.errors import InvalidSetting
from pypiserve.plugin import NoSettings, PluginSettings
from pypiserve.plugin.settings import UntypedText, read_table


class Proxy(PluginSettings, frozen=True):
    host: str
    port: int = 3128


class DemoSettings(PluginSettings, frozen=True):
    folder: Path = Path("files")
    secret: str | None = None
    timeout_seconds: Annotated[int, Meta(gt=0)] = 5
    mode: Literal["fast", "safe"] = "safe"
    hosts: tuple[str, ...] = ()
    proxy: Proxy | None = None
    proxies: tuple[Proxy, ...] = ()


def read(table: dict[str, Any], folder: Path = Path("/srv/pypi")) -> DemoSettings:
    return read_table(table, DemoSettings, source="pypiserve.toml", key="store", folder=folder)


def refusal(table: dict[str, Any]) -> str:
    with pytest.raises(InvalidSetting) as caught:
        read(table)
    return str(caught.value)


def test_relative_paths_are_relative_to_the_folder() -> None:
    """A path is taken from the folder of the settings file, and an absolute one stays."""
    assert read({"folder": "files"}).folder == Path("/srv/pypi/files")
    assert read({"folder": "/var/files"}).folder == Path("/var/files")


def test_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path may begin in the home folder."""
    monkeypatch.setenv("HOME", "/home/demo")
    assert read({"folder": "~/files"}).folder == Path("/home/demo/files")


def test_unknown_key_offers_the_nearest() -> None:
    """A misspelt key names file, key and the key that was probably meant."""
    assert refusal({"foldr": "x"}) == (
        "pypiserve.toml: store.foldr: unknown setting; did you mean folder? Otherwise remove it."
    )


def test_unknown_key_lists_the_known() -> None:
    """A key that resembles none names all that there are."""
    assert "use one of: folder, hosts, mode, proxies, proxy, secret, timeout_seconds." in refusal({"xyz": 1})


def test_unknown_key_in_an_inner_table() -> None:
    """In an inner table the inner table's keys are offered."""
    assert refusal({"proxies": [{"host": "a"}, {"host": "b", "prt": 1}]}) == (
        "pypiserve.toml: store.proxies[1].prt: unknown setting; did you mean port? Otherwise remove it."
    )
    assert "store.proxy.prt: unknown setting; did you mean port?" in refusal({"proxy": {"host": "b", "prt": 1}})


def test_nothing_to_set() -> None:
    """A kind without settings says so."""
    with pytest.raises(InvalidSetting, match=r"store\.x: unknown setting; remove it, there is nothing to set here\."):
        read_table({"x": 1}, NoSettings, source="pypiserve.toml", key="store", folder=Path())


def test_missing_key() -> None:
    """A key without default that is not given is named with its table."""
    assert refusal({"proxy": {}}) == "pypiserve.toml: store.proxy.host: missing; give it a value."


def test_wrong_type_at_the_top_level() -> None:
    """At the top level the key has no prefix."""
    with pytest.raises(InvalidSetting) as caught:
        read_table({"timeout_seconds": "x"}, DemoSettings, source="f.toml", key="", folder=Path())
    assert str(caught.value) == "f.toml: timeout_seconds: expected int, got str; correct the value."


@pytest.mark.parametrize(
    "table",
    [
        {"timeout_seconds": "hunter2"},
        {"secret": ["hunter2"]},
        {"folder": {"x": "hunter2"}},
        {"hosts": "hunter2"},
        {"proxy": "hunter2"},
        {"timeout_seconds": UntypedText("hunter2")},
        {"folder": "hunter2\0"},
        {"folder": "~hunter2/x"},
    ],
)
def test_values_are_not_echoed(table: dict[str, Any]) -> None:
    """A value of the wrong type may be a misplaced secret, so no message shows it."""
    assert "hunter2" not in refusal(table)


def test_choices_are_named() -> None:
    """A word that is none of a fixed set is answered with the set."""
    assert refusal({"mode": "quick"}).endswith("invalid enum value 'quick'; use one of: fast, safe.")


def test_limits() -> None:
    """A number out of range names the range."""
    assert "store.timeout_seconds: expected int >= 1" in refusal({"timeout_seconds": 0})


def test_empty_path() -> None:
    """An empty path would silently mean the folder itself, so it is refused."""
    assert "store.folder: expected a path" in refusal({"folder": ""})


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("timeout_seconds", "30", 30),
        ("secret", "12345", "12345"),
        ("secret", "true", "true"),
        ("mode", "fast", "fast"),
        ("folder", "/x", Path("/x")),
        ("hosts", '["a", "b"]', ("a", "b")),
        ("proxy", '{host = "a"}', Proxy(host="a")),
    ],
)
def test_untyped_text_becomes_what_the_key_expects(key: str, text: str, value: object) -> None:
    """Text from the environment stays text where text is expected, else it is read as TOML."""
    assert getattr(read({key: UntypedText(text)}), key) == value


def test_untyped_text_in_an_inner_table() -> None:
    """Inner tables that the environment fills are typed as well."""
    proxy = {"host": UntypedText("10"), "port": UntypedText("10")}
    assert read({"proxy": proxy}).proxy == Proxy(host="10", port=10)


@pytest.mark.parametrize("text", ["", "yes", "[1", "1\nother = 2"])
def test_untyped_text_that_is_no_value(text: str) -> None:
    """Text that is no single TOML value is refused with an example of how to write one."""
    assert "store.hosts: not a TOML value; write it as in TOML" in refusal({"hosts": UntypedText(text)})
