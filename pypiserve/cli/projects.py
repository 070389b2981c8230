"""``pypiserve yank``, ``delete``, ``restore`` and their like: what is said of projects, releases and files."""

from __future__ import annotations

import json

import click

from pypiserve.cli.place import Place, with_place
from pypiserve.core.model import ProjectStatus
from pypiserve.services.curation import Target

__all__ = ["delete", "deleted", "restore", "status", "unyank", "yank"]

_INDEX = click.option("--index", default=None, metavar="OWNER/INDEX", help="The root index unless given.")
_FILE = click.option("--file", "filename", default=None, metavar="NAME", help="One file of the release only.")


@click.command()
@click.argument("project")
@click.argument("version")
@_FILE
@click.option("--reason", default=None, help="One sentence for those who would install it.")
@_INDEX
@with_place
def yank(
    place: Place, *, project: str, version: str, filename: str | None, reason: str | None, index: str | None
) -> None:
    """Yank VERSION of PROJECT: installers take it only when it is pinned exactly."""
    with place.open() as catalog:
        catalog.curation.yank_now(_index(place, index), Target(project, version, filename), reason)
    click.echo(f"Yanked {_words(project, version, filename)}.")


@click.command()
@click.argument("project")
@click.argument("version")
@_FILE
@_INDEX
@with_place
def unyank(place: Place, *, project: str, version: str, filename: str | None, index: str | None) -> None:
    """Take the yank of VERSION of PROJECT back."""
    with place.open() as catalog:
        catalog.curation.unyank_now(_index(place, index), Target(project, version, filename))
    click.echo(f"Unyanked {_words(project, version, filename)}.")


@click.command()
@click.argument("project")
@click.argument("version", required=False)
@_FILE
@click.option("--yes", is_flag=True, help="Do not ask for the project's name.")
@_INDEX
@with_place
def delete(
    place: Place, *, project: str, version: str | None, filename: str | None, yes: bool, index: str | None
) -> None:
    """
    Delete PROJECT, or VERSION of it.

    Nobody can install it from then on, and the names of its files stay reserved. It can be restored for as long as
    the rules of the index say.
    """
    target = _target(project, version, filename)
    words = _words(project, version, filename)
    if (
        not yes
        and click.prompt(f"Type the project's name to delete {words}", default="", show_default=False) != project
    ):
        raise click.Abort
    with place.open() as catalog:
        gone = catalog.curation.delete_now(_index(place, index), target)
    for name in gone.filenames:
        click.echo(name)
    again = " ".join(["pypiserve restore", project, *([version] if version else [])])
    again += f" --file {filename}" if filename else ""
    click.echo(f"Deleted {words}. Until {gone.until:%Y-%m-%d %H:%M} UTC this takes it back: {again}")


@click.command()
@click.argument("project")
@click.argument("version", required=False)
@_FILE
@_INDEX
@with_place
def restore(place: Place, *, project: str, version: str | None, filename: str | None, index: str | None) -> None:
    """
    Take the last deletion of PROJECT, or VERSION of it, back.

    What was deleted before that stays deleted; `pypiserve deleted` lists it.
    """
    target = _target(project, version, filename)
    with place.open() as catalog:
        back = catalog.curation.restore_now(_index(place, index), target)
    for name in back:
        click.echo(name)
    click.echo(f"Restored {_words(project, version, filename)}.")


@click.command()
@click.argument("project", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@_INDEX
@with_place
def deleted(place: Place, *, project: str | None, as_json: bool, index: str | None) -> None:
    """List the deleted files of an index, or of PROJECT in it, and until when each can be restored."""
    with place.open() as catalog:
        found = catalog.curation.list_deleted(_index(place, index), project)
    rows = [
        {
            "project": file.project,
            "version": file.version,
            "filename": file.filename,
            "size_bytes": file.size_bytes,
            "deleted_at": file.deleted_at.isoformat(),
            "restorable_until": None if file.is_purged else until.isoformat(),
        }
        for file, until in found
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        end = row["restorable_until"]
        click.echo("\t".join([str(row["filename"]), str(row["deleted_at"]), f"until {end}" if end else "removed"]))


@click.command()
@click.argument("project")
@click.argument("marker", metavar="STATUS", type=click.Choice([status.value for status in ProjectStatus]))
@click.option("--reason", default=None, help="One sentence for those who use it.")
@_INDEX
@with_place
def status(place: Place, *, project: str, marker: str, reason: str | None, index: str | None) -> None:
    """Mark PROJECT as active, archived, deprecated or quarantined."""
    with place.open() as catalog:
        catalog.curation.set_status(_index(place, index), project, ProjectStatus(marker), reason=reason)
    click.echo(f"{project} is {marker}.")


def _target(project: str, version: str | None, filename: str | None) -> Target:
    if filename is not None and version is None:
        raise click.UsageError("Give the VERSION that --file is a file of.")
    return Target(project, version, filename)


def _words(project: str, version: str | None, filename: str | None) -> str:
    words = project if version is None else f"{project} {version}"
    return words if filename is None else f"{filename} of {words}"


def _index(place: Place, given: str | None) -> str:
    chosen = given or place.root_index
    if not chosen:
        raise click.UsageError("Give --index OWNER/INDEX: no root index is known here.")
    return chosen
