"""Servers in processes of their own: to be stopped, killed, measured and starved."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uploading import content_part, post, usual_parts

from pypiserve.testing import BuiltFile
from pypiserve.testing.server import Reply

__all__ = ["ServerProcess", "publish", "server_process"]

_SECONDS = 30.0
_SERVES = re.compile(r"pypiserve serves http://127\.0\.0\.1:(\d+)/")
_TOKEN = re.compile(r"Administrator's token, shown this once:\s+(\S+)")


@dataclass
class ServerProcess:
    """
    A ``pypiserve serve`` in a folder.

    Attributes:
        token: The administrator's; empty when it was made by an earlier start in the folder.
        log: What it writes.
    """

    folder: Path
    process: subprocess.Popen[bytes]
    log: Path
    port: int
    token: str
    host: str = "127.0.0.1"

    def resident_bytes(self) -> int:
        """Return the resident memory of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) << 10

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end, and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(_SECONDS)


@contextlib.contextmanager
def server_process(folder: Path, settings: str = "", *, token: str = "") -> Iterator[ServerProcess]:
    """
    Start a server as an operator does; kill it at the end, if it still runs.

    Args:
        folder: Where its settings file is, and its data.
        token: An API token, when the folder is that of an earlier server.
    """
    (folder / "pypiserve.toml").write_text(f'listen = "127.0.0.1:0"\n{settings}')
    log = folder / f"log-{time.monotonic_ns()}"
    command = [sys.executable, "-m", "pypiserve", "serve"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYPISERVE_")}
    environment |= {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(folder)}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        port, first_token = _wait_until_it_serves(process, log)
        yield ServerProcess(folder, process, log, port, token or first_token)
    finally:
        process.kill()
        process.wait()


def publish(server: ServerProcess, built: BuiltFile) -> Reply:
    """Publish a file as clients do."""
    return post(server, [*usual_parts(built), content_part(built)])


def _wait_until_it_serves(process: subprocess.Popen[bytes], log: Path) -> tuple[int, str]:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        said = log.read_text(encoding="utf-8")
        if (serves := _SERVES.search(said)) and "Stop with Ctrl+C" in said:
            token = _TOKEN.search(said)
            return int(serves[1]), token[1] if token else ""
        assert process.poll() is None, said
        time.sleep(0.02)
    raise AssertionError(log.read_text(encoding="utf-8"))
