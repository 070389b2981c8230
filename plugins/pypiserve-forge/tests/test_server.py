"""A whole server beside a forge: real HTTP on both sides, and the real clients."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import uv

from forge_process import ForgeHandle, Forges
from people import gitea_token, github_token, gitlab_token
from pypiserve.core.errors import InvalidSetting
from pypiserve.testing import BuiltFile, a_wheel
from pypiserve.testing.server import Reply, ServerUnderTest

SETTINGS = """
root_index = "acme/pypi"
private = true
plugins = ["pypiserve_forge"]

[[authenticators]]
kind = "token"

[[authenticators]]
kind = "gitea"
url = "{gitea}"
organisations = ["acme"]
username_suffix = "@gitea"

[[authenticators]]
kind = "forgejo"
url = "{forgejo}"
organisations = ["acme"]
username_suffix = "@forgejo"

[[authenticators]]
kind = "gitlab"
url = "{gitlab}"
organisations = ["acme"]

[[authenticators]]
kind = "github"
url = "{github}"
organisations = ["acme"]
teams = {{ "acme/release" = "publisher" }}
"""

PUBLISHERS = {
    "gitea": ("wim@gitea", gitea_token("wim")),
    "forgejo": ("wim@forgejo", gitea_token("wim packages")),
    "gitlab": ("dee", gitlab_token("dee")),
    "github": ("__token__", github_token("mel")),
}

READERS = {
    "gitea": ("rita@gitea", gitea_token("rita")),
    "gitea, by scope": ("wim@gitea", gitea_token("wim reads")),
    "forgejo": ("rita@forgejo", gitea_token("rita packages")),
    "gitlab": ("rob", gitlab_token("rob")),
    "gitlab, by scope": ("dee", gitlab_token("dee reads")),
    "github, by scope": ("mel", github_token("mel reads")),
}


@pytest.fixture
def server(make_server: Callable[[str], ServerUnderTest], forges: Forges) -> ServerUnderTest:
    """A private index beside all four forges."""
    urls = {name: getattr(forges, name).url for name in ("gitea", "forgejo", "gitlab", "github")}
    return make_server(SETTINGS.format(**urls))


def _run(folder: Path, *command: str | Path, **variables: str) -> str:
    """Run a client in an empty home and return what it said; its exit status is 0 or the test fails."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INPUT": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_CACHE_DIR": str(folder / "cache"),
        "NO_PROXY": "127.0.0.1",
    }
    process = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=environment | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    said = process.stdout.decode(errors="replace")
    assert process.returncode == 0, said
    return said


def _write(folder: Path, built: BuiltFile) -> Path:
    path = folder / built.filename
    path.write_bytes(built.content)
    return path


@pytest.mark.parametrize("who", PUBLISHERS)
def test_twine_publishes_and_pip_installs(server: ServerUnderTest, tmp_path: Path, who: str) -> None:
    """With a token of each forge, into the owner that is called like the organisation there."""
    username, password = PUBLISHERS[who]
    wheel = _write(tmp_path, a_wheel(f"demo-{who}", "1.0"))
    twine = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
    upload = f"{server.url}/api/packages/acme/pypi/"
    _run(tmp_path, *twine, "--repository-url", upload, "-u", username, "-p", password, wheel)
    index = f"http://{username.replace('@', '%40')}:{password}@127.0.0.1:{server.port}/api/packages/acme/pypi/simple/"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", tmp_path / "site"]
    _run(tmp_path, *pip, "--index-url", index, f"demo-{who}")
    assert (tmp_path / "site" / f"demo_{who}").is_dir()


def test_uv_publishes_and_installs(server: ServerUnderTest, tmp_path: Path) -> None:
    """uv does the same with a token and with the variables of a named index."""
    username, password = PUBLISHERS["gitlab"]
    wheel = _write(tmp_path, a_wheel("demo", "1.0"))
    program = uv.find_uv_bin()
    _run(
        tmp_path,
        program,
        "publish",
        "--publish-url",
        f"{server.url}/api/packages/acme/pypi/",
        wheel,
        UV_PUBLISH_TOKEN=password,
    )
    _run(
        tmp_path,
        *(program, "pip", "install", "--no-deps", "--python", sys.executable, "--target", tmp_path / "site"),
        *("--index", f"acme={server.url}/api/packages/acme/pypi/simple/", "demo"),
        UV_INDEX_ACME_USERNAME=username,
        UV_INDEX_ACME_PASSWORD=password,
    )
    assert (tmp_path / "site" / "demo").is_dir()


def _basic(server: ServerUnderTest, who: tuple[str, str], path: str = "/simple/") -> Reply:
    return server.request("GET", path, headers={"Authorization": _header(who)})


def _header(who: tuple[str, str]) -> str:
    return f"Basic {base64.b64encode(':'.join(who).encode()).decode()}"


@pytest.mark.parametrize("who", READERS)
def test_readers_read(server: ServerUnderTest, who: str) -> None:
    """And publish nothing, whether it is they or their token that may not."""
    assert _basic(server, READERS[who]).status == 200
    _, token = READERS[who]
    if "@" not in READERS[who][0]:
        assert server.publish(a_wheel("demo"), token=token, path="/api/packages/acme/pypi/").status == 403


def test_who_is_nobody_there(server: ServerUnderTest) -> None:
    """In no organisation that counts, or unknown: told so, since on a public forge that is anybody."""
    stranger = _basic(server, ("sam@gitea", gitea_token("sam")))
    assert (stranger.status, "has no role in an organisation" in stranger.text) == (401, True)
    refused = _basic(server, ("sam@gitea", gitea_token("nobody")))
    assert (refused.status, "gitea does not know this token" in refused.text) == (401, True)
    assert refused.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("fault", [{"hang_up": True}, {"answer": [500, "", {}]}, {"answer": [200, "<html>", {}]}])
def test_a_forge_that_is_down(server: ServerUnderTest, forges: Forges, fault: dict[str, object]) -> None:
    """Its people are asked to come again; tokens of this server, and of other forges, work on."""
    forges.gitea.fail(**fault)
    down = _basic(server, PUBLISHERS["gitea"])
    assert (down.status, int(down.headers["retry-after"]) >= 1) == (503, True)
    assert "www-authenticate" not in down.headers
    assert server.get("/simple/", token=server.token).status == 200
    assert _basic(server, PUBLISHERS["gitlab"]).status == 200


def test_revoked_between_reading_and_publishing(
    server: ServerUnderTest, forges: Forges, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers are still believed; before a change the forge is asked, when its answer is too old for that."""
    token = gitlab_token("dee")
    assert server.get("/simple/", token=token).status == 200
    forges.gitlab.know(tokens={})
    monkeypatch.setattr("pypiserve.web.base._MAX_AGE_SECONDS", 0.0)
    assert server.get("/simple/", token=token).status == 200
    assert server.publish(a_wheel("demo"), token=token, path="/api/packages/acme/pypi/").status == 401
    assert server.get("/simple/", token=token).status == 401


def test_an_account_that_is_closed_here(server: ServerUnderTest) -> None:
    """Somebody can be shut out at once, whatever the forge says and however lately it said so."""
    assert _basic(server, PUBLISHERS["gitlab"]).status == 200
    with server.catalog() as catalog:
        assert catalog.users.disable("gitlab:33")
    assert _basic(server, PUBLISHERS["gitlab"]).status == 401
    assert _basic(server, READERS["gitlab"]).status == 200


def test_each_token_went_to_its_own_forge(server: ServerUnderTest, forges: Forges) -> None:
    """Whoever signs in, the others hear nothing of it, and no forge hears of passwords and tokens of this server."""
    for who in (*PUBLISHERS.values(), ("alice", "correct horse battery"), ("__token__", server.token)):
        _basic(server, who)
    for name, (_, token) in PUBLISHERS.items():
        forge: ForgeHandle = getattr(forges, name)
        assert forge.secrets() == {token}


def test_a_password_that_looks_like_a_token(
    make_server: Callable[[str], ServerUnderTest], forges: Forges, tmp_path: Path
) -> None:
    """A user of a file may have one: the forge does not know it, and the next authenticator is asked."""
    password = gitea_token("a password")
    users = tmp_path / "users"
    users.write_text(f"alice:{{SHA}}{base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()}\n")
    settings = SETTINGS.format(gitea=forges.gitea.url, forgejo=forges.forgejo.url, gitlab="", github="")
    settings = settings.partition('\n[[authenticators]]\nkind = "forgejo"')[0].replace('"@gitea"', '""')
    server = make_server(f'{settings}\n[[authenticators]]\nkind = "htpasswd"\nfile = "{users}"\n')
    assert _basic(server, ("alice", password)).status == 404
    assert _basic(server, ("alice", gitea_token("another"))).status == 401
    assert _basic(server, ("alice", gitea_token("wim"))).status == 200


def test_a_second_forge_of_the_same_kind_is_refused(
    make_server: Callable[[str], ServerUnderTest], forges: Forges
) -> None:
    """Without suffixes the start fails, with a sentence that says what to do."""
    settings = SETTINGS.format(gitea=forges.gitea.url, forgejo=forges.forgejo.url, gitlab="", github="")
    with pytest.raises(InvalidSetting, match="give each of the two a username_suffix of its own"):
        make_server(settings.replace('"@gitea"', '""'))
