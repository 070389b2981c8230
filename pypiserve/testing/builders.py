"""
Builders of distribution files: real, small, installable, and equal in every byte on every run.

>>> a_wheel("Demo.Thing", "1!2.0+local").filename
'demo_thing-1!2.0+local-py3-none-any.whl'
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path

from packaging.version import InvalidVersion, Version

from pypiserve.core.digests import Sha256
from pypiserve.testing.wheel_packing import pack_wheel, zip_files

__all__ = ["BuiltFile", "a_wheel", "an_sdist"]

_TIMESTAMP = 1_580_601_600
_PYPROJECT = """\
[build-system]
requires = []
build-backend = "wheel_packing"
backend-path = ["backend"]
"""


@dataclass(frozen=True)
class BuiltFile:
    """
    A distribution file in memory.

    Attributes:
        filename: As the specifications want it.
        content: The whole file.
        metadata: The core metadata inside it: ``METADATA`` of a wheel, ``PKG-INFO`` of an sdist.
    """

    filename: str
    content: bytes = field(repr=False)
    metadata: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> Sha256:
        """Digest of the content."""
        return Sha256(hashlib.sha256(self.content).hexdigest())

    def write_to(self, folder: Path) -> Path:
        """Write the file into a folder that exists, and return its path."""
        path = folder / self.filename
        path.write_bytes(self.content)
        return path


def a_wheel(
    name: str = "demo",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes | str] | None = None,
    metadata: Mapping[str, str | Sequence[str]] | None = None,
    requires_python: str | None = None,
    tag: str = "py3-none-any",
    padding_bytes: int = 0,
) -> BuiltFile:
    """
    Build a wheel with one importable package, named like the project, that has a ``__version__``.

    Args:
        name: Project name in any spelling; the core metadata keeps the spelling. It is not checked.
        version: Version in any spelling, likewise.
        files: More files, path to content; a path that would be generated is replaced.
        metadata: Core metadata fields to add or to replace, such as ``{"Requires-Dist": ["a", "b"]}``; an empty
            sequence removes a field, and ``Description`` becomes the body.
        requires_python: Version specifier.
        tag: Compatibility tag, with a build tag before it if you like.
        padding_bytes: So many incompressible bytes are put into the package.
    """
    stem = _stem(name, version)
    core_metadata = _core_metadata("2.1", name, version, requires_python, metadata or {})
    packages = _package(name, version, padding_bytes) | _as_bytes(files or {})
    contents = pack_wheel(packages, core_metadata, stem=stem, tag=tag)
    return BuiltFile(f"{stem}-{tag}.whl", zip_files(contents), contents[f"{stem}.dist-info/METADATA"])


def an_sdist(
    name: str = "demo",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes | str] | None = None,
    metadata: Mapping[str, str | Sequence[str]] | None = None,
    requires_python: str | None = None,
    padding_bytes: int = 0,
    suffix: str = ".tar.gz",
) -> BuiltFile:
    """
    Build an sdist that installs what ``a_wheel`` installs, and builds offline: it carries its own backend.

    Args:
        name: As for ``a_wheel``.
        version: As for ``a_wheel``.
        files: More files, path inside the top folder to content; what lies in ``src/`` is installed.
        metadata: As for ``a_wheel``.
        requires_python: Version specifier.
        padding_bytes: As for ``a_wheel``.
        suffix: ``.tar.gz`` (PEP 625) or ``.zip`` (as older projects have).

    Raises:
        ValueError: Another suffix.
    """
    stem = _stem(name, version)
    core_metadata = _core_metadata("2.2", name, version, requires_python, metadata or {})
    members = {
        "PKG-INFO": core_metadata,
        "pyproject.toml": _PYPROJECT.encode(),
        "backend/wheel_packing.py": resources.files("pypiserve.testing").joinpath("wheel_packing.py").read_bytes(),
        "backend/project.json": json.dumps({"stem": stem, "tag": "py3-none-any"}).encode(),
        **{f"src/{path}": content for path, content in _package(name, version, padding_bytes).items()},
        **_as_bytes(files or {}),
    }
    contents = {f"{stem}/{path}": content for path, content in sorted(members.items())}
    return BuiltFile(f"{stem}{suffix}", _archive(contents, suffix, padding_bytes), members["PKG-INFO"])


def _stem(name: str, version: str) -> str:
    """Write name and version as file names have them. Spec: PEP 625; Binary distribution format, "Escaping"."""
    try:
        spelling = str(Version(version))
    except InvalidVersion:
        spelling = version.replace("-", "_")
    return f"{_module(name)}-{spelling}"


def _module(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _package(name: str, version: str, padding_bytes: int) -> dict[str, bytes]:
    files = {f"{_module(name)}/__init__.py": f'"""Made for a test."""\n\n__version__ = {version!r}\n'.encode()}
    if padding_bytes:
        files[f"{_module(name)}/padding.bin"] = hashlib.shake_256(name.encode()).digest(padding_bytes)
    return files


def _core_metadata(
    metadata_version: str,
    name: str,
    version: str,
    requires_python: str | None,
    more: Mapping[str, str | Sequence[str]],
) -> bytes:
    fields: dict[str, str | Sequence[str]] = {
        "Metadata-Version": metadata_version,
        "Name": name,
        "Version": version,
        "Summary": "A project made for a test",
        "Requires-Python": requires_python or (),
    }
    spelling = {field.lower(): field for field in fields}
    fields |= {spelling.get(field.lower(), field): value for field, value in more.items()}
    body = fields.pop("Description", "")
    lines = [f"{field}: {value}" for field, values in fields.items() for value in _each(values)]
    return "\n".join([*lines, "", *_each(body)]).encode()


def _each(values: str | Sequence[str]) -> Sequence[str]:
    return (values,) if isinstance(values, str) else values


def _as_bytes(files: Mapping[str, bytes | str]) -> dict[str, bytes]:
    return {path: content.encode() if isinstance(content, str) else content for path, content in files.items()}


def _archive(contents: Mapping[str, bytes], suffix: str, padding_bytes: int) -> bytes:
    if suffix == ".zip":
        return zip_files(contents)
    if suffix != ".tar.gz":
        raise ValueError("an sdist ends in .tar.gz or .zip")
    buffer = io.BytesIO()
    # Padding does not compress, and trying costs seconds in files of 200 MB.
    level = 0 if padding_bytes else 9
    with (
        gzip.GzipFile("", "wb", level, buffer, mtime=_TIMESTAMP) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, content in contents.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            member.mtime = _TIMESTAMP
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
