"""
Sending a local file to a client without copying it through Python.

The kernel copies from the file to the socket in bounded steps; between steps the loop serves others, and a client
that does not read is waited for without a thread. What was measured: see the performance page of the docs.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import BinaryIO

from tornado.iostream import IOStream, StreamClosedError

from pypiserve.web.base import BaseHandler

__all__ = ["FIRST_BYTES", "open_at", "send_rest"]

FIRST_BYTES = 256 << 10
"""How much of a file is read in a thread when it is opened: the first touch may wait for a cold disk."""

_STEP_BYTES = 256 << 10
_STALL_SECONDS = 300.0


def open_at(path: os.PathLike[str], start: int, length: int) -> tuple[BinaryIO, bytes]:
    """
    Open a file and read its first wanted bytes; tell the kernel to fetch what follows. Blocks.

    Raises:
        OSError: The file cannot be read.
    """
    file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - the caller closes it
    try:
        first = os.pread(file.fileno(), length, start)
        if len(first) < length:
            raise OSError("the file is shorter than the catalog says")  # noqa: TRY301 - closed below like the rest
        if hasattr(os, "posix_fadvise"):  # not on macOS
            os.posix_fadvise(file.fileno(), start + length, 0, os.POSIX_FADV_SEQUENTIAL)
    except BaseException:
        file.close()
        raise
    return file, first


async def send_rest(handler: BaseHandler, file: BinaryIO, *, start: int, stop: int) -> None:
    """
    Send the bytes from ``start`` to ``stop`` after the headers and the bytes before them were flushed.

    Raises:
        StreamClosedError: The client went away, or read nothing for five minutes.
    """
    connection = handler.connection
    stream = connection.stream
    position = start
    while position < stop:
        if stream.closed():
            raise StreamClosedError
        try:
            sent = os.sendfile(stream.socket.fileno(), file.fileno(), position, min(_STEP_BYTES, stop - position))
        except BlockingIOError:
            await _until_writable(handler, stream)
            continue
        except OSError as error:
            stream.close()
            raise StreamClosedError from error
        if sent == 0:
            stream.close()
            raise StreamClosedError
        position += sent
        await asyncio.sleep(0)
    # Tornado counts what goes through it against Content-Length and does not know of these bytes.
    connection._expected_content_remaining = 0  # noqa: SLF001 - there is no public way to say so


async def _until_writable(handler: BaseHandler, stream: IOStream) -> None:
    loop = asyncio.get_running_loop()
    # A descriptor of its own: the stream watches the socket's and closes it when the client goes. Its number may
    # then belong to another connection, whose registration with the loop would be mixed up with ours.
    descriptor = os.dup(stream.socket.fileno())
    writable: asyncio.Future[None] = loop.create_future()
    handler.wake = lambda: _wake(writable)
    try:
        loop.add_writer(descriptor, _wake, writable)
        async with asyncio.timeout(_STALL_SECONDS):
            await writable
    except TimeoutError:
        stream.close()
        raise StreamClosedError from None
    finally:
        handler.wake = None
        loop.remove_writer(descriptor)
        os.close(descriptor)


def _wake(writable: asyncio.Future[None]) -> None:
    if not writable.done():
        writable.set_result(None)
