"""``pypiserve`` as a process of its own, as people run it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from raw_http import RawConnection, RawReply

from pypiserve.cli.main import main
from pypiserve.testing import BuiltFile
from pypiserve.testing.server import multipart_form

__all__ = ["Command", "Finished", "call", "run"]

_SECONDS = 60
_SERVES = re.compile(r"pypiserve serves http://(?P<host>\[[^]]*\]|[^:/]+):(?P<port>[0-9]+)/")
_TOKEN = re.compile(r"\bpypiserve_[0-9A-Za-z]{38}\b")

Finished = subprocess.CompletedProcess[str]


def run(*arguments: str, folder: Path, **environment: str) -> Finished:
    """Run a command to its end, in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "pypiserve", *arguments],
        cwd=folder,
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def call(*arguments: str, folder: Path) -> Finished:
    """Run a command like ``run``, but in this process, which takes a hundredth of the time; not for ``serve``."""
    written = io.BytesIO(), io.BytesIO()
    output, errors = (io.TextIOWrapper(stream, "utf-8", write_through=True) for stream in written)
    with contextlib.chdir(folder), contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            main.main(args=list(arguments), prog_name="pypiserve")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    return Finished(arguments, code, *(stream.getvalue().decode() for stream in written))


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYPISERVE_")}
    return {**inherited, "PYTHONPATH": str(Path(__file__).parent), "PYTHONUNBUFFERED": "1", **more}


class Command:
    """
    ``pypiserve serve`` on a free port; a context manager that waits for its greeting and stops it at the end.

    Attributes:
        greeting: What it printed up to the last line before it serves.
        port: Where it listens.
    """

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._log = folder / f"log-{secrets.token_hex(4)}"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pypiserve", "serve", "--listen", "127.0.0.1:0", *arguments],
                cwd=folder,
                env=_environment(environment),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.greeting = ""
        self.port = 0

    @property
    def log(self) -> str:
        """What it wrote to standard error so far."""
        return self._log.read_text()

    @property
    def token(self) -> str:
        """The token that the greeting shows; empty when it shows none."""
        found = _TOKEN.search(self.greeting)
        return found[0] if found else ""

    def wait_until_serving(self) -> Self:
        """Read the greeting."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.greeting += line
            if line.startswith("Stop with"):
                break
        found = _SERVES.search(self.greeting)
        assert found is not None, self.greeting + self.log
        self.port = int(found["port"])
        return self

    def request(self, method: str, path: str, *, body: bytes = b"", **headers: str) -> RawReply:
        """Send one request on a connection of its own; ``if_none_match="…"`` becomes ``If-None-Match``."""
        with RawConnection("127.0.0.1", self.port) as connection:
            connection.ask(method, path, body=body, more={name.replace("_", "-"): headers[name] for name in headers})
            return connection.reply(to_head=method == "HEAD")

    def publish(self, built: BuiltFile, token: str = "") -> RawReply:
        """Publish a file into the root index."""
        form = {":action": "file_upload", "sha256_digest": built.sha256}
        content_type, body = multipart_form(form, built.filename, built.content)
        authorization = f"Bearer {token or self.token}"
        return self.request("POST", "/", body=body, content_type=content_type, authorization=authorization)

    def open_files(self) -> list[str]:
        """Return what its open descriptors point to."""
        targets = []
        for descriptor in Path(f"/proc/{self._process.pid}/fd").iterdir():
            try:
                targets.append(str(descriptor.readlink()))
            except FileNotFoundError:
                continue
        return sorted(targets)

    def stop(self) -> int:
        """Stop it as an operator does and return its exit code."""
        self._process.terminate()
        return self._process.wait(_SECONDS)

    def __enter__(self) -> Self:
        try:
            return self.wait_until_serving()
        except BaseException:
            self._end()
            raise

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
