"""The fake forges in a process of their own, and a hand on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ForgeHandle", "Forges", "running_forges"]

_END_SECONDS = 10


@dataclass(frozen=True)
class ForgeHandle:
    """
    One forge.

    Attributes:
        url: Its base URL.
        control: Where to change it.
    """

    url: str
    control: str

    def know(self, **state: object) -> None:
        """Replace parts of what the forge knows; see the modules of ``fake_forge``."""
        self._put("state", state)

    def fail(self, **fault: object) -> None:
        """Let something go wrong from now on; see ``fake_forge.serving``."""
        self._put("fault", fault)

    def recover(self) -> None:
        """Let all go well again."""
        self._put("fault", None)

    def asked(self) -> list[str]:
        """Return the requests since the last time, such as ``GET /api/v1/user``."""
        return [request["request"] for request in self._asked()]

    def secrets(self) -> set[str]:
        """Return the secrets that came with the requests since the last time."""
        return {request["secret"] for request in self._asked()} - {""}

    def _asked(self) -> list[dict[str, str]]:
        with urllib.request.urlopen(f"{self.control}/asked", timeout=10) as answer:
            asked: list[dict[str, str]] = json.load(answer)
        return asked

    def _put(self, what: str, value: Any) -> None:
        _put(f"{self.control}/{what}", value)


@dataclass(frozen=True)
class Forges:
    """One of each kind."""

    gitea: ForgeHandle
    forgejo: ForgeHandle
    gitlab: ForgeHandle
    github: ForgeHandle

    def begin(self, **states: object) -> None:
        """Give each forge what it knows, and let it forget faults and requests."""
        _put(f"{self.gitea.control.removesuffix('gitea')}all/begin", states)


def _put(url: str, value: Any) -> None:
    request = urllib.request.Request(url, json.dumps(value).encode(), method="PUT")
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


@contextmanager
def running_forges() -> Iterator[Forges]:
    """Run the process, and end it."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    process = subprocess.Popen(
        [sys.executable, "-m", "fake_forge"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ports = json.loads(process.stdout.readline())
        control = f"http://127.0.0.1:{ports.pop('control')}"
        yield Forges(
            **{name: ForgeHandle(f"http://127.0.0.1:{port}", f"{control}/{name}") for name, port in ports.items()}
        )
    finally:
        process.stdin.close()
        process.wait(_END_SECONDS)
        process.stdout.close()
