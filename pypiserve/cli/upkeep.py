"""``pypiserve gc`` and ``fsck``: hold the catalog and the file store against each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta

import click

from pypiserve.cli.options import with_settings
from pypiserve.compose import OfflineCatalog
from pypiserve.picks import pick
from pypiserve.plugin._loading import load_plugins
from pypiserve.services.upkeep import Fault, FaultKind, Upkeep
from pypiserve.settings import Settings

__all__ = ["fsck", "gc"]

_REPAIR = click.option("--repair", is_flag=True, help="Do what is otherwise only said.")
_OLDER_THAN = click.option(
    "--older-than",
    "hours",
    type=click.FloatRange(min=0),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="Leave younger bytes alone: an upload on another machine may be about to name them.",
)
_SAID = {
    FaultKind.MISSING: "is missing in the store",
    FaultKind.WRONG_SIZE: "has another size in the store than in the catalog",
    FaultKind.DAMAGED: "has another digest than its bytes had when they were published",
}


@click.command()
@_REPAIR
@_OLDER_THAN
@with_settings("data")
def gc(settings: Settings, *, repair: bool, hours: float) -> None:
    """
    Find stored bytes that nothing needs any more, and remove them with --repair.

    Those are the bytes of deleted files whose retention is over, and bytes that the catalog does not name, such as
    crashes leave behind.
    """

    async def work(upkeep: Upkeep) -> None:
        await _give_up(upkeep, repair=repair)
        await _collect(upkeep, hours, repair=repair)

    _run(settings, work)


@click.command()
@_REPAIR
@_OLDER_THAN
@click.option("--quick", is_flag=True, help="Compare sizes only, and read no file.")
@with_settings("data")
def fsck(settings: Settings, *, repair: bool, hours: float, quick: bool) -> None:
    """
    Check that every file of the catalog has its bytes in the store, with the right digest, and all bytes a file.

    The sizes that the catalog keeps of projects and indexes are checked too.

    With --repair damaged bytes are removed as well: publishing the same file again then brings them back. Deleted
    files whose bytes are lost are given up: they can no longer be restored. The exit status is 1 when files of the
    catalog are missing or damaged.
    """

    async def work(upkeep: Upkeep) -> None:
        faults = [fault async for fault in _faults(upkeep, repair=repair, read=not quick)]
        for wrong in await upkeep.wrong_sizes(repair=repair):
            done = "set right" if repair else "to be set right with --repair"
            click.echo(f"{wrong.name}: {wrong.kept} bytes by the catalog, {wrong.counted} by its files, {done}.")
        await _collect(upkeep, hours, repair=repair)
        _sum_up(faults, repair=repair)

    _run(settings, work)


async def _faults(upkeep: Upkeep, *, repair: bool, read: bool) -> AsyncIterator[Fault]:
    async for fault in upkeep.faults(read=read):
        names = ", ".join(fault.names) or "what was replaced"
        click.echo(f"{fault.digest}: {names}{', deleted,' if fault.is_deleted else ''} {_SAID[fault.kind]}.")
        if repair and await upkeep.withdraw(fault):
            click.echo(f"{fault.digest}: removed.")
        if repair and fault.is_deleted and await upkeep.forget(fault):
            click.echo(f"{fault.digest}: given up.")
        yield fault


def _sum_up(faults: Sequence[Fault], *, repair: bool) -> None:
    deleted = sum(fault.is_deleted for fault in faults)
    if deleted:
        remedy = (
            "given up: they can no longer be restored"
            if repair
            else "restore them and publish them again, or give them up with --repair"
        )
        click.echo(f"Missing or damaged bytes of deleted files: {deleted}, {remedy}.")
    if published := len(faults) - deleted:
        click.echo(f"Missing or damaged: {published}. Publishing the same file again brings its bytes back.")
    if faults:
        raise SystemExit(1)
    click.echo("Every file of the catalog has its bytes.")


async def _give_up(upkeep: Upkeep, *, repair: bool) -> None:
    count = size_bytes = 0
    async for expired, names in upkeep.expired():
        if repair and not await upkeep.give_up(expired):
            continue
        count += 1
        size_bytes += expired.size_bytes
        click.echo(f"{expired.sha256}: {expired.size_bytes} bytes of {', '.join(names) or 'replaced files'}.")
    done = "given up" if repair else "to be given up with --repair"
    click.echo(f"Files deleted or replaced that can no longer be restored: {count}, with {size_bytes} bytes, {done}.")


async def _collect(upkeep: Upkeep, hours: float, *, repair: bool) -> None:
    count = size_bytes = 0
    async for stored in upkeep.unnamed(older_than=timedelta(hours=hours)):
        if repair and not await upkeep.remove(stored):
            continue
        count += 1
        size_bytes += stored.size_bytes
        click.echo(f"{stored.digest}: {stored.size_bytes} bytes of {stored.stored_at:%Y-%m-%d %H:%M} UTC.")
    done = "removed" if repair else "to be removed with --repair"
    click.echo(f"Stored files that the catalog does not name: {count}, with {size_bytes} bytes, {done}.")


def _run(settings: Settings, work: Callable[[Upkeep], Awaitable[None]]) -> None:
    picks = pick(settings, load_plugins(settings.plugins))

    async def run() -> None:
        async with catalog.upkeep(picks) as upkeep:
            await work(upkeep)

    with OfflineCatalog(settings) as catalog:
        asyncio.run(run())
