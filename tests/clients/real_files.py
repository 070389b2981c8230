"""Distribution files of well-known projects, fetched once from the machine's own registry and kept."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sysconfig
import zipfile
from collections import defaultdict
from pathlib import Path

from packaging.utils import parse_sdist_filename, parse_wheel_filename

from clients.toolbox import Toolbox, locked
from clients.versions import RealProject, newest, real_projects
from pypiserve.testing import a_wheel, an_sdist

__all__ = ["digests_by_project", "fetched_files", "metadata_of", "pins"]

_FETCH = ("-m", "pip", "download", "--quiet", "--no-deps")


def fetched_files(toolbox: Toolbox, folder: Path) -> list[Path]:
    """
    Return the files of all real projects, and of two made here, as no registry has such versions at hand.

    Args:
        toolbox: The installed clients.
        folder: Kept between runs; the files of each set of pins lie in a folder inside.
    """
    projects = real_projects()
    key = hashlib.sha256(repr(projects).encode()).hexdigest()[:8]
    files = folder / f"files-{sysconfig.get_python_version()}-{key}"
    complete = files.with_name(f"{files.name}.complete")
    with locked(files):
        if not complete.exists():
            _fetch(toolbox.environment(newest("build-backends")) / "bin" / "python", projects, files)
            complete.touch()
    return sorted(files.iterdir())


def digests_by_project(files: list[Path]) -> dict[str, dict[str, str]]:
    """Return normalised project name to file name to SHA-256."""
    digests: dict[str, dict[str, str]] = defaultdict(dict)
    for path in files:
        digests[_name_and_version(path)[0]][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return dict(digests)


def pins(files: list[Path]) -> str:
    """Write requirements that pin every project, with the hashes of all its files."""
    hashes = defaultdict(list)
    for path in files:
        hashes[_name_and_version(path)].append(hashlib.sha256(path.read_bytes()).hexdigest())
    return "".join(
        " ".join([f"{name}=={version}", *(f"--hash=sha256:{digest}" for digest in digests)]) + "\n"
        for (name, version), digests in hashes.items()
    )


def metadata_of(wheel: Path) -> bytes:
    """Return the core metadata inside a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        # Some projects carry others with their metadata inside, so depth counts.
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        return archive.read(name)


def _fetch(python: Path, projects: list[RealProject], files: Path) -> None:
    def fetch(*arguments: str) -> None:
        subprocess.run([python, *_FETCH, "--dest", files, *arguments], check=True, timeout=600)

    fetch("--only-binary", ":all:", *(project.pin for project in projects if "wheel" in project.files))
    # pip asks the build backend for the metadata; the environment has those that are needed.
    sdists = [project.pin for project in projects if "sdist" in project.files]
    fetch("--no-binary", ":all:", "--no-build-isolation", *sdists)
    for project in projects:
        for platform in project.platforms:
            fetch("--only-binary", ":all:", "--platform", platform, project.pin)
    a_wheel("demo-epoch", "2!1.0").write_to(files)
    an_sdist("demo-epoch", "2!1.0").write_to(files)
    a_wheel("demo-local", "1.0+ours.1").write_to(files)
    an_sdist("demo-local", "1.0+ours.1").write_to(files)


def _name_and_version(path: Path) -> tuple[str, str]:
    name, version = parse_wheel_filename(path.name)[:2] if path.suffix == ".whl" else parse_sdist_filename(path.name)
    return name, str(version)
