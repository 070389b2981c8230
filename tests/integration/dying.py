"""
Kills the process that calls ``count_steps`` at the step of its next publishing that a file names.

Every thread is watched from its first call on; SIGUSR1 reads the number of the step from the file and begins to
count. A step is the moment before or after something that writes to a disk, to the catalog, to other processes or to
the client. The code of the server knows nothing of it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["count_steps"]

_BUILT_IN = frozenset(
    {
        "fsync",
        "link",
        "mkdir",
        "rename",
        "replace",
        "unlink",
        "FileIO.write",
        "Connection.execute",
        "Connection.executemany",
        "Connection.commit",
        "Cursor.execute",
        "Cursor.executemany",
    }
)
_ANSWERS = "socket.send"  # by the main thread: others wake its event loop with it
_OURS = frozenset({"Doorbell.ring", "JournalFollower.catch_up"})  # what its timer reads unasked is no step
_READS = ("SELECT", "PRAGMA")


class _Countdown:
    """Counts steps once it was told to; a file gets the name of each, as far as the process came."""

    def __init__(self, file: Path) -> None:
        self._left = 0
        self._lock = threading.Lock()
        self._file = file
        self._steps = -1

    def begin(self, _number: int, _frame: FrameType | None) -> None:
        """Read when to die, 0 for never, and watch the main thread too, left alone until now for a quick start."""
        self._left = int(self._file.read_text(encoding="ascii"))
        self._steps = os.open(self._file.with_suffix(".steps"), os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        sys.setprofile(self.watch)

    def watch(self, frame: FrameType, event: str, argument: Any) -> None:
        """See one call or return."""
        if not self._left:
            return
        if event.startswith("c_"):
            name = getattr(argument, "__qualname__", "")
            if name == _ANSWERS and threading.current_thread() is threading.main_thread():
                self._step(f"{event} {name}")
            elif name in _BUILT_IN and not str(frame.f_locals.get("statement", "")).lstrip().startswith(_READS):
                self._step(f"{event} {name} {frame.f_locals.get('statement', '')}")
        elif frame.f_code.co_qualname in _OURS and not frame.f_locals.get("unasked"):
            self._step(f"{event} {frame.f_code.co_qualname}")

    def _step(self, name: str) -> None:
        with self._lock:
            self._left -= 1
            os.write(self._steps, " ".join(name.split())[:70].encode() + b"\n")
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


def count_steps(file: Path) -> None:
    """Watch every thread that starts from now on, and wait for the signal."""
    countdown = _Countdown(file)
    threading.setprofile(countdown.watch)
    signal.signal(signal.SIGUSR1, countdown.begin)
