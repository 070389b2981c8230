"""Memory stays flat, whatever is uploaded and downloaded."""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from raw_http import RawConnection
from server_process import ServerProcess
from uploading import BASE, Part, data_of, encode, head_of

from pypiserve.testing import a_wheel

pytestmark = pytest.mark.machine

PIECE = bytes(range(256)) * 4096
PIECES = 300
GROWTH_BYTES = 64 << 20
REFUSED_PIECES = 600
REFUSED_GROWTH_BYTES = 16 << 20


def large_wheel() -> tuple[str, list[bytes]]:
    """
    Build a wheel of 300 MB, of which only the ends take memory here.

    Returns:
        Its file name, and its bytes in pieces, most of which are one and the same object.
    """
    small = a_wheel("large")
    buffer = io.BytesIO()
    name = "large/data.bin"
    with zipfile.ZipFile(io.BytesIO(small.content)) as source, zipfile.ZipFile(buffer, "w") as target:
        for info in source.infolist():
            more = _recorded(name) if info.filename.endswith("/RECORD") else b""
            target.writestr(info, source.read(info) + more)
        target.writestr(name, PIECE)
    crc = 0
    for _ in range(PIECES):
        crc = zlib.crc32(PIECE, crc)
    content = buffer.getvalue()
    size = len(PIECE) * PIECES
    return small.filename, list(_stretched(content, name.encode(), crc, size))


def _recorded(name: str) -> bytes:
    digest = hashlib.sha256()
    for _ in range(PIECES):
        digest.update(PIECE)
    encoded = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return f"{name},sha256={encoded},{len(PIECE) * PIECES}\n".encode()


def _stretched(content: bytes, name: bytes, crc: int, size: int) -> Iterator[bytes]:
    start = content.index(PIECE)
    head, tail = bytearray(content[:start]), bytearray(content[start + len(PIECE) :])
    sums = struct.pack("<3L", crc, size, size)
    local = head.rindex(b"PK\x03\x04")
    head[local + 14 : local + 26] = sums
    central = tail.index(name) - 46
    tail[central + 16 : central + 28] = sums
    end = tail.rindex(b"PK\x05\x06")
    offset = struct.unpack_from("<L", tail, end + 16)[0]
    struct.pack_into("<L", tail, end + 16, offset + size - len(PIECE))
    yield bytes(head)
    yield from [PIECE] * PIECES
    yield bytes(tail)


def downloaded(server: ServerProcess, path: str) -> Iterator[bytes]:
    """Yield the pieces of a file as they come."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        while piece := response.read(len(PIECE)):
            yield piece
    finally:
        connection.close()


def test_300_megabytes_up_and_down_need_few_of_them_in_memory(tmp_path: Path) -> None:
    """The resident memory of the server grows by less than 64 MB, at any moment of the upload and the download."""
    filename, pieces = large_wheel()
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    size = sum(map(len, pieces))
    opening, closing = encode(
        [Part("sha256_digest", digest.hexdigest()), Part("content", b"\0here\0", filename=filename)]
    ).split(b"\0here\0")
    with ServerProcess(tmp_path) as server, RawConnection(server) as connection:
        before = highest = server.resident_bytes()
        connection.send(head_of(server, Content_Length=str(len(opening) + size + len(closing))) + opening)
        for number, piece in enumerate(pieces):
            connection.send(piece)
            if number % 10 == 0:
                highest = max(highest, server.resident_bytes())
        connection.send(closing)
        assert connection.reply().status == http.client.CREATED
        highest = max(highest, server.resident_bytes())
        stored = data_of(server) / "files" / digest.hexdigest()[:2] / digest.hexdigest()
        assert stored.stat().st_size == size
        received = hashlib.sha256()
        for number, piece in enumerate(downloaded(server, f"{BASE}/files/large/1.0/{filename}")):
            received.update(piece)
            if number % 10 == 0:
                highest = max(highest, server.resident_bytes())
        assert received.digest() == digest.digest()
    assert highest - before < GROWTH_BYTES


def test_a_refused_upload_takes_no_memory(tmp_path: Path) -> None:
    """Be it refused at the head or when its file begins: what comes after the answer is forgotten at once."""
    opening = encode([Part("content", b"\0here\0", filename="no such name")]).split(b"\0here\0")[0]
    cases = [("wrong", b"", http.client.UNAUTHORIZED), (None, opening, http.client.BAD_REQUEST)]
    with ServerProcess(tmp_path) as server:
        before = highest = server.resident_bytes()
        for token, begin, status in cases:
            length = len(begin) + REFUSED_PIECES * len(PIECE)
            with RawConnection(server) as connection:
                connection.send(head_of(server, token=token, Content_Length=str(length)) + begin)
                for number in range(REFUSED_PIECES):
                    connection.send(PIECE)
                    if number % 20 == 0:
                        highest = max(highest, server.resident_bytes())
                        assert not list((data_of(server) / "staging").iterdir())
                assert connection.reply().status == status
    assert highest - before < REFUSED_GROWTH_BYTES
