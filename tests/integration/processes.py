"""Servers in processes of their own: to be stopped, killed, measured and starved."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pypiserve.testing.server import Reply, ServerUnderTest

__all__ = ["ServerProcess", "running"]

_SECONDS = 30.0
_SERVES = re.compile(rb"pypiserve serves http://127\.0\.0\.1:(\d+)/")
_TOKEN = re.compile(rb"Administrator's token, shown this once:\s+(\S+)")


class _Client(ServerUnderTest):
    """The requests of a server under test, to a server that is somewhere else."""

    def __init__(self, folder: Path, port: int, token: str) -> None:
        super().__init__(folder)
        self._loop.close()
        self.port = port
        self.token = token


@dataclass
class ServerProcess:
    """
    A ``pypiserve serve`` in a folder.

    Attributes:
        client: Sends requests to it.
        token: The administrator's, also of later servers in the same folder.
    """

    folder: Path
    process: subprocess.Popen[bytes]
    port: int
    token: str = field(repr=False)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "pypiserve-data"
