"""The reference of the command line lists every command with its arguments and options, in the words of its help."""

from __future__ import annotations

import shlex

import click
import pytest
from doc_pages import all_pages, blocks, flat, page, section

from pypiserve.cli.main import main
from pypiserve.plugin._loading import load_plugins

_PAGE = "reference/command-line.md"


def _commands() -> dict[str, click.Command]:
    """Return every command by its full name; ours, and those of the plugins that come along."""
    context = click.Context(main, info_name="pypiserve")
    found = {f"pypiserve {name}": main.get_command(context, name) for name in main.list_commands(context)}
    for name, offer in load_plugins().commands.items():
        if offer.origin.startswith("pypiserve.builtin."):
            found[f"pypiserve {name}"] = offer.thing
    commands = {name: command for name, command in found.items() if command is not None}
    for name, command in tuple(commands.items()):
        if isinstance(command, click.Group):
            commands |= {f"{name} {inner}": command.commands[inner] for inner in command.commands}
    return commands


def _usage(name: str, command: click.Command) -> str:
    return " ".join([name, *command.collect_usage_pieces(click.Context(command, info_name=name))])


def _options(command: click.Command) -> list[tuple[str, str]]:
    """Return each option with its value, and what its help says, the same on every version of click."""
    return [_option(option) for option in command.params if isinstance(option, click.Option)]


def _option(option: click.Option) -> tuple[str, str]:
    value = "" if option.is_flag else f" {option.metavar or option.opts[-1].lstrip('-').upper()}"
    meaning = option.help or ""
    if isinstance(option.type, click.Choice):
        meaning += f" One of: {', '.join(option.type.choices)}."
    if option.show_default:
        meaning += f" Unless given: {option.default}."
    return "/".join(option.opts) + value, meaning


@pytest.mark.parametrize("name", _commands())
def test_every_command_is_described(name: str) -> None:
    """The section of a command has its usage, its summary and a row for each option."""
    command = _commands()[name]
    text = section(page(_PAGE), f"## `{name}`" if name.count(" ") == 1 else f"### `{name}`")
    assert flat((command.help or "").partition("\n\n")[0]) in flat(text)
    if isinstance(command, click.Group):
        return
    assert f"`{_usage(name, command)}`" in text
    rows = [flat(line) for line in text.splitlines() if line.startswith("| `-")]
    assert rows == [flat(f"| {spelling} | {meaning} |") for spelling, meaning in _options(command)]


def test_nothing_else_is_described() -> None:
    """Every heading of the reference is a command that exists."""
    headings = [line.lstrip("# ").strip("`") for line in page(_PAGE).splitlines() if line.startswith(("## ", "### "))]
    assert sorted(headings) == sorted(_commands())


def _shown_commands() -> list[tuple[str, str]]:
    shown = [
        (block.page, line.lstrip("$ "))
        for language in ("console", "sh")
        for block in blocks("", language)
        for line in block.content.replace("\\\n", " ").splitlines()
    ]
    return sorted({(where, line) for where, line in shown if line.startswith("pypiserve ")})


@pytest.mark.parametrize(("where", "line"), _shown_commands())
def test_commands_in_examples_exist(where: str, line: str) -> None:
    """Every command that a page or the README shows, with its options, is one that we have."""
    words = shlex.split(line.partition(" < ")[0], comments=True)
    name = max((name for name in _commands() if words[: name.count(" ") + 1] == name.split()), key=len, default="")
    if not name:
        assert words[1] in {"--help", "-h", "--version"}, where
        return
    command = _commands()[name]
    known = {spelling for option in command.params for spelling in option.opts}
    given = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert given <= known | {"--help", "-h"}, where


def test_the_readme_is_among_the_pages() -> None:
    """The README's commands are checked like those of the documentation."""
    assert "README.md" in {path.name for path in all_pages()}
