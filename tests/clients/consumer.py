"""A project that depends on what the index has, for the clients that lock and synchronise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clients.sandbox import Finished
from clients.toolbox import Tool, imported_version, make_environment

__all__ = ["Consumer"]


@dataclass(frozen=True)
class Consumer:
    """
    A project whose folder has a clean virtual environment, and the client that works on it.

    Attributes:
        tool: The client.
        folder: The project.
    """

    tool: Tool
    folder: Path

    @classmethod
    def starting(cls, tool: Tool, folder: Path, settings: str, *, needs: str = "demo-app") -> Consumer:
        """
        Write the project.

        Args:
            tool: The client.
            folder: Made here.
            settings: Tables of the client's own for ``pyproject.toml``; they name the index.
            needs: The one dependency.
        """
        make_environment(folder / ".venv")
        project = 'name = "consumer"\nversion = "0.1"\nrequires-python = ">=3.11,<4"\n'
        text = f'[project]\n{project}dependencies = ["{needs}"]\n\n{settings}'
        (folder / "pyproject.toml").write_text(text, encoding="utf-8")
        return cls(tool, folder)

    def run(self, *arguments: str, **variables: str) -> Finished:
        """Run the client in the project."""
        return self.tool.run(self.tool.client.name, *arguments, cwd=self.folder, **variables)

    def version_of(self, module: str) -> str:
        """Import a module in the project's environment and return its version."""
        return imported_version(self.tool.sandbox, self.folder / ".venv" / "bin" / "python", module)

    def read(self, filename: str) -> str:
        """Return the text of a file of the project."""
        return (self.folder / filename).read_text(encoding="utf-8")
