"""Where a client runs: a home of its own, no configuration but the command line's, and no way to any registry."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Finished", "Sandbox"]

_PATIENCE_SECONDS = 120
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Finished:
    """
    A process that came to its end.

    Attributes:
        command: What was run.
        status: Exit status.
        output: Both streams as one text, without colours.
    """

    command: tuple[str, ...]
    status: int
    output: str

    @property
    def succeeded(self) -> bool:
        """Whether the exit status says success."""
        return self.status == 0

    def shows(self, status: int) -> bool:
        """Tell whether the output names an HTTP status; a port that has the same digits inside is none."""
        return re.search(rf"\b{status}\b", self.output) is not None

    @property
    def report(self) -> str:
        """The command and all that it said, for the message of a failing test."""
        return f"{' '.join(self.command)}\nended with {self.status} and said:\n{self.output}"


@dataclass(frozen=True)
class Sandbox:
    """
    A place for processes of one test.

    Attributes:
        home: An empty folder, which becomes the home of the processes.
    """

    home: Path

    def run(
        self, *command: str | Path, cwd: Path | None = None, path: Path | None = None, **variables: str
    ) -> Finished:
        """
        Run a command to its end.

        Args:
            command: Program and arguments.
            cwd: Where; the home by default.
            path: A folder of programs that comes first.
            variables: Further environment variables.
        """
        words = tuple(map(str, command))
        process = subprocess.run(
            words,
            cwd=cwd or self.home,
            env=self._environment(path) | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        return Finished(words, process.returncode, _ANSI.sub("", process.stdout.decode(errors="replace")))

    def _environment(self, path: Path | None) -> dict[str, str]:
        """Build the environment from nothing, so that no setting of the machine (PIP_*, UV_*, ...) gets in."""
        programs = [str(path)] if path else []
        return {
            "HOME": str(self.home),
            **{f"XDG_{kind}_HOME": f"{self.home}/{kind.lower()}" for kind in ("CONFIG", "CACHE", "DATA", "STATE")},
            "XDG_CONFIG_DIRS": f"{self.home}/no-such-folder",
            "PATH": os.pathsep.join([*programs, "/usr/bin", "/bin"]),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "400",
            # No request leaves the machine: whatever is not the server under test meets a closed port.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "PDM_CHECK_UPDATE": "0",
            "FLIT_NO_NETWORK": "1",
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        }
