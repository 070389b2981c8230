"""The builders make real distribution files."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from pypiserve.testing import BuiltFile, a_wheel, an_sdist

SPELLINGS = [
    ("demo", "1.0", "demo-1.0"),
    ("Demo.Thing-x", "1.0", "demo_thing_x-1.0"),
    ("demo", "1!2.0", "demo-1!2.0"),
    ("demo", "1.0+CU.118", "demo-1.0+cu.118"),
    ("demo", "1.0.0-alpha1", "demo-1.0.0a1"),
]


@pytest.mark.parametrize(("name", "version", "stem"), SPELLINGS)
def test_filenames_are_escaped(name: str, version: str, stem: str) -> None:
    """File names follow the wheel specification and PEP 625, also with epochs and local versions."""
    wheel, sdist = a_wheel(name, version), an_sdist(name, version)
    assert (wheel.filename, sdist.filename) == (f"{stem}-py3-none-any.whl", f"{stem}.tar.gz")
    assert parse_wheel_filename(wheel.filename)[:2] == parse_sdist_filename(sdist.filename)


def test_an_invalid_version_is_built_all_the_same() -> None:
    """A test can make a file that no index should take."""
    assert a_wheel(version="not-a-version").filename == "demo-not_a_version-py3-none-any.whl"
    assert b"Version: not-a-version\n" in an_sdist(version="not-a-version").metadata


@pytest.mark.parametrize("build", [a_wheel, an_sdist])
def test_metadata_is_valid(build: Callable[..., BuiltFile]) -> None:
    """The core metadata is valid, keeps the spelling, and takes further fields and a description."""
    more = {"requires-dist": ["a", "b>1"], "Description": "Hello.\n"}
    built = build("Demo", "1.0", requires_python=">=3.8", metadata=more)
    parsed = Metadata.from_email(built.metadata)
    assert (parsed.name, str(parsed.version), str(parsed.requires_python)) == ("Demo", "1.0", ">=3.8")
    assert [str(requirement) for requirement in parsed.requires_dist or ()] == ["a", "b>1"]
    assert parsed.description == "Hello.\n"


def test_metadata_fields_can_be_replaced_and_removed() -> None:
    """A test can make wrong metadata on purpose."""
    lines = a_wheel(metadata={"name": "other", "Version": ()}).metadata.decode().splitlines()
    assert "Name: other" in lines
    assert not any(line.startswith("Version:") for line in lines)


def test_record_names_every_file() -> None:
    """RECORD lists every member with its digest and size, and itself without."""
    wheel = a_wheel(files={"demo/data, with comma.txt": "x"}, padding_bytes=10)
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        contents = {member: archive.read(member) for member in archive.namelist()}
    rows = {row[0]: row[1:] for row in csv.reader(contents["demo-1.0.dist-info/RECORD"].decode().splitlines())}
    assert rows.pop("demo-1.0.dist-info/RECORD") == ["", ""]
    del contents["demo-1.0.dist-info/RECORD"]
    assert rows == {
        path: [
            "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode(),
            str(len(content)),
        ]
        for path, content in contents.items()
    }


def test_compressed_tags_are_expanded() -> None:
    """The WHEEL file has one line for each tag and says whether the wheel is pure."""
    wheel = a_wheel(tag="py2.py3-none-any")
    platform_wheel = a_wheel(tag="cp312-cp312-manylinux_2_17_x86_64.linux_x86_64")
    assert _wheel_file(wheel)[2:] == ["Root-Is-Purelib: true", "Tag: py2-none-any", "Tag: py3-none-any"]
    assert _wheel_file(platform_wheel)[2:] == [
        "Root-Is-Purelib: false",
        "Tag: cp312-cp312-manylinux_2_17_x86_64",
        "Tag: cp312-cp312-linux_x86_64",
    ]


def _wheel_file(wheel: BuiltFile) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        return archive.read("demo-1.0.dist-info/WHEEL").decode().splitlines()


def test_bytes_are_deterministic_and_content_matters() -> None:
    """Equal arguments give equal bytes, other arguments other bytes."""
    assert a_wheel().sha256 == a_wheel().sha256 == hashlib.sha256(a_wheel().content).hexdigest()
    assert an_sdist().content == an_sdist().content
    assert len({a_wheel().sha256, a_wheel(version="2").sha256, a_wheel(files={"x.py": ""}).sha256}) == 3


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip", ".whl"])
def test_padding_is_incompressible(suffix: str) -> None:
    """Padding makes the file bigger by its size, whatever the format."""
    built = a_wheel(padding_bytes=100_000) if suffix == ".whl" else an_sdist(padding_bytes=100_000, suffix=suffix)
    assert 100_000 < len(built.content) < 125_000


def test_sdist_members_lie_in_one_folder() -> None:
    """An sdist has one top folder with PKG-INFO of version 2.2 and pyproject.toml."""
    sdist = an_sdist("Demo-Thing", "1.0", files={"README.md": "Hello"})
    with tarfile.open(fileobj=io.BytesIO(sdist.content)) as archive:
        names = archive.getnames()
    assert {name.split("/")[0] for name in names} == {"demo_thing-1.0"}
    assert {"demo_thing-1.0/PKG-INFO", "demo_thing-1.0/pyproject.toml", "demo_thing-1.0/README.md"} <= set(names)
    assert sdist.metadata.startswith(b"Metadata-Version: 2.2\n")


def test_other_sdist_formats_are_refused() -> None:
    """Only the formats that indexes accept are built."""
    with pytest.raises(ValueError, match=r"\.tar\.gz or \.zip"):
        an_sdist(suffix=".tar.xz")


@pytest.mark.parametrize(
    "built",
    [a_wheel("Demo.Thing", "1!1.0+local.1"), an_sdist("Demo.Thing", "1!1.0+local.1"), an_sdist("a-b", suffix=".zip")],
    ids=lambda built: built.filename,
)
def test_pip_installs_what_was_built(built: BuiltFile, tmp_path: Path) -> None:
    """Pip installs wheel and sdist offline, and the package can be imported."""
    path, target = built.write_to(tmp_path), tmp_path / "site"
    options = ["--no-index", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--target", str(target)]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", *options, str(path)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    package = next(folder.name for folder in target.iterdir() if (folder / "__init__.py").exists())
    printed = subprocess.run(
        [sys.executable, "-c", f"import {package}; print({package}.__version__)"],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(target)},
        timeout=60,
    )
    assert f"Version: {printed.stdout.decode().strip()}\n".encode() in built.metadata
