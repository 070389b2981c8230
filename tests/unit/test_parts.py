"""The end of a server: every part is released, in order, whatever the others do."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from pypiserve.parts import Parts


async def test_parts_are_released_last_built_first() -> None:
    """What was built on top of something goes before it."""
    parts, released = Parts(), list[str]()

    async def release(name: str) -> None:
        released.append(name)

    for name in ("catalog", "store", "web"):
        parts.closing(name, lambda name=name: release(name))  # type: ignore[misc]  # mypy cannot infer the default
    await parts.close()
    assert released == ["web", "store", "catalog"]


async def test_a_part_that_fails_is_named_and_the_others_are_released(caplog: pytest.LogCaptureFixture) -> None:
    """Its error is in the log; nothing is raised."""
    parts, released = Parts(), asyncio.Event()

    async def release() -> None:
        released.set()

    async def fail() -> None:
        raise RuntimeError("still in use")

    parts.closing("The catalog", release)
    parts.closing("The store", fail)
    await parts.close()
    assert released.is_set()
    assert "The store could not be released" in caplog.text
    assert "still in use" in caplog.text


async def test_a_part_that_hangs_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    """Even one that swallows its cancellation holds nobody up for longer than its bound."""
    parts, free = Parts(), asyncio.Event()

    async def hang() -> None:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue

    parts.closing("The plugin", hang, seconds=0.01)
    await parts.close()
    assert "The plugin did not end within 0.01 s" in caplog.text
    free.set()
    await asyncio.sleep(0)


async def test_background_work_is_cancelled() -> None:
    """It gets the chance to clean up."""
    parts, cleaned = Parts(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    parts.running("Work", work())
    await asyncio.sleep(0)
    await parts.close()
    assert cleaned.is_set()


async def test_threads_may_need_the_loop_while_they_end() -> None:
    """Their last work can hand something to the event loop, which is not blocked."""
    parts, executor = Parts(), ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()
    last = executor.submit(lambda: asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "done"), loop).result(5))
    parts.threads("Threads", executor)
    await parts.close()
    assert last.result(0) == "done"
