"""Small projects with the build backend of each publishing client, and with every kind of metadata."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BACKENDS", "Project", "write_project"]

BACKENDS = {
    "flit": ("flit_core", "flit_core.buildapi"),
    "hatch": ("hatchling", "hatchling.build"),
    "pdm": ("pdm-backend", "pdm.backend"),
    # twine builds nothing; its files come from pypiserve.testing, whose backend this is.
    "twine": ("", "wheel_packing"),
    "poetry": ("poetry-core", "poetry.core.masonry.api"),
    "uv": ("uv_build", "uv_build"),
}
"""Client to requirement and entry point of its build backend."""

_PYPROJECT = """\
[build-system]
requires = ["{requirement}"]
build-backend = "{backend}"

[project]
name = "{name}"
version = "{version}"
description = "A project that {client} builds: ünïcödé <and> & markup"
readme = "README.md"
requires-python = ">=3.8"
license = "MIT"
keywords = ["index", "test"]
authors = [{{ name = "Zoë Somebody", email = "zoe@example.org" }}]
classifiers = ["Private :: Do Not Upload", "Programming Language :: Python :: 3"]
dependencies = ["demo-lib >= 1.0; python_version < '3'"]

[project.optional-dependencies]
fast = ["demo-lib[speed] >= 1.0"]

[project.urls]
Homepage = "https://example.org/?a=1&b=2"

[project.scripts]
{name} = "{module}:main"
"""


@dataclass(frozen=True)
class Project:
    """
    The source tree of a project.

    Attributes:
        folder: Where it lies.
        name: Its name, normalised.
    """

    folder: Path
    name: str

    @property
    def module(self) -> Path:
        """The one module that it installs."""
        module = self.name.replace("-", "_")
        return self.folder / "src" / module / "__init__.py"

    @property
    def files(self) -> list[Path]:
        """The distribution files that were built."""
        return sorted(path for path in (self.folder / "dist").iterdir() if path.suffix in {".whl", ".gz"})

    @property
    def digests(self) -> dict[str, str]:
        """File name to SHA-256 of what was built."""
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.files}

    def change(self) -> None:
        """Change what is in the next build, without a new version."""
        with self.module.open("a", encoding="utf-8") as module:
            module.write("\nCHANGED = True\n")


def write_project(folder: Path, name: str, client: str) -> Project:
    """
    Write the source tree of version 1.0 of a project.

    Args:
        folder: Made here.
        name: Normalised name of the project.
        client: The client whose build backend it uses.
    """
    project = Project(folder, name)
    requirement, backend = BACKENDS[client]
    project.module.parent.mkdir(parents=True)
    text = (
        '"""A project made for a test."""\n\n__version__ = "1.0"\n\n\ndef main() -> None:\n    print(__version__)\n'
    )
    project.module.write_text(text, encoding="utf-8")
    (folder / "README.md").write_text(f"# {name}\n\nMade for a test: ünïcödé.\n", encoding="utf-8")
    pyproject = _PYPROJECT.format(
        requirement=requirement,
        backend=backend,
        name=name,
        version="1.0",
        client=client,
        module=project.module.parent.name,
    )
    (folder / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    return project
