"""``pypiserve serve`` in processes that start at once, being forks of one that has imported everything."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from command_line import Finished
from server_process import Process, ServerProcess

__all__ = ["ForkedServer", "failed_start"]

_SECONDS = 60.0
_FORKS = multiprocessing.get_context("forkserver")
# What a start imports, and what unpickling ``_serve`` does.
_FORKS.set_forkserver_preload(["pypiserve.cli.serve", "pypiserve.builtin", "pypiserve.testing.server"])


class ForkedServer(ServerProcess):
    """
    A server to be started hundreds of times: each start takes a tenth of what a new interpreter takes.

    A variable ``DYING_AT`` makes it mortal; see dying.py.
    """

    def _launch(self, arguments: Sequence[str], environment: Mapping[str, str], output: Path, log: Path) -> Process:
        return _Fork(self.folder, arguments, environment, (output, log))


def failed_start(*arguments: str, folder: Path) -> Finished:
    """Start a server that cannot serve, and return what it says of that."""
    server = ForkedServer(folder, *arguments)
    try:
        status = server.process.wait(_SECONDS)
    finally:
        server.kill()
    return Finished(("serve", *arguments), status, server.output, server.log)


class _Fork:
    """A fork, in the words of ``subprocess.Popen``."""

    def __init__(
        self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str], streams: tuple[Path, Path]
    ) -> None:
        work = (folder, list(arguments), dict(environment), streams)
        self._process = _FORKS.Process(target=_serve, args=work, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("pypiserve", timeout or 0)
        return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self._process.kill()


def _serve(folder: Path, arguments: list[str], environment: dict[str, str], streams: tuple[Path, Path]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), number)
    if "DYING_AT" in environment:
        import dying

        dying.count_steps(Path(environment["DYING_AT"]))
    from pypiserve.cli.main import main

    main(args=arguments, prog_name="pypiserve")
