"""How each client builds and publishes, as a user types it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.projects import Project, write_project
from clients.sandbox import Finished
from clients.server import Address
from clients.toolbox import Tool
from pypiserve.testing import a_wheel, an_sdist

__all__ = ["PUBLISHERS", "Publisher"]


Build = Callable[[Tool, Project], None]
Publish = Callable[[Tool, Project, Address, Sequence[str]], Finished]


@dataclass(frozen=True)
class Publisher:
    """
    An installed client that builds and publishes one project.

    Attributes:
        tool: The client.
        project: What it publishes.
    """

    tool: Tool
    project: Project

    @classmethod
    def starting(cls, tool: Tool, folder: Path, name: str) -> Publisher:
        """Write a project into a new folder and build it."""
        publisher = cls(tool, write_project(folder, name, tool.client.name))
        _BUILD[tool.client.name](tool, publisher.project)
        return publisher

    def rebuild(self) -> None:
        """Build again with other content under the same version."""
        self.project.change()
        _BUILD[self.tool.client.name](self.tool, self.project)

    def publish(self, to: Address, *flags: str) -> Finished:
        """Publish what was built."""
        return _PUBLISH[self.tool.client.name](self.tool, self.project, to, flags)


def _twine_build(_tool: Tool, project: Project) -> None:
    """Make the files without a backend: twine 5 does not read the metadata that today's backends write."""
    module = project.module.parent
    files = {f"{module.name}/{path.name}": path.read_bytes() for path in module.iterdir()}
    folder = project.folder / "dist"
    folder.mkdir(exist_ok=True)
    a_wheel(project.name, files=files).write_to(folder)
    an_sdist(project.name, files={f"src/{path}": content for path, content in files.items()}).write_to(folder)


def _twine_publish(tool: Tool, project: Project, to: Address, flags: Sequence[str]) -> Finished:
    words = ["upload", "--non-interactive", "--disable-progress-bar", "--repository-url", to.url, *flags]
    return tool.run("twine", *words, "-u", to.username, "-p", to.password, *project.files)


def _built(finished: Finished, project: Project) -> None:
    assert finished.succeeded, finished.report
    assert len(project.files) == 2, finished.report


def _uv_build(tool: Tool, project: Project) -> None:
    python = tool.environment / "bin" / "python"
    _built(tool.run("uv", "build", "--offline", "--python", python, cwd=project.folder), project)


def _uv_publish(tool: Tool, project: Project, to: Address, flags: Sequence[str]) -> Finished:
    words = ["publish", "--publish-url", to.url, "--username", to.username, "--password", to.password, *flags]
    return tool.run("uv", *words, cwd=project.folder)


def _poetry_build(tool: Tool, project: Project) -> None:
    built = tool.run("poetry", "build", "--clean", cwd=project.folder, POETRY_VIRTUALENVS_CREATE="false")
    _built(built, project)


def _poetry_publish(tool: Tool, project: Project, to: Address, flags: Sequence[str]) -> Finished:
    variables = {
        "POETRY_REPOSITORIES_HERE_URL": to.url,
        "POETRY_HTTP_BASIC_HERE_USERNAME": to.username,
        "POETRY_HTTP_BASIC_HERE_PASSWORD": to.password,
        "POETRY_VIRTUALENVS_CREATE": "false",
    }
    return tool.run("poetry", "publish", "-n", "-r", "here", *flags, cwd=project.folder, **variables)


def _pdm_build(tool: Tool, project: Project) -> None:
    # PDM builds with the Python of the active environment, which has the backend.
    built = tool.run("pdm", "build", "--no-isolation", cwd=project.folder, VIRTUAL_ENV=str(tool.environment))
    _built(built, project)


def _pdm_publish(tool: Tool, project: Project, to: Address, flags: Sequence[str]) -> Finished:
    words = ["publish", "--no-build", "-r", to.url, "-u", to.username, "-P", to.password, *flags]
    return tool.run("pdm", *words, cwd=project.folder, VIRTUAL_ENV=str(tool.environment))


def _hatch_build(tool: Tool, project: Project) -> None:
    # ``hatch build`` would fetch hatchling, which it brings along anyway.
    _built(tool.run("python", "-m", "hatchling", "build", cwd=project.folder), project)


def _hatch_publish(tool: Tool, project: Project, to: Address, flags: Sequence[str]) -> Finished:
    words = ["publish", "-n", "-r", to.url, "-u", to.username, "-a", to.password, *flags]
    return tool.run("hatch", *words, cwd=project.folder)


def _flit_build(tool: Tool, project: Project) -> None:
    _built(tool.run("flit", "build", cwd=project.folder, SOURCE_DATE_EPOCH="1700000000"), project)


def _flit_publish(tool: Tool, project: Project, to: Address, flags: Sequence[str]) -> Finished:
    # flit publishes nothing but what it builds in the same run; the fixed time makes that the same bytes again.
    variables = {"FLIT_INDEX_URL": to.url, "FLIT_USERNAME": to.username, "FLIT_PASSWORD": to.password}
    return tool.run("flit", "publish", *flags, cwd=project.folder, SOURCE_DATE_EPOCH="1700000000", **variables)


_BUILD: Mapping[str, Build] = {
    "twine": _twine_build,
    "uv": _uv_build,
    "poetry": _poetry_build,
    "pdm": _pdm_build,
    "hatch": _hatch_build,
    "flit": _flit_build,
}
_PUBLISH: Mapping[str, Publish] = {
    "twine": _twine_publish,
    "uv": _uv_publish,
    "poetry": _poetry_publish,
    "pdm": _pdm_publish,
    "hatch": _hatch_publish,
    "flit": _flit_publish,
}
PUBLISHERS = tuple(_PUBLISH)
"""Names of the clients that publish."""
