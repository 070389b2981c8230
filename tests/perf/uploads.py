"""The upload form as twine sends it, and clients that send many of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .client import Connection, check
from .wheels import WheelFile

__all__ = ["Uploaded", "publish", "publish_many"]

_BOUNDARY = "----tests-perf-0123456789abcdef"


@dataclass(frozen=True)
class Uploaded:
    """
    What a run of uploads did.

    Attributes:
        wheels: The files that the server accepted.
        seconds: From the first request to the last answer.
        latencies_ms: One per file.
    """

    wheels: Sequence[WheelFile]
    seconds: float
    latencies_ms: Sequence[float]


async def publish(
    connection: Connection, wheel: WheelFile, authorization: Mapping[str, str], *, path: str = "/"
) -> None:
    """Publish one file; its bytes go from the disk to the socket without passing through this process."""
    before, after = _form(wheel)
    headers = {
        "User-Agent": "tests.perf",
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        "Content-Length": str(len(before) + wheel.size_bytes + len(after)),
        **authorization,
    }
    head = connection.head("POST", path, headers)
    # A small body travels with its head, as it would from any client that buffers.
    small = wheel.size_bytes < 100_000
    parts: list[bytes | Path] = [before, wheel.path, after]
    if small:
        head, parts = head + before + wheel.path.read_bytes() + after, []
    answer = await connection.send(head, parts)
    # pypiserve, like Gitea, says 201 for a new file; pypiserver says 200.
    check(answer, f"upload of {wheel.filename}", status=201 if answer.status == 201 else 200)


async def publish_many(
    connect: Callable[[], Connection],
    wheels: Sequence[WheelFile],
    authorization: Mapping[str, str],
    *,
    clients: int,
    limit_seconds: float,
    path: str = "/",
) -> Uploaded:
    """Publish files with some clients side by side, until there are no more files or the time is over."""
    accepted: list[WheelFile] = []
    latencies_ms: list[float] = []
    waiting = iter(wheels)
    began = time.perf_counter()

    async def client() -> None:
        async with connect() as connection:
            for wheel in _until(began + limit_seconds, waiting):
                sent = time.perf_counter()
                await publish(connection, wheel, authorization, path=path)
                latencies_ms.append((time.perf_counter() - sent) * 1000)
                accepted.append(wheel)

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return Uploaded(accepted, time.perf_counter() - began, latencies_ms)


def _until(deadline: float, wheels: Iterator[WheelFile]) -> Iterator[WheelFile]:
    for wheel in wheels:
        yield wheel
        if time.perf_counter() > deadline:
            return


def _form(wheel: WheelFile) -> tuple[bytes, bytes]:
    """Write the form around a file: what comes before its bytes, and after them."""
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": wheel.name,
        "version": wheel.version,
        "filetype": "bdist_wheel",
        "pyversion": "py3",
        "sha256_digest": wheel.sha256,
    }
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="{wheel.filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return "".join(parts).encode(), f"\r\n--{_BOUNDARY}--\r\n".encode()
