"""What an index lists, read with the strict reader library."""

from __future__ import annotations

from pypi_simple import NoSuchProjectError, ProjectPage, PyPISimple

from clients.server import Server

__all__ = ["listed_digests", "pages"]


def listed_digests(server: Server, project: str) -> dict[str, str]:
    """Return file name to SHA-256 of a project's files; empty for a project that is not there."""
    with PyPISimple(server.simple, auth=("__token__", server.token)) as client:
        try:
            page = client.get_project_page(project)
        except NoSuchProjectError:
            return {}
    return {package.filename: package.digests["sha256"] for package in page.packages}


def pages(server: Server, accept: str) -> dict[str, ProjectPage]:
    """
    Read the project list and the page of each project on it.

    Args:
        server: Whose index.
        accept: Which form to ask for, one of the constants of ``pypi_simple``.
    """
    with PyPISimple(server.simple, accept=accept) as client:
        return {name: client.get_project_page(name) for name in client.get_index_page().projects}
