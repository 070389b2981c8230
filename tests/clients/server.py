"""A pypiserve of its own process, started as a user starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from pypiserve.compose import OfflineCatalog
from pypiserve.core.identity import Role
from pypiserve.settings import read_settings
from pypiserve.testing.secret_search import SecretSearch

__all__ = ["Address", "Server", "running_server"]

_PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Address:
    """Where to publish, and as whom."""

    url: str
    password: str = field(repr=False)
    username: str = "__token__"


@dataclass(frozen=True)
class Server:
    """
    A running server.

    Attributes:
        netloc: Host and port.
        token: A token that may publish to ``main``.
        reader: A token that may only read.
        greeting: What the server printed when it started, the administrator's token in it.
        data: The data folder.
        secrets: What neither log nor data may hold; note here what else is used.
    """

    netloc: str
    token: str = field(repr=False)
    reader: str = field(repr=False)
    greeting: str = field(repr=False)
    data: Path
    secrets: SecretSearch = field(default_factory=SecretSearch)

    @property
    def base(self) -> str:
        """The address of the index, which is also that of uploads."""
        return f"http://{self.netloc}/api/packages/main/pypi"

    @property
    def simple(self) -> str:
        """The simple API of the index."""
        return f"{self.base}/simple/"

    @property
    def simple_with_token(self) -> str:
        """The simple API with credentials in the URL."""
        return self.simple_as("__token__", self.token)

    def simple_as(self, username: str, password: str) -> str:
        """Return the simple API with these credentials in the URL."""
        return self.simple.replace("//", f"//{quote(username, safe='')}:{quote(password, safe='')}@", 1)

    @property
    def log(self) -> str:
        """What the server has logged up to now; each request is a line."""
        return (self.data.parent / "log").read_text(encoding="utf-8")

    def upload(self, path: str = "/api/packages/main/pypi", *, password: str | None = None) -> Address:
        """Return an address to publish to, with the publisher's token unless another one is given."""
        return Address(f"http://{self.netloc}{path}", self.token if password is None else password)

    def operate(self, *words: str) -> None:
        """Run a command of operators on the data folder, while the server runs."""
        command = [sys.executable, "-m", "pypiserve", *words, "--data", str(self.data)]
        subprocess.run(command, cwd=self.data.parent, env=_environment(), stdout=subprocess.DEVNULL, check=True)


@contextmanager
def running_server(folder: Path, *flags: str) -> Iterator[Server]:
    """
    Run a server with a new data folder, and check that it stops cleanly, has logged no failure and kept no secret.

    Args:
        folder: Empty; the server's working directory.
        flags: Further flags of ``pypiserve serve``.
    """
    netloc = f"127.0.0.1:{_free_port()}"
    data = folder / "data"
    log = folder / "log"
    command = [sys.executable, "-m", "pypiserve", "serve", "--listen", netloc, "--data", str(data), *flags]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=_environment(), stdout=output, stderr=output)
    try:
        _wait_until_healthy(netloc, process, log)
        greeting = log.read_text(encoding="utf-8")
        with OfflineCatalog(read_settings(file=None, environment={}, flags={"data": str(data)})) as catalog:
            tokens = _token(catalog, Role.PUBLISHER), _token(catalog, Role.READER)
        server = Server(netloc, *tokens, greeting, data)
        server.secrets.note(server.token, server.reader)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(_PATIENCE_SECONDS)
    said = log.read_text(encoding="utf-8")
    assert status == 0, said
    assert " ERROR " not in said, said
    assert "Traceback" not in said, said
    server.secrets.check("the log", said)
    server.secrets.check_folder(data)


def _environment() -> dict[str, str]:
    """Drop the settings of a server from the environment; the name of the tests' own cache is no setting."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYPISERVE_")}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _wait_until_healthy(netloc: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"http://{netloc}/-/health", timeout=5):
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))


def _token(catalog: OfflineCatalog, role: Role) -> str:
    """Make a token while the server runs, as the command of operators does."""
    return catalog.accounts.create_token(f"test-{role.value}", role, owner="main").secret
