"""Work that comes again comes again, whatever became of it."""

from __future__ import annotations

import asyncio

import pytest

from pypiserve.core.errors import Unavailable
from pypiserve.services.regularly import regularly


async def test_a_failure_is_logged_and_the_next_time_comes(caplog: pytest.LogCaptureFixture) -> None:
    """What was to be expected as one line, what was not with its traceback; only a cancellation ends it."""
    outcomes = [Unavailable("The catalog is busy"), ZeroDivisionError("by zero"), None]
    done = asyncio.Event()

    async def work() -> None:
        outcome = outcomes.pop(0) if outcomes else None
        if outcome is not None:
            raise outcome
        done.set()

    task = asyncio.create_task(regularly(work, seconds=0.001, failure="It could not be done"))
    await asyncio.wait_for(done.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    told = [(record.levelname, record.getMessage(), record.exc_info is None) for record in caplog.records]
    assert told == [
        ("WARNING", "It could not be done: The catalog is busy; try again in 5 s", True),
        ("ERROR", "It could not be done", False),
    ]
