"""
Writes wheels. Needs the standard library only, because every sdist of the testing kit carries this file as its
PEP 517 build backend: such an sdist builds offline, without downloading anything.

Spec: Binary distribution format (PyPA specifications), PEP 517.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["build_wheel", "pack_wheel", "zip_files"]

_TIMESTAMP = (2020, 2, 2, 0, 0, 0)
_STORED_SUFFIX = "padding.bin"


def build_wheel(
    wheel_directory: str,
    config_settings: Mapping[str, Any] | None = None,  # noqa: ARG001 - the signature is PEP 517's
    metadata_directory: str | None = None,  # noqa: ARG001 - likewise
) -> str:
    """Build the wheel of the sdist in the current folder. Spec: PEP 517."""
    project = json.loads(Path("backend", "project.json").read_text("utf-8"))
    source = Path("src")
    packages = {
        path.relative_to(source).as_posix(): path.read_bytes() for path in sorted(source.rglob("*")) if path.is_file()
    }
    metadata = Path("PKG-INFO").read_bytes()
    filename = f"{project['stem']}-{project['tag']}.whl"
    contents = pack_wheel(packages, metadata, stem=project["stem"], tag=project["tag"])
    Path(wheel_directory, filename).write_bytes(zip_files(contents))
    return filename


def pack_wheel(packages: Mapping[str, bytes], metadata: bytes, *, stem: str, tag: str) -> dict[str, bytes]:
    """
    Lay out the members of a wheel, the ``RECORD`` last.

    Args:
        packages: What is installed: path to content. A path inside the ``.dist-info`` folder replaces what would
            be generated there.
        metadata: The core metadata file.
        stem: Name and version as the file name has them, such as ``demo-1.0``.
        tag: Compatibility tag, such as ``py3-none-any``; compressed sets are fine.
    """
    folder = f"{stem}.dist-info"
    contents = {f"{folder}/METADATA": metadata, f"{folder}/WHEEL": _wheel_file(tag), **packages}
    ordered = dict(sorted(contents.items(), key=lambda item: (item[0].startswith(folder), item[0])))
    ordered.setdefault(f"{folder}/RECORD", _record(ordered, f"{folder}/RECORD"))
    return ordered


def zip_files(contents: Mapping[str, bytes]) -> bytes:
    """Zip the files, in the given order, with fixed times and modes: equal contents give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in contents.items():
            member = zipfile.ZipInfo(path, _TIMESTAMP)
            member.create_system = 3
            member.external_attr = 0o100644 << 16
            # Padding does not compress, and trying costs seconds in files of 200 MB.
            stored = path.endswith(_STORED_SUFFIX)
            member.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return buffer.getvalue()


def _wheel_file(tag: str) -> bytes:
    pure = "true" if tag.endswith("-any") else "false"
    lines = ["Wheel-Version: 1.0", "Generator: pypiserve.testing", f"Root-Is-Purelib: {pure}"]
    lines += [f"Tag: {single}" for single in _expand(tag)]
    return "\n".join([*lines, ""]).encode()


def _expand(tag: str) -> Iterable[str]:
    interpreters, abis, platforms = tag.split("-")[-3:]
    for interpreter in interpreters.split("."):
        for abi in abis.split("."):
            for platform in platforms.split("."):
                yield f"{interpreter}-{abi}-{platform}"


def _record(contents: Mapping[str, bytes], record: str) -> bytes:
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    for path, content in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(content)])
    rows.writerow([record, "", ""])
    return buffer.getvalue().encode()
