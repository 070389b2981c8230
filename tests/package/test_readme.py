"""What the README tells people to type works as it stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from readme import ROOT, blocks, marked_command
from serving import Served, serving, status_of, without_settings

_TYPED = (
    "Publish and install",
    "Keep it private",
    "Several owners, at Gitea's addresses",
    "What gets in, and taking it back",
)
_PYPROJECT = """\
[project]
name = "demo"
version = "1.0"

[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
"""
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "_build", "*.egg-info", "pypiserve-data")
# Creating an environment and installing the server with all it needs, perhaps over a slow network.
_PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Clone:
    """
    The tree as somebody has it who has just cloned it, with the server of the README's first command running there.

    Attributes:
        folder: The tree; the server's virtual environment is ``.venv`` there.
        served: The server.
    """

    folder: Path
    served: Served

    @property
    def pypiserve(self) -> Path:
        """The installed command."""
        return self.folder / ".venv" / "bin" / "pypiserve"


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Start the server with the command of the README."""
    folder = tmp_path_factory.mktemp("clone") / "pypiserve"
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
    command = ["bash", "-euc", marked_command("serve command")]
    with serving(command, folder=folder, patience_seconds=_PATIENCE_SECONDS) as served:
        yield Clone(folder, served)


def test_serve_command_serves(clone: Clone) -> None:
    """The first command starts a server on a machine that has Python only; whoever reaches it may read."""
    assert status_of(f"http://{clone.served.netloc}/simple/") == 200


def test_lines_to_type_work(clone: Clone, tmp_path: Path) -> None:
    """The lines to publish, install, make private and add an owner do so, typed one after the other."""
    _build_demo(tmp_path, into=clone.folder / "dist")
    consumer = tmp_path / "consumer"
    venv.create(consumer, with_pip=True)
    script = "".join(block for heading in _TYPED for block in blocks("sh", heading))
    script = script.replace("paste it here", clone.served.token).replace("127.0.0.1:8080", clone.served.netloc)
    said = _run(script, folder=clone.folder, consumer=consumer)
    assert len(re.findall(r"Successfully installed demo-1\.0", said)) == 3, said
    assert "1 package" in said  # uv's word
    assert len(re.findall(r"^dist/demo-1\.0.*: good$", said, re.MULTILINE)) == 2, said
    assert "Yanked demo 1.0." in said
    assert said.rstrip().endswith("Restored demo 1.0.")
    assert status_of(f"http://{clone.served.netloc}/simple/") == 401
    assert status_of(f"http://{clone.served.netloc}/api/packages/data-team/pypi/simple/demo/") == 200


def test_configuration_examples_are_accepted(clone: Clone, tmp_path: Path) -> None:
    """Both settings files, and the plugin that the second one names, pass ``pypiserve check``."""
    (plugin,) = blocks("python", "Extend")
    (tmp_path / "acme_names.py").write_text(plugin, encoding="utf-8")
    (tmp_path / "users.htpasswd").touch()
    said = ""
    for heading in ("Configure", "Extend"):
        (settings,) = blocks("toml", heading)
        (tmp_path / "pypiserve.toml").write_text(settings, encoding="utf-8")
        environment = without_settings() | {"PYTHONPATH": str(tmp_path)}
        checked = subprocess.run(
            [clone.pypiserve, "check"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stderr
        said += checked.stdout
    assert "https://packages.example.com" in said
    assert "our-names" in said


def test_test_command_runs_tox_without_arguments() -> None:
    """The second command, which CI runs, answers every question of tox.ini."""
    assert marked_command("test command").endswith("&& .venv/bin/tox")


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")))
def test_links_lead_to_files(target: str) -> None:
    """Every relative link of the README leads to something."""
    assert (ROOT / target).exists()


def _build_demo(folder: Path, *, into: Path) -> None:
    project = folder / "demo"
    project.mkdir()
    (project / "pyproject.toml").write_text(_PYPROJECT, encoding="utf-8")
    (project / "demo.py").write_text("", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "build", "--installer", "uv", "--outdir", into, project], check=True)


def _run(script: str, *, folder: Path, consumer: Path) -> str:
    """Run lines as in a terminal with an active environment of Python, twine and uv; return what they said."""
    programs = [str(consumer / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    # No settings of this machine for pip; and each pip asks the server, also for what is installed.
    variables = {name: value for name, value in without_settings().items() if not name.startswith(("PIP_", "UV_"))}
    variables |= {
        "PATH": os.pathsep.join(programs),
        "VIRTUAL_ENV": str(consumer),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FORCE_REINSTALL": "1",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", script],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
