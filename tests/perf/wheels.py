"""The distribution files of the benchmarks: small ones from the testing kit, large ones written straight to disk."""

from __future__ import annotations

import base64
import hashlib
import random
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pypiserve.testing import a_wheel

__all__ = ["WheelFile", "large_wheel", "small_wheel"]

_BLOCK_BYTES = 1 << 20
_SMALL_PADDING_BYTES = 3_100  # makes a wheel of about 4 KB


@dataclass(frozen=True)
class WheelFile:
    """A wheel on disk, with the digest that every download of it is held against."""

    name: str
    version: str
    path: Path
    size_bytes: int
    sha256: str

    @property
    def filename(self) -> str:
        """The file name, as the specification wants it."""
        return self.path.name


def small_wheel(folder: Path, name: str, version: str) -> WheelFile:
    """Write a wheel of about 4 KB."""
    built = a_wheel(name, version, padding_bytes=_SMALL_PADDING_BYTES)
    return WheelFile(name, version, built.write_to(folder), len(built.content), built.sha256)


def large_wheel(folder: Path, name: str, version: str, *, size_bytes: int) -> WheelFile:
    """
    Write a valid wheel of about the given size, in constant memory.

    The core metadata come first and the bulk is one stored member that does not compress, so a server that checks
    the archive accepts it and one that compresses on the way gains nothing.
    """
    small = a_wheel(name, version)
    path = folder / small.filename
    stem = small.filename.removesuffix("-py3-none-any.whl")
    wheel_file = "Wheel-Version: 1.0\nGenerator: tests.perf\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = []
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in (("METADATA", small.metadata), ("WHEEL", wheel_file.encode())):
            archive.writestr(f"{stem}.dist-info/{member}", content)
            rows.append(_record_row(f"{stem}.dist-info/{member}", hashlib.sha256(content), len(content)))
        rows.append(_write_bulk(archive, f"{stem.split('-', 1)[0]}/padding.bin", size_bytes))
        archive.writestr(f"{stem}.dist-info/RECORD", "\n".join([*rows, f"{stem}.dist-info/RECORD,,", ""]))
    with path.open("rb") as file:
        return WheelFile(name, version, path, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _write_bulk(archive: zipfile.ZipFile, member: str, size_bytes: int) -> str:
    # A megabyte repeated is as incompressible for deflate, whose window has 32 KB, as noise of the whole length.
    block = random.Random(size_bytes).randbytes(_BLOCK_BYTES)
    digest = hashlib.sha256()
    with archive.open(zipfile.ZipInfo(member), "w") as file:
        for start in range(0, size_bytes, _BLOCK_BYTES):
            piece = memoryview(block)[: size_bytes - start]
            digest.update(piece)
            file.write(piece)
    return _record_row(member, digest, size_bytes)


def _record_row(member: str, digest: hashlib._Hash, size_bytes: int) -> str:
    encoded = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return f"{member},sha256={encoded},{size_bytes}"
