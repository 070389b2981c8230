"""Every place where pip, uv and twine look for credentials, with a user who has a password and with a token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from clients.conftest import USER, MakeTool
from clients.listing import listed_digests
from clients.publishers import Publisher
from clients.sandbox import Finished
from clients.server import Server, running_server
from clients.shelf import Shelf, stock
from clients.toolbox import Tool, imported_version, make_environment
from clients.versions import Client, clients, newest

EVERY_TWINE = pytest.mark.parametrize("client", clients("twine"), ids=str)

# A backend of keyring in a file: what it knows stands in an environment variable, one line for each service.
KEYRING = """\
import os

from keyring.backend import KeyringBackend


class FromEnvironment(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        for line in os.environ["TEST_KEYRING"].splitlines():
            known, name, password = line.split("\\t")
            if (known, name) == (service, username):
                return password

    def set_password(self, service, username, password):
        raise NotImplementedError
"""


class Keyring:
    """A keyring with one entry for a server, and the program ``keyring`` of twine's environment."""

    def __init__(self, folder: Path, twine: Tool) -> None:
        folder.mkdir()
        (folder / "test_keyring.py").write_text(KEYRING, encoding="utf-8")
        (folder / "bin").mkdir()
        (folder / "bin" / "keyring").symlink_to(twine.environment / "bin" / "keyring")
        self._folder = folder
        self._library = str(next((twine.environment / "lib").glob("python3.*/site-packages")))

    def variables(self, *services: str, username: str, password: str) -> dict[str, str]:
        """Return the variables that make it the keyring of a process."""
        return {
            "PYTHON_KEYRING_BACKEND": "test_keyring.FromEnvironment",
            "PYTHONPATH": str(self._folder),
            "TEST_KEYRING": "\n".join(f"{service}\t{username}\t{password}" for service in services),
        }

    @property
    def library(self) -> str:
        """Where the library is imported from."""
        return self._library

    @property
    def programs(self) -> str:
        """What is put before ``PATH`` for clients that call the program."""
        return str(self._folder / "bin")


@pytest.fixture
def keyring(tool: MakeTool, tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "keyring", tool(newest("twine")))


@pytest.fixture
def pip(tool: MakeTool, tmp_path: Path) -> Tool:
    """A clean environment with the newest pip, to install into."""
    return tool(newest("pip")).disposable(tmp_path / "environment")


@pytest.fixture
def uv(tool: MakeTool) -> Tool:
    return tool(newest("uv"))


def write_netrc(home: Path, username: str, password: str) -> None:
    """Write the file that many clients read; quoted, as a name or password with blanks must be."""
    netrc = home / ".netrc"
    netrc.write_text(f'machine 127.0.0.1\nlogin "{username}"\npassword "{password}"\n', encoding="utf-8")
    netrc.chmod(0o600)


def with_username(url: str, username: str) -> str:
    """Put a user name, and no password, into a URL."""
    return url.replace("//", f"//{username.replace('@', '%40')}@", 1)


def pip_install(pip: Tool, index: str, *flags: str, **variables: str) -> Finished:
    """Install the app."""
    return pip.run(
        "python", "-m", "pip", "install", *flags, "--index-url", index, "demo-app", cwd=pip.sandbox.home, **variables
    )


def uv_install(uv: Tool, folder: Path, *flags: str, **variables: str) -> str:
    """Install the app with uv and return the version of its library, or what uv said when it failed."""
    folder.mkdir(exist_ok=True)
    python = make_environment(folder / "uv-environment")
    words: list[str | Path] = ["pip", "install", "--python", python, *flags, "demo-app"]
    installed = uv.run("uv", *words, cwd=folder, **variables)
    return imported_version(uv.sandbox, python, "demo_lib") if installed.succeeded else installed.report


def test_pip_with_a_user_in_the_url(pip: Tool, users_shelf: Shelf) -> None:
    """A name and a password full of special characters, percent-encoded."""
    installed = pip_install(pip, users_shelf.server.simple_as(USER.username, USER.password))
    assert installed.succeeded, installed.report
    assert pip.version_of("demo_lib") == "2.0"


@pytest.mark.parametrize("form", ["__token__:{}", "anybody:{}", "{}", "{}:", "{}:x-oauth-basic", ":{}"])
def test_a_token_in_the_url_in_every_form(pip: Tool, uv: Tool, users_shelf: Shelf, tmp_path: Path, form: str) -> None:
    """As the password of anybody, or as the user name beside nothing or GitHub's word."""
    server = users_shelf.server
    index = server.simple.replace("//", f"//{form.format(server.reader)}@", 1)
    installed = pip_install(pip, index)
    assert installed.succeeded, installed.report
    assert uv_install(uv, tmp_path / "uv", "--default-index", index) == "2.0"


def test_pip_with_a_user_in_netrc(pip: Tool, users_shelf: Shelf) -> None:
    """The same from ``.netrc``."""
    write_netrc(pip.sandbox.home, USER.username, USER.password)
    installed = pip_install(pip, users_shelf.server.simple)
    assert installed.succeeded, installed.report
    assert pip.version_of("demo_lib") == "2.0"


@pytest.mark.parametrize("provider", ["subprocess", "import"])
def test_pip_with_a_keyring(pip: Tool, users_shelf: Shelf, keyring: Keyring, provider: str) -> None:
    """pip asks the keyring, as a program or as a library, for the user of the URL after the challenge."""
    index = with_username(users_shelf.server.simple, USER.username)
    variables = keyring.variables(users_shelf.server.netloc, username=USER.username, password=USER.password)
    variables["PATH"] = f"{keyring.programs}:{pip.environment / 'bin'}:/usr/bin:/bin"
    if provider == "import":
        variables["PYTHONPATH"] += f":{keyring.library}"
    installed = pip_install(pip, index, "--keyring-provider", provider, **variables)
    assert installed.succeeded, installed.report
    assert pip.version_of("demo_lib") == "2.0"


def test_uv_with_a_user_in_variables(uv: Tool, users_shelf: Shelf, tmp_path: Path) -> None:
    """uv has variables of the index's name."""
    index = f"here={users_shelf.server.simple}"
    variables = {"UV_INDEX_HERE_USERNAME": USER.username, "UV_INDEX_HERE_PASSWORD": USER.password}
    assert uv_install(uv, tmp_path, "--default-index", index, **variables) == "2.0"


def test_uv_with_a_user_in_the_url(uv: Tool, users_shelf: Shelf, tmp_path: Path) -> None:
    """A name and a password full of special characters, percent-encoded."""
    index = users_shelf.server.simple_as(USER.username, USER.password)
    assert uv_install(uv, tmp_path, "--default-index", index) == "2.0"


def test_uv_with_a_user_in_netrc(uv: Tool, users_shelf: Shelf, tmp_path: Path) -> None:
    """The same from ``.netrc``."""
    write_netrc(uv.sandbox.home, USER.username, USER.password)
    assert uv_install(uv, tmp_path, "--default-index", users_shelf.server.simple) == "2.0"


def test_uv_with_a_keyring(uv: Tool, users_shelf: Shelf, keyring: Keyring, tmp_path: Path) -> None:
    """uv asks the program ``keyring`` for the user of the URL."""
    index = with_username(users_shelf.server.simple, USER.username)
    services = (users_shelf.server.simple, users_shelf.server.netloc)
    variables = keyring.variables(*services, username=USER.username, password=USER.password)
    path = f"{keyring.programs}:/usr/bin:/bin"
    flags = ("--keyring-provider", "subprocess", "--default-index", index)
    assert uv_install(uv, tmp_path, *flags, PATH=path, **variables) == "2.0"


@pytest.mark.parametrize("kind", ["user", "token"])
def test_uv_auth_login(uv: Tool, users_shelf: Shelf, tmp_path: Path, kind: str) -> None:
    """Credentials that ``uv auth login`` has stored are found by all commands, until they are removed."""
    server = users_shelf.server
    login = (
        ["--username", USER.username, "--password", USER.password] if kind == "user" else ["--token", server.reader]
    )
    stored = uv.run("uv", "auth", "login", server.simple, *login)
    assert stored.succeeded, stored.report
    assert uv_install(uv, tmp_path, "--default-index", server.simple) == "2.0"
    removed = uv.run("uv", "auth", "logout", server.simple, *(login[:2] if kind == "user" else []))
    assert removed.succeeded, removed.report
    assert "401 Unauthorized" in uv_install(uv, tmp_path, "--no-cache", "--default-index", server.simple)


def test_uv_publish_with_a_user(tool: MakeTool, users_server: Server, tmp_path: Path) -> None:
    """``UV_PUBLISH_USERNAME`` and ``UV_PUBLISH_PASSWORD``."""
    author = Publisher.starting(tool(newest("uv")), tmp_path / "project", "uv-user")
    variables = {"UV_PUBLISH_USERNAME": USER.username, "UV_PUBLISH_PASSWORD": USER.password}
    to = users_server.upload()
    published = author.tool.run("uv", "publish", "--publish-url", to.url, cwd=author.project.folder, **variables)
    assert published.succeeded, published.report
    assert listed_digests(users_server, "uv-user") == author.project.digests


def twine_upload(author: Publisher, *flags: str, **variables: str) -> Finished:
    """Upload without a question."""
    words = ["upload", "--non-interactive", "--disable-progress-bar", *flags]
    return author.tool.run("twine", *words, *author.project.files, cwd=author.project.folder, **variables)


@EVERY_TWINE
def test_twine_with_variables(client: Client, tool: MakeTool, users_server: Server, tmp_path: Path) -> None:
    """``TWINE_USERNAME`` and ``TWINE_PASSWORD``."""
    author = Publisher.starting(tool(client), tmp_path / "project", f"variables-{client}".replace(".", "-"))
    variables = {"TWINE_USERNAME": USER.username, "TWINE_PASSWORD": USER.password}
    published = twine_upload(author, "--repository-url", users_server.upload().url, **variables)
    assert published.succeeded, published.report
    assert listed_digests(users_server, author.project.name) == author.project.digests


@EVERY_TWINE
def test_twine_with_pypirc(client: Client, tool: MakeTool, users_server: Server, tmp_path: Path) -> None:
    """A section of ``.pypirc``, where a per cent sign stands for itself."""
    author = Publisher.starting(tool(client), tmp_path / "project", f"pypirc-{client}".replace(".", "-"))
    lines = ["[distutils]", "index-servers = here", "[here]", f"repository = {users_server.upload().url}"]
    lines += [f"username = {USER.username}", f"password = {USER.password}", ""]
    (author.tool.sandbox.home / ".pypirc").write_text("\n".join(lines), encoding="utf-8")
    published = twine_upload(author, "--repository", "here")
    assert published.succeeded, published.report
    assert listed_digests(users_server, author.project.name) == author.project.digests


@EVERY_TWINE
def test_twine_with_a_keyring(
    client: Client, tool: MakeTool, users_server: Server, keyring: Keyring, tmp_path: Path
) -> None:
    """twine asks the keyring by the address of the upload."""
    author = Publisher.starting(tool(client), tmp_path / "project", f"keyring-{client}".replace(".", "-"))
    url = users_server.upload().url
    variables = keyring.variables(url, username=USER.username, password=USER.password)
    published = twine_upload(author, "--repository-url", url, "--username", USER.username, **variables)
    assert published.succeeded, published.report
    assert listed_digests(users_server, author.project.name) == author.project.digests


@pytest.fixture
def strict_server(tmp_path: Path) -> Iterator[Server]:
    """A private server on which one sign-in from an address may fail, and another one after six seconds."""
    folder = tmp_path / "strict"
    folder.mkdir()
    (folder / "pypiserve.toml").write_text("failed_sign_ins_per_address = 1\nfailed_sign_ins_seconds = 6\n")
    with running_server(folder, "--private") as running:
        yield running


def test_pip_waits_when_it_is_held_up(pip: Tool, uv: Tool, strict_server: Server, tmp_path: Path) -> None:
    """Somebody else at the address has failed: pip hears 429, waits as long as it is told, and is let in."""
    (tmp_path / "shelf").mkdir()
    shelf = stock(strict_server, uv.environment, tmp_path / "shelf")
    pip_install(pip, shelf.server.simple_as("__token__", "no-such-token"))
    with pytest.raises(HTTPError, match=r"401|429"):
        urlopen(Request(shelf.server.simple, headers={"Authorization": "Bearer another-one"}), timeout=10)
    installed = pip_install(pip, shelf.server.simple_as("__token__", shelf.server.reader))
    assert installed.succeeded, installed.report
    assert " 429 " in strict_server.log
