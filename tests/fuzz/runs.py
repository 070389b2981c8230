"""One process for each target: the fuzzer ends its own at the first finding."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TARGETS", "Run", "replay", "run"]

TARGETS = ("multipart", "wheels", "sdists", "metadata")
_ROOT = Path(__file__).parents[2]
_MAX_INPUT_BYTES = 16_384
_HANGS_AFTER_SECONDS = 60
_STARTS_WITHIN_SECONDS = 120


@dataclass(frozen=True)
class Run:
    """
    What came of one target.

    Attributes:
        target: Its name.
        inputs: How many were tried, seeds included.
        seconds: That it took, without the start.
        crashes: Inputs that broke a promise; they are in the folder of findings.
        exit_status: Of the process.
    """

    target: str
    inputs: int
    seconds: float
    crashes: int
    exit_status: int

    @property
    def has_failed(self) -> bool:
        """Whether it found something, or did not even run."""
        return self.exit_status != 0 or self.crashes > 0 or self.inputs == 0


def run(target: str, seconds: int, *, corpus: Path, findings: Path) -> Run:
    """Fuzz one target; what the fuzzer says is printed when it failed."""
    corpus.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    begun = time.monotonic()
    done = subprocess.run(
        _command(
            target,
            str(corpus),
            f"-max_total_time={seconds}",
            f"-max_len={_MAX_INPUT_BYTES}",
            f"-timeout={_HANGS_AFTER_SECONDS}",
            f"-artifact_prefix={findings}{os.sep}{target}-",
            "-print_final_stats=1",
        ),
        cwd=_ROOT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds + _STARTS_WITHIN_SECONDS + _HANGS_AFTER_SECONDS,
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    crashes = len(set(findings.iterdir()) - before)
    if done.returncode != 0 or crashes:
        print(said[-8000:], file=sys.stderr)
    spent = re.findall(r"Done \d+ runs in (\d+) second", said)
    taken = float(spent[-1]) if spent else time.monotonic() - begun
    return Run(target, _inputs(said), taken, crashes, done.returncode)


def replay(targets: Sequence[str], file: Path) -> int:
    """Try one input of one target again; 1 if it breaks a promise."""
    if len(targets) != 1:
        sys.exit("Name the one target that the input is for")
    done = subprocess.run(
        _command(targets[0], str(file.resolve())), cwd=_ROOT, env=_environment(), timeout=300, check=False
    )
    return int(done.returncode != 0)


def _command(target: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.fuzz.process", target, *arguments]


def _environment() -> dict[str, str]:
    # Where the corpus of hostile uploads is, whose modules pytest finds there as well.
    return os.environ | {"PYTHONPATH": str(_ROOT / "tests" / "hostile")}


def _inputs(said: str) -> int:
    """Read how many inputs were tried: from the last line of progress, when there are no closing figures."""
    final = re.findall(r"stat::number_of_executed_units: (\d+)", said)
    return int((final or re.findall(r"^#(\d+)\t", said, re.MULTILINE) or ["0"])[-1])
