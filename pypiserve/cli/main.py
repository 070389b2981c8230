"""``pypiserve``: the group of all commands, ours and those of plugins."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from pypiserve import __version__
from pypiserve.core.errors import PypiserveError

__all__ = ["Refusal", "main"]


@dataclass(frozen=True)
class _Command:
    """A command of ours: where it is (``module:attribute``) and its line in the list of commands."""

    place: str
    summary: str

    def load(self) -> click.Command:
        module, _, attribute = self.place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.place} is no command")
        return command


# The modules are imported when their command runs: `pypiserve --help` must not wait for the database library.
_COMMANDS: Mapping[str, _Command] = {
    "serve": _Command("pypiserve.cli.serve:serve", "Serve the index."),
    "check": _Command("pypiserve.cli.check:check", "Check the settings and say what would run."),
    "check-file": _Command(
        "pypiserve.cli.check_file:check_file_command", "Check wheels and sdists before publishing."
    ),
    "plugins": _Command("pypiserve.cli.plugins:plugins", "List what the installed plugins offer."),
    "token": _Command("pypiserve.cli.tokens:token", "Make, list, revoke and look into API tokens."),
    "robot": _Command("pypiserve.cli.robots:robot", "Make accounts of no person, whose tokens jobs use."),
    "owner": _Command("pypiserve.cli.owners:owner", "Make owners and choose who may read."),
    "index": _Command("pypiserve.cli.indexes:index", "Make indexes and choose their rules."),
    "team": _Command("pypiserve.cli.teams:team", "Make teams, and choose who is in them."),
    "role": _Command("pypiserve.cli.roles:role", "Give roles, take them away, and list them."),
    "grant": _Command("pypiserve.cli.roles:grant", "Give a role: short for role grant."),
    "withdraw": _Command("pypiserve.cli.roles:withdraw", "Take a role away: short for role withdraw."),
    "user": _Command("pypiserve.cli.users:user", "List who has signed in, and close and open accounts."),
    "explain": _Command("pypiserve.cli.explain:explain", "Say why somebody may do something, or may not."),
    "audit": _Command("pypiserve.cli.audit:audit", "Tell who did what, and which sign-ins failed."),
    "yank": _Command("pypiserve.cli.projects:yank", "Yank a release or a file."),
    "unyank": _Command("pypiserve.cli.projects:unyank", "Take a yank back."),
    "delete": _Command("pypiserve.cli.projects:delete", "Delete a project, a release or a file."),
    "restore": _Command("pypiserve.cli.projects:restore", "Take a deletion back."),
    "deleted": _Command("pypiserve.cli.projects:deleted", "List what is deleted and can be restored."),
    "gc": _Command("pypiserve.cli.upkeep:gc", "Find stored bytes that nothing needs, and remove them."),
    "fsck": _Command("pypiserve.cli.upkeep:fsck", "Check that every file has its bytes."),
    "status": _Command("pypiserve.cli.projects:status", "Mark a project as archived, deprecated and the like."),
}


class Refusal(click.ClickException):
    """An error that we raised on purpose, as one line on standard error; the exit code is 2."""

    exit_code = 2

    def __init__(self, error: PypiserveError) -> None:
        super().__init__(" ".join(str(error).split()))


class _Commands(click.Group):
    """Finds our commands by the table above and, for any other name, those of plugins."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PypiserveError as error:
            raise Refusal(error) from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click passes it
        if cmd_name in _COMMANDS:
            return _COMMANDS[cmd_name].load()
        return _plugin_command(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in _COMMANDS.items()])


def _plugin_command(name: str) -> click.Command | None:
    from pypiserve.plugin._loading import load_plugins  # only a name that is not ours needs the plugins
    from pypiserve.settings import read_settings

    modules = read_settings(file=None, environment=os.environ, flags={}).plugins
    offer = load_plugins(modules).commands.get(name)
    return None if offer is None else offer.thing


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Plugins may add commands; `pypiserve plugins` lists them.",
)
@click.version_option(__version__, prog_name="pypiserve")
def main() -> None:
    """A private Python package index."""
