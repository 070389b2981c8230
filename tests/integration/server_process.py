"""``pypiserve serve`` in a process of its own: to be asked, measured, starved, stopped and killed."""

from __future__ import annotations

import re
import secrets
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from command_line import PYPISERVE, environment_with
from raw_http import RawConnection

from pypiserve.testing import BuiltFile
from pypiserve.testing.secret_search import SecretSearch
from pypiserve.testing.server import Reply, multipart_form

__all__ = ["Process", "ServerProcess"]

_SECONDS = 60.0
_SERVES = re.compile(r"pypiserve serves http://127\.0\.0\.1:([0-9]+)/")
_TOKEN = re.compile(r"\bpypiserve_[0-9A-Za-z]{38}\b")


class Process(Protocol):
    """What is needed of ``subprocess.Popen``."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit status, if it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end."""

    def send_signal(self, sig: int) -> None:
        """Send a signal, if it still runs."""

    def kill(self) -> None:
        """Send SIGKILL."""


class ServerProcess:
    """
    A server that starts when it is made; a context manager that waits until it serves and kills it at the end.

    It is asked like ``ServerUnderTest``.

    Attributes:
        folder: Where it was started; its data is there unless an argument says otherwise.
        process: To be given limits, and to be waited for.
        host: ``127.0.0.1``.
        port: A free one; 0 before it serves.
        token: The administrator's API token; only the first start in a folder shows one.
        secrets: What requests carried; neither log nor data may have it.
    """

    def __init__(self, folder: Path, *arguments: str, token: str = "", **environment: str) -> None:
        """
        Start the process.

        Args:
            folder: Where.
            arguments: More of them than ``serve --listen``.
            token: An API token, when the folder is that of an earlier server.
            environment: Variables, such as ``PYPISERVE_SHUTDOWN_SECONDS``. Empty ones are
                not set; there is one worker unless they say more.
        """
        self.folder = folder
        self.host = "127.0.0.1"
        self.port = 0
        self.token = token
        self.secrets = SecretSearch()
        start = secrets.token_hex(4)
        self._output, self._log = folder / f"output-{start}", folder / f"log-{start}"
        self._output.touch()
        self._log.touch()
        command = ["serve", "--listen", f"{self.host}:0", *arguments]
        self._own_sockets = 0
        # Most tests look at one process; test_workers.py has several.
        variables = {name: text for name, text in {"PYPISERVE_WORKERS": "1", **environment}.items() if text}
        self.process = self._launch(command, environment_with(variables), self._output, self._log)

    def _launch(self, arguments: Sequence[str], environment: Mapping[str, str], output: Path, log: Path) -> Process:
        with output.open("wb") as standard, log.open("wb") as errors:
            return subprocess.Popen(
                [*PYPISERVE, *arguments], cwd=self.folder, env=environment, stdout=standard, stderr=errors
            )

    @property
    def output(self) -> str:
        """What it wrote to standard output so far, the greeting first."""
        return self._output.read_text(encoding="utf-8")

    @property
    def log(self) -> str:
        """What it wrote to standard error so far."""
        return self._log.read_text(encoding="utf-8")

    def wait_until_serving(self) -> Self:
        """Wait for the last line of the greeting, and take port and token from it."""
        deadline = time.monotonic() + _SECONDS
        while "\nStop with" not in self.output:
            assert self.process.poll() is None, self.output + self.log
            assert time.monotonic() < deadline, self.output + self.log
            time.sleep(0.02)
        greeting = self.output
        serves = _SERVES.search(greeting)
        assert serves is not None, greeting
        self.port = int(serves[1])
        if shown := _TOKEN.search(greeting):
            self.token = shown[0]
        self.secrets.note(self.token)
        self._own_sockets = _sockets_among(self.open_files())
        return self

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Send one request on a connection of its own."""
        self.secrets.note_header((headers or {}).get("Authorization"))
        with RawConnection(self) as connection:
            connection.ask(method, path, body=body or b"", more=headers)
            return connection.reply(to_head=method == "HEAD")

    def get(self, path: str, *, token: str = "") -> Reply:
        """GET."""
        return self.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})

    def publish(self, built: BuiltFile, *, token: str = "") -> Reply:
        """Publish a file as a client does, with the administrator's token unless another is given."""
        form = {":action": "file_upload", "protocol_version": "1", "sha256_digest": built.sha256}
        content_type, body = multipart_form(form, built.filename, built.content)
        headers = {"Content-Type": content_type, "Authorization": f"Bearer {token or self.token}"}
        return self.request("POST", "/api/packages/main/pypi/", headers=headers, body=body)

    def resident_bytes(self) -> int:
        """Return the resident memory of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) << 10

    def open_files(self) -> list[str]:
        """Return what its open descriptors point to."""
        targets = []
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                targets.append(str(descriptor.readlink()))
            except FileNotFoundError:
                continue
        return sorted(targets)

    @property
    def activity(self) -> tuple[int, int]:
        """What it has under way, as the system sees it: connections, and files that are being received."""
        targets = self.open_files()
        connections = _sockets_among(targets) - self._own_sockets
        return connections, sum("/staging/upload-" in target for target in targets)

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end, and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(_SECONDS)

    def kill(self) -> None:
        """End the process, if it still runs, without asking it."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        try:
            return self.wait_until_serving()
        except BaseException:
            self.kill()
            raise

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.kill()
        # Not its output: the greeting is there to show the first token once.
        self.secrets.check("the log", self.log, *(core.read_bytes() for core in self.folder.glob("core*")))
        self.secrets.check_folder(self.folder / "pypiserve-data")


def _sockets_among(targets: Sequence[str]) -> int:
    return sum(target.startswith("socket:") for target in targets)
