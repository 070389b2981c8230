"""Tar archives written byte by byte, since ``tarfile`` does not write bad ones."""

from __future__ import annotations

import gzip

__all__ = [
    "BLOCK",
    "GNU",
    "METADATA",
    "TOP",
    "V7",
    "a_file",
    "archive",
    "extended",
    "header",
    "long_name",
    "pax",
    "sdist",
]

BLOCK = 512
TOP = "demo-1.0"
METADATA = b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
GNU, V7 = b"ustar  \0", bytes(8)


def header(
    name: str | bytes,
    kind: bytes = b"0",
    *,
    size: int | bytes = 0,
    target: str = "",
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
) -> bytes:
    """Write one header with a right checksum; a size as bytes is written as it is."""
    written = name.encode() if isinstance(name, str) else name
    block = bytearray(BLOCK)
    block[: len(written)] = written
    block[100:124] = b"0000644\0" + b"0000000\0" * 2
    block[124:136] = b"%011o\0" % size if isinstance(size, int) else size
    block[136:148] = b"%011o\0" % 1_600_000_000
    block[156:157] = kind
    block[157 : 157 + len(target)] = target.encode()
    block[257:265] = magic
    block[345 : 345 + len(prefix)] = prefix
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * 32)
    return bytes(block)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % BLOCK)


def a_file(name: str, content: bytes = b"", **more: bytes) -> bytes:
    """Write a file below the top-level directory; ``more`` as for ``header``."""
    return header(f"{TOP}/{name}", size=len(content), magic=more.get("magic", b"ustar\x0000")) + padded(content)


def extended(kind: bytes, content: bytes) -> bytes:
    """Write a header that describes the next member."""
    return header("extended", kind, size=len(content)) + padded(content)


def pax(*records: tuple[str, str | bytes], kind: bytes = b"x") -> bytes:
    """Write a pax header."""
    return extended(kind, b"".join(_record(key, value) for key, value in records))


def _record(key: str, value: str | bytes) -> bytes:
    text = b" %s=%s\n" % (key.encode(), value.encode() if isinstance(value, str) else value)
    length = len(text)
    while length != len(str(length)) + len(text):
        length = len(str(length)) + len(text)
    return str(length).encode() + text


def long_name(text: str | bytes, kind: bytes = b"L") -> bytes:
    """Write a long name, or target, as GNU tar does."""
    return extended(kind, (text.encode() if isinstance(text, str) else text) + b"\0")


def archive(*members: bytes, end: bytes = bytes(2 * BLOCK), metadata: bytes | None = METADATA) -> bytes:
    """Put members behind a good beginning: PKG-INFO (unless ``None``) and pyproject.toml."""
    start = a_file("PKG-INFO", metadata) if metadata is not None else b""
    return start + a_file("pyproject.toml") + b"".join(members) + end


def sdist(*members: bytes, end: bytes = bytes(2 * BLOCK), metadata: bytes | None = METADATA) -> bytes:
    """Compress what ``archive`` returns."""
    return gzip.compress(archive(*members, end=end, metadata=metadata), mtime=0)
