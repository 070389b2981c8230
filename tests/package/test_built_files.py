"""The built sdist and wheel are complete, and the wheel works alone."""

from __future__ import annotations

import os
import subprocess
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from readme import ROOT
from serving import serving, status_of, without_settings

_BESIDE_A_FORGE = """\
[[authenticators]]
kind = "gitea"
url = "https://git.example.com"
organisations = ["acme"]
"""


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder that the tox environment ``package`` builds into."""
    return Path(os.environ["PYPISERVE_TEST_DIST"])


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new virtual environment that has the wheel and what it asks for, nothing else."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(environment, with_pip=True)
    subprocess.run([environment / "bin" / "pip", "install", "--quiet", wheel], check=True, env=without_settings())
    return environment / "bin"


def _source_files() -> set[str]:
    files = (path.relative_to(ROOT) for path in (ROOT / "pypiserve").rglob("*") if path.is_file())
    return {path.as_posix() for path in files if "__pycache__" not in path.parts and path.name[0] != "."}


def test_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    """The wheel has all that lies under ``pypiserve/``, migrations, templates and py.typed among it, and no more."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == _source_files()
    assert "pypiserve/py.typed" in names
    assert any(name.startswith("pypiserve/catalog/migrations/versions/") for name in names)
    assert any(name.startswith("pypiserve/web/templates/") for name in names)


def test_sdist_has_what_its_tests_need(built: Path) -> None:
    """The sdist carries the tests, the tox configuration, the documentation and the licence."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert _source_files() <= names
    assert {"tox.ini", "README.md", "CHANGELOG.md", "LICENSE", "tests/constraints.txt", "tests/conftest.py"} <= names


def test_installed_wheel_is_consistent(installed: Path) -> None:
    """pip finds all requirements met, and the command says its version and lists the built-in plugins."""
    for command, expected in (
        (["pip", "check"], "No broken requirements"),
        (["pypiserve", "--version"], "pypiserve, version"),
        (["pypiserve", "plugins"], "htpasswd"),
    ):
        said = subprocess.run(
            [installed / command[0], *command[1:]], check=True, capture_output=True, text=True, env=without_settings()
        )
        assert expected in said.stdout


def test_installed_wheel_serves(installed: Path, tmp_path: Path) -> None:
    """The server starts from the wheel alone: database, page templates and all."""
    with serving([str(installed / "pypiserve"), "serve"], folder=tmp_path, patience_seconds=30) as served:
        assert status_of(f"http://{served.netloc}/") == 200
        assert status_of(f"http://{served.netloc}/simple/") == 200


@pytest.fixture(scope="session")
def plugin(built: Path) -> Path:
    """The wheel of the plugin for forges."""
    (path,) = built.with_name(f"{built.name}-forge").glob("*.whl")
    return path


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, env=without_settings(), check=False)


def test_plugin_wheel_is_complete(plugin: Path) -> None:
    """It has every module, the mark that it is typed, its licence and its entry point, and no tests."""
    source = ROOT / "plugins" / "pypiserve-forge" / "pypiserve_forge"
    expected = {f"pypiserve_forge/{path.name}" for path in source.iterdir() if path.is_file()}
    with zipfile.ZipFile(plugin) as archive:
        names = set(archive.namelist())
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert {name.partition("/")[2] for name in names} >= {"py.typed", "entry_points.txt", "licenses/LICENSE"}


def test_plugin_comes_and_goes(installed: Path, plugin: Path, tmp_path: Path) -> None:
    """Settings that name a forge work with the plugin, and without it the sentence names what to install."""
    settings = tmp_path / "pypiserve.toml"
    settings.write_text(_BESIDE_A_FORGE, encoding="utf-8")
    assert _run(installed / "pip", "install", "--no-deps", "--quiet", plugin).returncode == 0
    assert "No broken requirements" in _run(installed / "pip", "check").stdout
    assert "pypiserve-forge" in _run(installed / "pypiserve", "plugins").stdout
    checked = _run(installed / "pypiserve", "check", "--settings", settings)
    assert checked.returncode == 0, checked.stderr
    assert _run(installed / "pip", "uninstall", "--yes", "pypiserve-forge").returncode == 0
    for command in ("check", "serve"):
        refused = _run(installed / "pypiserve", command, "--settings", settings)
        assert refused.returncode == 2
        sentence = "no installed distribution offers 'gitea'; install pypiserve-forge, which does"
        assert sentence in refused.stderr
        assert "Traceback" not in refused.stderr
