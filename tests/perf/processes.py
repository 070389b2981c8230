"""Processes of servers: started, measured from /proc, ended by their own ids."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MEGABYTE", "ServerProcess", "Usage", "resident_bytes"]

MEGABYTE = 1_000_000
_STOP_SECONDS = 10
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What a server's processes have used together: CPU since their start, memory now and at its highest."""

    cpu_seconds: float
    resident_bytes: int
    peak_bytes: int


class ServerProcess:
    """A server's process and all processes that it started."""

    def __init__(self, command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def ended(self) -> str | None:
        """Tell how the process ended, with the end of its log; None while it runs."""
        if self._process.poll() is None:
            return None
        tail = self._log.read_text("utf-8", "replace").splitlines()[-15:]
        return "\n".join([f"ended with status {self._process.returncode}", *tail])

    def family(self) -> list[int]:
        """List the ids of the process and of all its descendants."""
        parents = {int(entry.name): _parent(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
        found = [self._process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def usage(self) -> Usage:
        """Add up CPU and memory over the family; pages shared between its processes count in each."""
        family = self.family()
        memory = [_memory(pid) for pid in family]
        return Usage(
            cpu_seconds=sum(_cpu_seconds(pid) for pid in family),
            resident_bytes=sum(resident for resident, _ in memory),
            peak_bytes=sum(peak for _, peak in memory),
        )

    def stop(self) -> None:
        """End the process with SIGTERM, and what is left of its family after a while with SIGKILL."""
        births = {pid: _born(pid) for pid in self.family()[1:]}
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline and any(born and _born(pid) == born for pid, born in births.items()):
            time.sleep(0.02)
        for pid, born in births.items():
            # The moment of birth makes sure that the id still belongs to the process that we started.
            if born and _born(pid) == born:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def resident_bytes(pids: Sequence[int]) -> int:
    """Resident memory of the given processes; cheap enough to be asked every few milliseconds."""
    return sum(_memory(pid)[0] for pid in pids)


def _born(pid: int) -> int:
    """When a process started, in ticks since the machine did; 0 when it is gone or only waited for."""
    fields = _stat(Path(f"/proc/{pid}"))
    return 0 if fields[0] == "Z" else int(fields[19])


def _stat(folder: Path) -> list[str]:
    """Fields of the stat file from the third on; the second, the name, may contain anything."""
    try:
        return (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["Z", *["0"] * 50]


def _parent(folder: Path) -> int:
    return int(_stat(folder)[1])


def _cpu_seconds(pid: int) -> float:
    """User and system time, with that of children that ended and were waited for."""
    return sum(map(int, _stat(Path(f"/proc/{pid}"))[11:15])) / _TICKS_PER_SECOND


def _memory(pid: int) -> tuple[int, int]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    values = dict(line.split(":", 1) for line in lines if line.startswith(("VmRSS:", "VmHWM:")))
    return _kilobytes(values.get("VmRSS", "0")), _kilobytes(values.get("VmHWM", "0"))


def _kilobytes(value: str) -> int:
    return int(value.split(maxsplit=1)[0]) * 1024
