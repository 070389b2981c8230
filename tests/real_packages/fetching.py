"""The files of releases, from the index that pip is set up to use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.utils import canonicalize_version
from pypi_simple import PYPI_SIMPLE_ENDPOINT, DistributionPackage, PyPISimple

from .pins import Pin

__all__ = ["fetch_sdists", "fetch_wheels"]


def fetch_wheels(pins: Sequence[Pin], folder: Path) -> None:
    """Fetch the wheel of each release that installers take on this machine."""
    left = list(pins)
    # pip takes one release of a project at a time.
    while left:
        chosen = list({pin.name: pin for pin in left}.values())
        left = [pin for pin in left if pin not in chosen]
        command = ("-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder))
        subprocess.run([sys.executable, *command, *map(str, chosen)], check=True, timeout=1800)


def fetch_sdists(pins: Iterable[Pin], folder: Path) -> None:
    """Fetch the sdist of each release that has one; pip would build each of them only to see what it requires."""
    with PyPISimple(_index()) as client:
        for pin in pins:
            for package in client.get_project_page(pin.name).packages:
                path = folder / package.filename
                if _is_sdist_of(package, pin) and not path.exists():
                    client.download_package(package, path)


def _is_sdist_of(package: DistributionPackage, pin: Pin) -> bool:
    return (
        package.package_type == "sdist"
        and package.version is not None
        and canonicalize_version(package.version) == canonicalize_version(pin.version)
    )


def _index() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or PYPI_SIMPLE_ENDPOINT
