"""Installed clients: one virtual environment for each version, made once and kept between runs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uv

from clients.sandbox import Finished, Sandbox
from clients.versions import Client

__all__ = ["Tool", "Toolbox", "imported_version", "locked", "make_environment"]


@dataclass(frozen=True)
class Tool:
    """
    An installed client and the sandbox that it runs in.

    Attributes:
        client: Which one.
        environment: Its virtual environment. Shared by all tests: nothing is installed into it.
        sandbox: Where its processes live.
    """

    client: Client
    environment: Path
    sandbox: Sandbox

    def run(self, program: str, *arguments: str | Path, cwd: Path | None = None, **variables: str) -> Finished:
        """Run a program of the client's environment."""
        programs = self.environment / "bin"
        return self.sandbox.run(programs / program, *arguments, cwd=cwd, path=programs, **variables)

    def version_of(self, module: str) -> str:
        """Import a module that was installed beside the client, and return its version."""
        return imported_version(self.sandbox, self.environment / "bin" / "python", module)

    def disposable(self, folder: Path) -> Tool:
        """Copy the client into a new environment that the test may install into."""
        shutil.copytree(self.environment, folder, symlinks=True)
        return Tool(self.client, folder, self.sandbox)


@dataclass(frozen=True)
class Toolbox:
    """
    The clients' environments in one folder, safe to use from several processes at once.

    Attributes:
        folder: Kept between runs; may be deleted at any time when no tests run.
    """

    folder: Path

    def environment(self, client: Client) -> Path:
        """Return the virtual environment that has a client, making it the first time."""
        key = hashlib.sha256(repr((client.requirements, sys.base_prefix)).encode()).hexdigest()[:8]
        environment = self.folder / f"{client}-{sysconfig.get_python_version()}-{key}"
        complete = environment / "complete"
        with locked(environment):
            if not complete.exists():
                make_environment(environment)
                _uv("pip", "install", "--quiet", "--python", str(environment), *client.requirements)
                complete.touch()
        return environment


def imported_version(sandbox: Sandbox, python: Path, module: str) -> str:
    """Import a module with an interpreter and return its version."""
    imported = sandbox.run(python, "-c", f"import {module}; print({module}.__version__)")
    assert imported.succeeded, imported.report
    return imported.output.strip()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that belongs to a path; other processes wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_environment(folder: Path) -> Path:
    """Make an empty virtual environment of the running Python and return its interpreter."""
    _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
    return folder / "bin" / "python"


def _uv(*arguments: str) -> None:
    """Run the uv that came with the tests, with the machine's own registry settings."""
    variables = os.environ | {"UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run([uv.find_uv_bin(), *arguments], env=variables, check=True, timeout=300)
