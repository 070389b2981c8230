"""A server in a process of its own, started by any command line, and ended as Ctrl+C in a terminal ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Served", "serving", "status_of", "without_settings"]

_ADDRESS = re.compile(r"^pypiserve serves http://(\S+)/ from", re.MULTILINE)
_TOKEN = re.compile(r"^Administrator's token, shown this once:\n +(\S+)$", re.MULTILINE)
_STOP_SECONDS = 30


@dataclass(frozen=True)
class Served:
    """
    A running server.

    Attributes:
        netloc: Host and port.
        token: The administrator's, as printed.
    """

    netloc: str
    token: str = field(repr=False)


@contextmanager
def serving(command: Sequence[str], *, folder: Path, patience_seconds: int) -> Iterator[Served]:
    """
    Run a command until its server is healthy, hand the server over, and check that Ctrl+C ends it with status 0.

    Args:
        command: Program and arguments; it gets a free port through the environment.
        folder: Working directory.
        patience_seconds: How long it may take until the server answers.
    """
    log = folder / "serve.log"
    environment = without_settings() | {"PYPISERVE_LISTEN": "127.0.0.1:0", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _wait(process, log, time.monotonic() + patience_seconds)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        status = process.wait(_STOP_SECONDS)
    said = log.read_text(encoding="utf-8")
    assert status == 0, said
    assert "Traceback" not in said, said


def without_settings() -> dict[str, str]:
    """Return the environment without settings of a server and without traces of the running virtual environment."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYPISERVE_", "PYTEST_", "TOX_")) and name not in {"VIRTUAL_ENV", "PYTHONPATH"}
    }


def status_of(url: str) -> int:
    """Return the status that a GET is answered with."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            status: int = answer.status
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code
    return status


def _wait(process: subprocess.Popen[bytes], log: Path, deadline: float) -> Served:
    while time.monotonic() < deadline and process.poll() is None:
        said = log.read_text(encoding="utf-8")
        address, token = _ADDRESS.search(said), _TOKEN.search(said)
        if address and token and status_of(f"http://{address[1]}/-/health") == 200:
            return Served(address[1], token[1])
        time.sleep(0.1)
    raise AssertionError(f"No server came up:\n{log.read_text(encoding='utf-8')}")
