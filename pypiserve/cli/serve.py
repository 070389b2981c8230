"""``pypiserve serve``: run the server until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal

import click

from pypiserve.cli.greeting import greeting
from pypiserve.cli.options import with_settings
from pypiserve.compose import Server
from pypiserve.picks import pick
from pypiserve.plugin._loading import load_plugins
from pypiserve.settings import Settings

__all__ = ["serve"]


@click.command()
@with_settings("listen", "data", "private")
def serve(settings: Settings) -> None:
    """
    Serve the index.

    The first start in a folder makes the database, a folder for the files, an owner with its index, and an
    administrator's token, which is printed this once.
    """
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    # Our own word on a migration is enough; how Alembic goes about it is not news.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    server = Server(settings, pick(settings, load_plugins(settings.plugins)))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start()
    try:
        click.echo(greeting(settings, port=server.port, prepared=server.prepared))
        await stop.wait()
        click.echo("Stopping: running requests may finish.")
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _stop_at_once)
    finally:
        await server.stop()


def _stop_at_once() -> None:
    """
    End as people expect of a second Ctrl+C.

    As safe as a power failure: what was not acknowledged is not published, and the next start cleans up.
    """
    click.echo("Stopped at once; requests were unfinished.", err=True)
    os._exit(130)
