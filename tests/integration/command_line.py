"""The command ``pypiserve`` as people type it: run to its end, and what it says when it refuses."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pypiserve.cli.main import main

__all__ = ["PYPISERVE", "Finished", "call", "environment_with", "is_refusal", "run"]

_SECONDS = 60
PYPISERVE = (sys.executable, "-m", "pypiserve")

Finished = subprocess.CompletedProcess[str]


def environment_with(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that finds the plugins of the tests, and no settings but these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYPISERVE_")}
    return {**inherited, "PYTHONPATH": str(Path(__file__).parent), "PYTHONUNBUFFERED": "1", **more}


def run(*arguments: str, folder: Path) -> Finished:
    """Run a command to its end, in a folder."""
    return subprocess.run(
        [*PYPISERVE, *arguments],
        cwd=folder,
        env=environment_with({}),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def call(*arguments: str, folder: Path, answer: str = "") -> Finished:
    """
    Run a command like ``run``, but in this process, which takes a hundredth of the time; not for ``serve``.

    Args:
        arguments: Its words.
        folder: Where.
        answer: What it reads from standard input.
    """
    written = io.BytesIO(), io.BytesIO()
    output, errors = (io.TextIOWrapper(stream, "utf-8", write_through=True) for stream in written)
    # In a thread of its own: some commands run an event loop, and the tests have theirs in this one.
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        _typed(answer),
        ThreadPoolExecutor(1) as thread,
    ):
        code = thread.submit(_exit_code, arguments).result()
    return Finished(arguments, code, *(stream.getvalue().decode() for stream in written))


@contextlib.contextmanager
def _typed(answer: str) -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.StringIO(answer)
    try:
        yield
    finally:
        sys.stdin = before


def _exit_code(arguments: Sequence[str]) -> int:
    try:
        main.main(args=list(arguments), prog_name="pypiserve")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    raise AssertionError("click ends every command with SystemExit")


def is_refusal(finished: Finished, *words: str) -> bool:
    """Tell whether a command ended with code 2 and one line that has these words."""
    line = finished.stderr.rstrip("\n")
    fits = finished.returncode == 2 and finished.stdout == "" and line.startswith("Error: ") and "\n" not in line
    return fits and all(word in line for word in words)
