from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from pypiserve.core.errors import InvalidSetting
from pypiserve.settings import InstanceSettings, Listen, Settings, describe_settings, read_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, so that no settings file of the developer is found."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str | None = None, environment: Mapping[str, str] | None = None, **flags: str | bool) -> Settings:
    if text is not None:
        Path("pypiserve.toml").write_text(text)
    return read_settings(file=None, environment=environment or {}, flags=flags)


def refusal(text: str | None = None, environment: Mapping[str, str] | None = None, **flags: str | bool) -> str:
    with pytest.raises(InvalidSetting) as caught:
        read(text, environment, **flags)
    return str(caught.value)


def test_defaults(folder: Path) -> None:
    """Nothing need be set: the server listens on this machine only and keeps its data in the current folder."""
    settings = read()
    assert (settings.listen, settings.data) == (Listen(host="127.0.0.1", port=8080), folder / "pypiserve-data")
    assert (settings.store.kind, [one.kind for one in settings.authenticators]) == ("disk", ["token"])
    assert (settings.source, settings.folder, settings.path_prefix) == ("defaults", folder, "")


def test_settings_do_not_change() -> None:
    """Settings are read once and frozen."""
    with pytest.raises(AttributeError):
        read().private = True  # type: ignore[misc]


def test_rising_order() -> None:
    """The environment goes over the file, a flag over both."""
    text = 'listen = "127.0.0.1:1"\nroot_index = "file/pypi"\nshutdown_seconds = 3'
    environment = {"PYPISERVE_LISTEN": "127.0.0.1:2", "PYPISERVE_ROOT_INDEX": "environment/pypi"}
    settings = read(text, environment, listen="127.0.0.1:3")
    assert (settings.listen.port, settings.root_index, settings.shutdown_seconds) == (3, "environment/pypi", 3)
    assert [settings.source_of(key) for key in ("listen", "root_index", "shutdown_seconds", "private")] == [
        "command line",
        "environment",
        "pypiserve.toml",
        "defaults",
    ]


def test_named_file_goes_over_the_variable(folder: Path) -> None:
    """The file of the flag is read, else the variable's, else ./pypiserve.toml: one file, not several."""
    for name in ("pypiserve", "flag", "variable"):
        Path(f"{name}.toml").write_text(f'root_index = "{name}/pypi"')
    environment = {"PYPISERVE_SETTINGS": "variable.toml"}
    by_flag = read_settings(file=folder / "flag.toml", environment=environment, flags={})
    assert by_flag.root_index == "flag/pypi"
    assert read(None, environment).root_index == "variable/pypi"
    assert read().root_index == "pypiserve/pypi"


def test_named_file_must_exist() -> None:
    """A file that is named and missing is an error that says who named it."""
    with pytest.raises(InvalidSetting, match=r"^no\.toml: --settings: cannot be read \(No such file or directory\)"):
        read_settings(file=Path("no.toml"), environment={}, flags={})
    assert "no.toml: PYPISERVE_SETTINGS: cannot be read" in refusal(None, {"PYPISERVE_SETTINGS": "no.toml"})


def test_paths_are_relative_to_the_file(folder: Path) -> None:
    """A path of the file or the environment is relative to the file, one that was typed to the current folder."""
    (folder / "etc").mkdir()
    (folder / "etc/my.toml").write_text('data = "kept"')
    file = Path("etc/my.toml")
    assert read_settings(file=file, environment={}, flags={}).data == folder / "etc/kept"
    assert read_settings(file=file, environment={"PYPISERVE_DATA": "x"}, flags={}).data == folder / "etc/x"
    assert read_settings(file=file, environment={}, flags={"data": "typed"}).data == folder / "typed"


def test_toml_errors_name_the_line() -> None:
    """A syntax error says file and line in one sentence."""
    said = refusal("private = true\nlisten =\n")
    assert said.startswith("pypiserve.toml: line 2, column 9: not valid TOML: ")
    assert said.endswith("; correct the line.")


def test_file_must_be_utf8() -> None:
    """A file in another encoding is refused, not guessed."""
    Path("pypiserve.toml").write_bytes(b'root_index = "caf\xe9/pypi"')
    assert refusal() == "pypiserve.toml: byte 17: not UTF-8; save the file as UTF-8."


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("0.0.0.0:80", "0.0.0.0", 80), ("localhost:0", "localhost", 0), ("[::1]:65535", "::1", 65535)],
)
def test_listen(text: str, host: str, port: int) -> None:
    """HOST:PORT is read and written back alike; an IPv6 address stands in brackets."""
    listen = read(listen=text).listen
    assert (listen, str(listen)) == (Listen(host=host, port=port), text)


@pytest.mark.parametrize(
    "text",
    [
        "8080",
        ":8080",
        "localhost",
        "localhost:",
        "::1:80",
        "[::1]",
        "[x]:1",
        "a:65536",
        "a:-1",
        "a:8_0",
        "a b:80",
        "",
    ],
)
def test_listen_refuses(text: str) -> None:
    """What is no address is refused with the form of one."""
    assert "command line: --listen: " in refusal(listen=text)
    assert "write it as HOST:PORT" in refusal(listen=text)


def test_listen_of_another_type() -> None:
    """A bare port is a common mistake and gets the form of the address as its remedy."""
    assert refusal("listen = 8080").startswith("pypiserve.toml: listen: expected str, got int; write it as HOST:PORT")


@pytest.mark.parametrize(
    ("text", "url", "prefix"),
    [
        ("https://pypi.example.org", "https://pypi.example.org", ""),
        ("https://example.org:8443/", "https://example.org:8443", ""),
        ("http://[::1]:8080/team/pypi//", "http://[::1]:8080/team/pypi", "/team/pypi"),
        ("", None, ""),
    ],
)
def test_public_url(text: str, url: str | None, prefix: str) -> None:
    """The public address loses its last slash, and its path is the prefix of all links."""
    settings = read(None, {"PYPISERVE_PUBLIC_URL": text})
    assert (settings.public_url, settings.path_prefix) == (url, prefix)


@pytest.mark.parametrize(
    "text",
    [
        "example.org",
        "//example.org",
        "ftp://example.org",
        "https:///x",
        "https://example.org/?a=b",
        "https://example.org/?",
        "https://example.org/#x",
        "https://user:hunter2@example.org/",
        "https://example.org:x/",
        "https://example.org/a/../b",
        'https://example.org/"onload',
        "https://example.org/a b",
        "https://example.org/a\n",
    ],
)
def test_public_url_refuses(text: str) -> None:
    """What cannot stand in front of every link is refused, and credentials in it are not shown."""
    said = refusal(None, {"PYPISERVE_PUBLIC_URL": text})
    assert said.startswith("environment: PYPISERVE_PUBLIC_URL: ")
    assert "hunter2" not in said


@pytest.mark.parametrize("text", ["main", "main/", "/pypi", "api/pypi", "main/pypi/x", "main/PyPI"])
def test_root_index_refuses(text: str) -> None:
    """The root index is an owner and an index whose names can exist."""
    assert refusal(f'root_index = "{text}"').startswith("pypiserve.toml: root_index: ")


def test_no_root_index() -> None:
    """The empty text means that nothing answers at the host's root."""
    assert not read('root_index = ""').root_index


@pytest.mark.parametrize(
    "text",
    [
        "max_file_size_bytes = 0",
        "max_form_bytes = -1",
        "page_cache_bytes = -1",
        "shutdown_seconds = 0",
        'shutdown_seconds = "15"',
        "shutdown_seconds = true",
        'private = "yes"',
        "renderers = []",
        'renderers = "html"',
        'renderers = ["html", "html"]',
        'plugins = ["a", "a"]',
        "store = 3",
        "authenticators = 3",
        "authenticators = [3]",
        '[authenticators]\nkind = "token"',
    ],
)
def test_wrong_values(text: str) -> None:
    """A value of the wrong type or out of range names file and key."""
    key = text.lstrip("[").split("]")[0].split()[0]
    assert refusal(text).startswith(f"pypiserve.toml: {key}")


def test_unknown_settings() -> None:
    """An unknown key of the file is an error that offers the nearest one."""
    assert refusal('listn = "x"') == (
        "pypiserve.toml: listn: unknown setting; did you mean listen? Otherwise remove it."
    )


def test_unknown_settings_elsewhere() -> None:
    """An unknown variable or flag is spelt as it was given."""
    assert refusal(None, {"PYPISERVE_LISTN": "x"}).startswith("environment: PYPISERVE_LISTN: unknown setting")
    assert refusal(None, {"PYPISERVE_LISTN__HOST": "x"}).startswith("environment: PYPISERVE_LISTN: unknown setting")
    assert refusal(listn="x").startswith("command line: --listn: unknown setting")


@pytest.mark.parametrize("key", ["source", "folder", "origins", "path_prefix"])
def test_what_settings_know_of_themselves_cannot_be_set(key: str) -> None:
    """Where the settings come from is no setting."""
    assert f"pypiserve.toml: {key}: unknown setting" in refusal(f'{key} = "x"')


def test_environment_values_are_toml() -> None:
    """Switches, numbers and arrays of the environment are written as in TOML, text as it stands."""
    environment = {
        "PYPISERVE_PRIVATE": "true",
        "PYPISERVE_MAX_FORM_BYTES": "10",
        "PYPISERVE_RENDERERS": '["json"]',
        "PYPISERVE_LOG_LEVEL": "debug",
        "PYPISERVE_AUTHENTICATORS": '[{kind = "htpasswd", name = "staff", file = "users"}]',
        "OTHER_LISTEN": "of no concern",
    }
    settings = read(None, environment)
    assert (settings.private, settings.max_form_bytes, settings.log_level) == (True, 10, "debug")
    assert settings.renderers == ("json",)
    assert settings.authenticators == (
        InstanceSettings(
            kind="htpasswd",
            name="staff",
            options={"file": "users"},
            source="environment",
            key="authenticators[0]",
        ),
    )


@pytest.mark.parametrize(("variable", "value"), [("PYPISERVE_PRIVATE", "hunter2"), ("PYPISERVE_STORE", "hunter2")])
def test_environment_values_are_not_echoed(variable: str, value: str) -> None:
    """A value that cannot be read may be a misplaced secret."""
    said = refusal(None, {variable: value})
    assert said.startswith(f"environment: {variable}: ")
    assert value not in said


def test_store_options_from_the_environment() -> None:
    """Single options of the store can be set by variables and go over those of the file."""
    text = '[store]\nkind = "s3"\nbucket = "a"\nregion = "x"\n[store.login]\nuser = "u"\nsecret = "s"'
    environment = {"PYPISERVE_STORE__BUCKET": "b", "PYPISERVE_STORE__LOGIN__SECRET": "t"}
    store = read(text, environment).store
    assert store.options == {"bucket": "b", "region": "x", "login": {"user": "u", "secret": "t"}}
    assert (store.kind, store.source, store.key) == ("s3", "pypiserve.toml and environment", "store")


def test_another_kind_of_store_drops_the_options_of_the_first() -> None:
    """The options of one kind mean nothing to another."""
    store = read('[store]\nkind = "s3"\nbucket = "a"', {"PYPISERVE_STORE__KIND": "disk"}).store
    assert (store.kind, store.options, store.source) == ("disk", {}, "environment")


def test_store_whole_and_by_key() -> None:
    """A table and its keys in two variables contradict each other."""
    environment = {"PYPISERVE_STORE": '{kind = "disk"}', "PYPISERVE_STORE__KIND": "s3"}
    assert "environment: PYPISERVE_STORE__KIND: the whole table is given by another" in refusal(None, environment)


def test_default_store_takes_options() -> None:
    """The kind of the store need not be said to set an option of the default one."""
    store = read('[store]\nfolder = "x"').store
    assert (store.kind, store.options) == ("disk", {"folder": "x"})


def test_instances() -> None:
    """Two instances of one kind differ by name, and each knows where it stands."""
    text = '[[authenticators]]\nkind = "forge"\n[[authenticators]]\nkind = "forge"\nname = "second"\nurl = "u"'
    first, second = read(text).authenticators
    assert (first.name, first.key, first.options) == ("forge", "authenticators[0]", {})
    assert (second.name, second.key, second.options) == ("second", "authenticators[1]", {"url": "u"})


def test_options_may_have_any_name() -> None:
    """A kind's own option may be called like a field of ours."""
    (only,) = read('[[policies]]\nkind = "k"\nsource = "a"\nkey = "b"\noptions = "c"').policies
    assert (only.options, only.source) == ({"source": "a", "key": "b", "options": "c"}, "pypiserve.toml")


def test_instance_names_are_unique() -> None:
    """Two instances of one name could not be told apart."""
    said = refusal('[[authenticators]]\nkind = "token"\n[[authenticators]]\nkind = "token"')
    assert said == "pypiserve.toml: authenticators[1].name: authenticators[0] has this name; choose another name."


@pytest.mark.parametrize("name", ["team", "robot"])
def test_names_of_subjects_that_the_server_makes_are_no_authenticators(name: str) -> None:
    """Whoever signed in there as acme/devs would be that team."""
    said = refusal(f'[[authenticators]]\nkind = "token"\nname = "{name}"')
    assert said.startswith("pypiserve.toml: authenticators[0].name: subjects that begin so")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "A", "x" * 64, "a\\nb"])
def test_instance_names_are_safe_as_file_names(name: str) -> None:
    """An instance may keep a file of its own name, so the name cannot lead elsewhere."""
    said = refusal(f'[[policies]]\nkind = "k"\nname = "{name}"')
    assert said.startswith("pypiserve.toml: policies[0].name: not a name of 1 to 63 lowercase letters")


def test_kind_is_needed() -> None:
    """A table without kind asks for nothing."""
    assert refusal("[[policies]]\nx = 1") == "pypiserve.toml: policies[0].kind: missing; give it a value."


def test_kind_is_needed_in_the_environment() -> None:
    """The place in an array of the environment is named after the variable."""
    assert refusal(None, {"PYPISERVE_POLICIES": "[{x = 1}]"}) == (
        "environment: PYPISERVE_POLICIES[0].kind: missing; give it a value."
    )


def test_no_authenticators() -> None:
    """A server may do without authenticators: then everyone is anonymous."""
    assert read("authenticators = []").authenticators == ()


def test_reference_has_every_setting() -> None:
    """The reference has a row for each setting, each with a meaning, in the order of the code."""
    rows = describe_settings()
    own = {"source", "folder", "origins"}
    assert [row.key for row in rows] == [
        field.name for field in msgspec.structs.fields(Settings) if field.name not in own
    ]
    assert all(row.meaning.endswith(".") for row in rows)


def test_reference_is_true() -> None:
    """Every default of the reference, set through the variable it names, gives the default settings."""
    environment = {
        row.variable: row.default.strip('"')
        if row.type in {"string", "path"} or row.key == "log_level"
        else row.default
        for row in describe_settings()
        if row.default != "none"
    }
    spelt, default = read(None, environment), read()
    for row in describe_settings():
        if row.type not in {"table", "array of tables"}:
            assert getattr(spelt, row.key) == getattr(default, row.key)
    assert len(environment) == len(describe_settings()) - 1


def test_reference_names_types() -> None:
    """Types are written for people."""
    types = {row.key: row.type for row in describe_settings()}
    assert (types["listen"], types["public_url"], types["renderers"], types["authenticators"]) == (
        "string",
        "string or none",
        "array of strings",
        "array of tables",
    )
    assert types["log_level"].startswith("one of: ")


def test_trusted_proxies_are_addresses_and_networks() -> None:
    """A name or a network with bits of a host stops the start; the environment takes a TOML array."""
    assert read('trusted_proxies = ["127.0.0.1", "fd00::/8"]').trusted_proxies == ("127.0.0.1", "fd00::/8")
    read("", {"PYPISERVE_TRUSTED_PROXIES": '["10.0.0.0/8"]'})
    for wrong in ("proxy.example.com", "10.0.0.1/8"):
        message = refusal(f'trusted_proxies = ["{wrong}"]')
        assert "trusted_proxies" in message
        assert "10.0.0.0/8" in message
