"""The strict reader library understands every page, in both forms, and both forms say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from pypi_simple import ACCEPT_HTML_ONLY, ACCEPT_JSON_ONLY, DistributionPackage, PyPISimple

from clients.listing import pages
from clients.shelf import Shelf

EITHER_FORM = pytest.mark.parametrize("accept", [ACCEPT_JSON_ONLY, ACCEPT_HTML_ONLY], ids=["json", "html"])


@EITHER_FORM
def test_project_list(shelf: Shelf, accept: str) -> None:
    """The list states its version and names each project once."""
    with PyPISimple(shelf.server.simple, accept=accept) as client:
        page = client.get_index_page()
    assert page.repository_version == "1.4"
    assert {"demo-app", "demo-lib", "demo-sdist"} <= set(page.projects)
    assert len(page.projects) == len(set(page.projects))


@EITHER_FORM
def test_every_project(shelf: Shelf, accept: str) -> None:
    """The page of each listed project states its version and status, and is of that project."""
    listed = pages(shelf.server, accept)
    assert {page.repository_version for page in listed.values()} == {"1.4"}
    assert all(page.project == name and page.packages for name, page in listed.items())


def test_forms_agree(shelf: Shelf) -> None:
    """Whatever HTML can say about a file, it says as JSON does."""
    as_json, as_html = pages(shelf.server, ACCEPT_JSON_ONLY), pages(shelf.server, ACCEPT_HTML_ONLY)

    def told(package: DistributionPackage) -> tuple[object, ...]:
        facts = (package.filename, package.url, package.digests, package.requires_python, package.is_yanked)
        return (*facts, package.has_metadata, package.metadata_digests, package.project, package.version)

    assert {name: [told(package) for package in page.packages] for name, page in as_json.items()} == {
        name: [told(package) for package in page.packages] for name, page in as_html.items()
    }


def test_json_alone(shelf: Shelf) -> None:
    """JSON has the versions, and size and upload time of each file, as well."""
    page = pages(shelf.server, ACCEPT_JSON_ONLY)["demo-lib"]
    assert page.versions == ["1.0", "2.0", "3.0"]
    assert {file.filename: file.size for file in page.packages} == {
        name: len(file.content) for name, file in shelf.files.items() if name.startswith("demo_lib")
    }
    times = {
        file.upload_time < shelf.before_2 for file in page.packages if file.upload_time and file.version == "1.0"
    }
    assert times == {True}


@EITHER_FORM
def test_download(shelf: Shelf, accept: str, tmp_path: Path) -> None:
    """Each file and its core metadata are downloaded with verified digests, and are what was published."""
    with PyPISimple(shelf.server.simple, accept=accept) as client:
        packages = [
            package
            for project in ("demo-app", "demo-lib", "demo-sdist")
            for package in client.get_project_page(project).packages
        ]
        for package in packages:
            client.download_package(package, tmp_path / package.filename, verify=True)
        metadata = {
            package.filename: client.get_package_metadata_bytes(package, verify=True)
            for package in packages
            if package.has_metadata
        }
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        name: file.content for name, file in shelf.files.items()
    }
    assert {name for name in shelf.files if name.endswith(".whl")} <= metadata.keys()
    assert all(metadata[name] == shelf.files[name].metadata for name in metadata)
