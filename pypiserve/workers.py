"""
Several processes that do the same work, and the one that watches over them.

The supervisor forks the workers, starts those again that die, and passes on what it is told: to stop, or to begin
anew with other settings. It has one thread and no event loop, so that it can fork at any time and has little to fail.
Workers notice its death by a pipe whose other end it holds.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["STOPPED_AT_ONCE", "Supervised", "Supervisor", "Work"]

_log = logging.getLogger("pypiserve.workers")

_STOPS = frozenset({signal.SIGTERM, signal.SIGINT})
_WATCHED = _STOPS | {signal.SIGHUP, signal.SIGCHLD}
STOPPED_AT_ONCE = 130
"""Exit status after a second signal, or when workers did not stop in their time: they were killed."""
_SHORT_LIFE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 30.0
_READY = b"+"


@dataclass(frozen=True)
class Supervised:
    """
    What a worker has of its supervisor.

    Attributes:
        place: Its own, from 0; a worker that takes over from another has the place of that.
        is_first: Whether it is the first of all; the others begin when it is ready.
        lifeline: A descriptor that becomes readable when the supervisor has died.
        telling: A descriptor for ``ready``.
    """

    place: int
    is_first: bool
    lifeline: int
    telling: int

    def ready(self) -> None:
        """Say that the work has begun."""
        with contextlib.suppress(BrokenPipeError):  # nobody waits for those that are not the first
            os.write(self.telling, _READY)
        os.close(self.telling)


Work = Callable[[Supervised], None]


@dataclass
class _Worker:
    place: int
    pid: int
    hearing: int
    began: float

    def is_ready(self) -> bool:
        """Wait until it is, or has ended before."""
        heard = os.read(self.hearing, len(_READY))
        os.close(self.hearing)
        return heard == _READY

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Supervisor:
    """
    Watches over workers.

    Args:
        count: How many.
        work: What each of them does, until SIGTERM; more than one may come. SIGINT never reaches it.
        renew: Returns the work to do from now on, at SIGHUP. What it raises is logged, and the old work goes on.
        stopping: Called once when no new work shall begin.
        stop_seconds: How long workers may take to stop; then they are killed.
    """

    def __init__(
        self,
        count: int,
        work: Work,
        *,
        renew: Callable[[], Work],
        stopping: Callable[[], None],
        stop_seconds: float,
    ) -> None:
        self._count = count
        self._work = work
        self._renew = renew
        self._stopping = stopping
        self._stop_seconds = stop_seconds
        self._workers: dict[int, _Worker] = {}
        self._retiring: dict[int, _Worker] = {}
        self._pause_seconds = 0.0
        self._restart_at = 0.0
        self._lifeline = os.pipe()

    def run(self) -> int | None:
        """
        Run the workers until SIGTERM or SIGINT.

        Returns:
            The exit status of the supervisor, which is that of the first worker if that never was ready; ``None`` in
            a worker whose work is done.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        # What is there already is shared with the workers as long as nobody writes to it.
        gc.freeze()
        first = self._fork(0, is_first=True)
        if first is None:
            return None
        if not first.is_ready():
            return _status(os.waitpid(first.pid, 0)[1])
        self._workers[first.pid] = first
        return self._watch()

    def _watch(self) -> int | None:
        while True:
            if not self._fill():
                return None
            number = self._next_signal()
            # Who tells all processes of a service to stop tells the workers too, and they may be faster.
            if number in _STOPS or signal.sigpending() & _STOPS:
                return self._stop()
            self._reap()
            if number == signal.SIGHUP and not self._begin_anew():
                return None

    def _fill(self) -> bool:
        """Start what is missing, unless it must wait; return ``False`` in a new worker whose work is done."""
        missing = sorted(set(range(self._count)).difference(worker.place for worker in self._workers.values()))
        for place in missing if time.monotonic() >= self._restart_at else ():
            worker = self._fork(place)
            if worker is None:
                return False
            os.close(worker.hearing)
            self._workers[worker.pid] = worker
        return True

    def _next_signal(self) -> int | None:
        if len(self._workers) >= self._count:
            return signal.sigwait(_WATCHED)
        told = signal.sigtimedwait(_WATCHED, max(0.0, self._restart_at - time.monotonic()))
        return None if told is None else told.si_signo

    def _reap(self) -> None:
        for pid in [*self._workers, *self._retiring]:
            ended, code = os.waitpid(pid, os.WNOHANG)
            if ended and self._retiring.pop(pid, None) is None:
                self._mourn(self._workers.pop(pid), code)

    def _mourn(self, worker: _Worker, code: int) -> None:
        """A worker that dies soon is started again later each time: what kills it may take a while to be mended."""
        if time.monotonic() - worker.began < _SHORT_LIFE_SECONDS:
            self._pause_seconds = min(max(1.0, 2 * self._pause_seconds), _LONGEST_PAUSE_SECONDS)
        else:
            self._pause_seconds = 0.0
        self._restart_at = time.monotonic() + self._pause_seconds
        _log.error("Worker %d ended (%s); another one starts in %g s", worker.pid, _told(code), self._pause_seconds)

    def _begin_anew(self) -> bool:
        """Put new workers in the place of all; return ``False`` in one of them whose work is done."""
        try:
            work = self._renew()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new settings, the old ones work
            _log.error("The settings stay as they are: %s", error)
            return True
        old_work, self._work = self._work, work
        first = self._fork(0)
        if first is None:
            return False
        if not first.is_ready():
            os.waitpid(first.pid, 0)
            self._work = old_work
            _log.error("The settings stay as they are: no worker can begin with the new ones")
            return True
        self._retiring.update(self._workers)
        for worker in self._workers.values():
            worker.send(signal.SIGTERM)
        self._workers = {first.pid: first}
        _log.info("Begun anew with the settings as they are now")
        return True

    def _stop(self) -> int:
        while signal.sigpending() & _STOPS:
            signal.sigwait(_STOPS)
        self._stopping()
        everybody = {**self._workers, **self._retiring}
        for worker in everybody.values():
            worker.send(signal.SIGTERM)
        deadline, status = time.monotonic() + self._stop_seconds, 0
        while everybody:
            told = signal.sigtimedwait(_WATCHED, max(0.0, deadline - time.monotonic()))
            if told is None or told.si_signo in _STOPS:
                status = STOPPED_AT_ONCE
                for worker in everybody.values():
                    worker.send(signal.SIGKILL)
            for pid in list(everybody):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del everybody[pid]
        return status

    def _fork(self, place: int, *, is_first: bool = False) -> _Worker | None:
        """Fork; return the worker, or ``None`` in the worker itself when its work is done."""
        hearing, telling = os.pipe()
        pid = os.fork()
        if pid:
            os.close(telling)
            return _Worker(place, pid, hearing, time.monotonic())
        os.close(hearing)
        os.close(self._lifeline[1])
        # Ctrl+C reaches all processes of a terminal; the supervisor says what it means.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        self._work(Supervised(place, is_first, self._lifeline[0], telling))
        return None


def _status(code: int) -> int:
    return os.waitstatus_to_exitcode(code) if os.WIFEXITED(code) else 128 + os.WTERMSIG(code)


def _told(code: int) -> str:
    if os.WIFEXITED(code):
        return f"exit status {os.WEXITSTATUS(code)}"
    return signal.Signals(os.WTERMSIG(code)).name
