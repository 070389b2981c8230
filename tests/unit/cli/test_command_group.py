from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import pypiserve
from pypiserve.cli.main import _COMMANDS, main

PLUGIN = """
import click
from pypiserve.core.errors import ConfigurationError
from pypiserve.plugin import hookimpl

API_REVISION = 1

@click.command("greet")
@click.option("--fail", is_flag=True)
def greet(fail):
    if fail:
        raise ConfigurationError("It is\\nnot the time.")
    click.echo("Good morning")

@hookimpl
def pypiserve_commands():
    yield greet
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder whose settings name a plugin with a command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "demo_command.py").write_text(PLUGIN)
    (tmp_path / "pypiserve.toml").write_text('plugins = ["demo_command"]')
    monkeypatch.delitem(sys.modules, "demo_command", raising=False)


def test_version() -> None:
    """--version prints name and version."""
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"pypiserve, version {pypiserve.__version__}\n")


def test_help_lists_commands() -> None:
    """--help has a line for every command of ours."""
    result = CliRunner().invoke(main, ["--help"])
    assert all(
        f"  {name} " in result.stdout and command.summary in result.stdout for name, command in _COMMANDS.items()
    )


def test_help_imports_little() -> None:
    """--help does not wait for the database library, the server or the plugins."""
    code = (
        "import sys\nfrom pypiserve.cli.main import main\nmain(['--help'], standalone_mode=False)\n"
        "print({'sqlalchemy', 'alembic', 'tornado', 'bcrypt', 'pluggy'} & set(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert result.stderr == "set()\n"


def test_module_is_a_command() -> None:
    """``python -m pypiserve`` is the same program."""
    command = [sys.executable, "-m", "pypiserve", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout == f"pypiserve, version {pypiserve.__version__}\n"


def test_plugin_commands(plugin: None) -> None:
    """A command of a plugin is called like one of ours."""
    result = CliRunner().invoke(main, ["greet"])
    assert (result.exit_code, result.stdout) == (0, "Good morning\n")


def test_errors_are_one_line(plugin: None) -> None:
    """An error that was raised on purpose is one line, without traceback, and exit code 2."""
    result = CliRunner().invoke(main, ["greet", "--fail"])
    assert (result.exit_code, result.output) == (2, "Error: It is not the time.\n")


def test_errors_go_to_standard_error(tmp_path: Path) -> None:
    """What a script reads from standard output is never an error."""
    command = [sys.executable, "-m", "pypiserve", "check", "--settings", "no.toml"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: no.toml: --settings: cannot be read")


def test_unknown_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that neither we nor a plugin have is a usage error."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["nope"])
    assert result.exit_code == 2
    assert "No such command 'nope'" in result.output


def test_plugins_cannot_replace_our_commands(plugin: None, tmp_path: Path) -> None:
    """A plugin that names its command like one of ours is not asked."""
    (tmp_path / "demo_command.py").write_text(PLUGIN.replace('"greet"', '"check"'))
    context = click.Context(main)
    command = main.get_command(context, "check")
    assert command is not None
    assert command.callback is not None
    assert command.callback.__module__ == "pypiserve.cli.check"
