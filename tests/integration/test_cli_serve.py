"""``pypiserve serve`` as people start it: what it prints, and what stops it."""

from __future__ import annotations

import signal
import socket
import tomllib
from pathlib import Path

import pytest
from command_line import call, is_refusal, run
from forked_server import ForkedServer, failed_start
from server_process import ServerProcess

from pypiserve.testing import a_wheel


def test_the_greeting_has_lines_to_paste(tmp_path: Path) -> None:
    """The first start prints the token this once, and lines for each client with the real address in them."""
    with ServerProcess(tmp_path) as server:
        url, token, greeting = f"http://127.0.0.1:{server.port}", server.token, server.output
        upload = f"{url}/api/packages/main/pypi/"
        index = f"{upload}simple/"
        for line in (
            f"twine upload --repository-url {upload} -u __token__ -p {token} dist/*",
            f"uv publish --publish-url {upload} --token {token}",
            f"pip install --index-url {index} PROJECT",
            f"uv pip install --index-url {index} PROJECT",
            f"repository = {upload}",
            "username = __token__",
            f"password = {token}",
            f"index-url = {index}",
        ):
            assert line in greeting
        toml = greeting[greeting.index("[[index]]") :].partition("\n\n")[0]
        assert tomllib.loads(toml)["index"] == [
            {"name": "main", "url": index, "publish-url": upload, "default": True}
        ]
        assert server.publish(a_wheel("demo", "1.0")).status == 201
        assert server.get("/-/health").body == b"ok\n"
        assert server.end(signal.SIGTERM) == 0
    assert token not in server.log
    with ForkedServer(tmp_path) as again:
        assert token not in again.output
        assert not again.token
        assert "pypiserve token create NAME" in again.output
        assert again.get("/simple/demo/").status == 200


def test_private_asks_for_the_token(tmp_path: Path) -> None:
    """With ``--private`` reading takes the token, and the lines to paste carry it."""
    with ForkedServer(tmp_path, "--private") as server:
        assert f"http://__token__:{server.token}@127.0.0.1:{server.port}/api/packages" in server.output
        assert server.get("/simple/").status == 401
        assert server.get("/simple/", token=server.token).status == 200


def test_a_start_that_fails_does_not_use_up_the_token(tmp_path: Path) -> None:
    """If the port is taken at the first start, the token is shown by the next one that serves."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        failed = run("serve", "--listen", f"127.0.0.1:{port}", folder=tmp_path)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith(f"Error: command line: listen: cannot listen on 127.0.0.1:{port} (")
    assert failed.stderr.count("\n") == 1
    with ServerProcess(tmp_path) as server:
        assert server.publish(a_wheel(), token=server.token).status == 201


def test_a_relative_data_folder_is_relative_to_where_it_was_typed(tmp_path: Path) -> None:
    """The flag means the current folder, the settings file its own."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "pypiserve.toml").write_text('data = "there"\n')
    typed = call("check", "--settings", "etc/pypiserve.toml", "--data", "here", folder=tmp_path)
    assert f"data           {tmp_path / 'here'}\n" in typed.stdout
    written = call("check", "--settings", "etc/pypiserve.toml", folder=tmp_path)
    assert f"data           {tmp_path / 'etc' / 'there'}\n" in written.stdout
    with ForkedServer(tmp_path, "--data", "sub/folder"):
        assert (tmp_path / "sub" / "folder" / "catalog.sqlite3").exists()
    assert not (tmp_path / "pypiserve-data").exists()


BAD_SETTINGS = {
    "listne = 1": ("pypiserve.toml", "listne", "listen"),
    "listen = 8080": ("pypiserve.toml", "listen", "HOST:PORT"),
    'max_file_size_bytes = "big"': ("pypiserve.toml", "max_file_size_bytes"),
    "max_file_size_bytes = 0": ("pypiserve.toml", "max_file_size_bytes"),
    "renderers = []": ("pypiserve.toml", "renderers"),
    'renderers = ["html", "xml"]': ("pypiserve.toml", "renderers", "'xml'", "html, json"),
    '[store]\nkind = "tape"': ("pypiserve.toml", "store.kind", "'tape'", "disk"),
    '[store]\nkind = "disk"\nfolders = "x"': ("pypiserve.toml", "store.folders", "folder"),
    '[[authenticators]]\nkind = "ldap"': ("pypiserve.toml", "authenticators[0].kind", "'ldap'", "token"),
    '[[authenticators]]\nkind = "htpasswd"': ("pypiserve.toml", "authenticators[0].file", "missing"),
    '[[policies]]\nkind = "none"': ("pypiserve.toml", "policies[0].kind", "'none'"),
    'root_index = "api/pypi"': ("pypiserve.toml", "root_index", "reserved"),
    'plugins = ["no_such_module"]': ("no_such_module",),
    "listen = ": ("pypiserve.toml", "line 1"),
}


UNBUILDABLE = {
    '[[authenticators]]\nkind = "htpasswd"\nfile = "none"': ("htpasswd", "file", "cannot be read"),
    'plugins = ["plugin_parts"]\n[store]\nkind = "broken"': ("plugin_parts", "store", "no such luck"),
    'plugins = ["plugin_parts"]\n[store]\nkind = "hollow"': ("plugin_parts", "hollow", "FileStore"),
    "listne = 1": BAD_SETTINGS["listne = 1"],
}


@pytest.mark.parametrize("settings", BAD_SETTINGS)
def test_settings_that_cannot_work_are_one_line(tmp_path: Path, settings: str) -> None:
    """Exit code 2, one line on standard error that names file, key and remedy, no traceback."""
    (tmp_path / "pypiserve.toml").write_text(settings)
    assert is_refusal(call("check", folder=tmp_path), *BAD_SETTINGS[settings])


@pytest.mark.parametrize("settings", UNBUILDABLE)
def test_parts_that_cannot_be_built_stop_the_start(tmp_path: Path, settings: str) -> None:
    """What shows only when a part is built is told in the same way, by the name of its distribution or its file."""
    (tmp_path / "pypiserve.toml").write_text(settings)
    assert is_refusal(failed_start(folder=tmp_path), *UNBUILDABLE[settings])


@pytest.mark.parametrize("listen", ["", "x", "127.0.0.1", ":8080", "127.0.0.1:99999", "[::1:80", "ho st:80"])
def test_an_address_that_is_none_is_one_line(tmp_path: Path, listen: str) -> None:
    """Garbage in ``--listen`` is told with the form that it takes."""
    assert is_refusal(call("check", "--listen", listen, folder=tmp_path), "--listen", "HOST:PORT")


def test_a_host_that_is_not_here_is_one_line(tmp_path: Path) -> None:
    """An address of another machine cannot be listened on."""
    finished = failed_start("--listen", "192.0.2.1:0", folder=tmp_path)
    assert (finished.returncode, finished.stderr.count("\n")) == (2, 1)
    assert "cannot listen on 192.0.2.1:0" in finished.stderr


def test_a_data_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    """A file where the folder should be; whoever may write everything cannot write there either."""
    (tmp_path / "data").write_text("a file")
    assert is_refusal(call("token", "list", "--data", "data", folder=tmp_path), "data", "folder")
    serving = failed_start("--data", "data/inside", folder=tmp_path)
    assert is_refusal(serving, "data", "cannot be used", "name a folder that may be written")


def test_an_environment_variable_beats_the_file_and_a_flag_beats_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of the sources is file, environment, flag."""
    (tmp_path / "pypiserve.toml").write_text('listen = "127.0.0.1:1111"\n')
    assert "listen         127.0.0.1:1111\n" in call("check", folder=tmp_path).stdout
    monkeypatch.setenv("PYPISERVE_LISTEN", "127.0.0.1:2222")
    assert "listen         127.0.0.1:2222\n" in call("check", folder=tmp_path).stdout
    flagged = call("check", "--listen", "127.0.0.1:3333", folder=tmp_path)
    assert "listen         127.0.0.1:3333\n" in flagged.stdout
