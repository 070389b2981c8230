"""The input of a run: how much of everything, and the files that every server is filled with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .wheels import WheelFile, large_wheel, small_wheel

__all__ = ["FULL", "QUICK", "Corpus", "Scale", "build_corpus", "build_small_corpus"]

FILES_PER_PROJECT = 10


@dataclass(frozen=True)
class Scale:
    """
    How much a run does.

    Attributes:
        rounds: Each measurement is repeated so often, the servers taking turns within a round.
        huge_rounds: The same for the huge file, which takes the longest and varies least.
        load_seconds: How long the load generator asks for a page or a small file.
        projects: Projects of ten files each that a server holds before anything is measured.
        cold_pages: First requests after a change, per round.
        small_uploads: Small files per client count and round; an upload run also ends after ``upload_seconds``.
        many_uploads: Small files per round in the comparison of uploads; there, too, a server has ``upload_seconds``.
        large_bytes: The large file (200 MB in a full run).
        huge_bytes: The file whose upload and download the memory is watched at (1 GB in a full run).
    """

    rounds: int
    huge_rounds: int
    load_seconds: int
    projects: int
    cold_pages: int
    small_uploads: int
    upload_seconds: float
    many_uploads: int
    large_bytes: int
    huge_bytes: int


FULL = Scale(
    rounds=5,
    huge_rounds=3,
    load_seconds=3,
    projects=240,
    cold_pages=20,
    small_uploads=300,
    upload_seconds=6.0,
    many_uploads=500,
    large_bytes=200_000_000,
    huge_bytes=1_000_000_000,
)
QUICK = Scale(
    rounds=1,
    huge_rounds=1,
    load_seconds=1,
    projects=12,
    cold_pages=5,
    small_uploads=20,
    upload_seconds=2.0,
    many_uploads=50,
    large_bytes=20_000_000,
    huge_bytes=100_000_000,
)


@dataclass(frozen=True)
class Corpus:
    """
    What every server holds when the measurements begin.

    Attributes:
        scale: How much the run does.
        projects: Name of a project to its ten small wheels.
        large: One large wheel, of a project of its own.
    """

    scale: Scale
    projects: dict[str, tuple[WheelFile, ...]]
    large: WheelFile

    @property
    def hot(self) -> str:
        """The project whose page and file are asked for again and again."""
        return next(iter(self.projects))

    @property
    def wheels(self) -> list[WheelFile]:
        """All files, the large one last."""
        return [wheel for wheels in self.projects.values() for wheel in wheels] + [self.large]


def build_corpus(folder: Path, scale: Scale) -> Corpus:
    """Write the files of a corpus into a new folder."""
    projects = _small_wheels(folder, scale)
    return Corpus(scale, projects, large_wheel(folder, "bench-large", "1.0", size_bytes=scale.large_bytes))


def build_small_corpus(folder: Path, scale: Scale) -> list[WheelFile]:
    """Write the small files of a corpus only."""
    return [wheel for wheels in _small_wheels(folder, scale).values() for wheel in wheels]


def _small_wheels(folder: Path, scale: Scale) -> dict[str, tuple[WheelFile, ...]]:
    folder.mkdir()
    names = [f"bench-{number:04}" for number in range(scale.projects)]
    return {
        name: tuple(small_wheel(folder, name, f"1.{minor}") for minor in range(FILES_PER_PROJECT)) for name in names
    }
