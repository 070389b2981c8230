"""``pypiserve serve``: run the server until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence

import click

from pypiserve.cli.greeting import greeting
from pypiserve.cli.options import read_again, with_settings
from pypiserve.compose import Server, listening_sockets
from pypiserve.picks import Picks, pick
from pypiserve.plugin._loading import load_plugins
from pypiserve.services.shared_numbers import SharedNumbers
from pypiserve.settings import Settings
from pypiserve.workers import STOPPED_AT_ONCE, Supervised, Supervisor, Work

__all__ = ["serve"]

_log = logging.getLogger("pypiserve")

_END_SECONDS = 60.0
_STOPS = (signal.SIGTERM, signal.SIGINT)
_STOPPING = "Stopping: running requests may finish."
_STOPPED = "Stopped at once; requests were unfinished."


@click.command()
@with_settings("listen", "data", "private", "workers")
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
    picks = pick(settings, load_plugins(settings.plugins))
    if settings.number_of_workers == 1:
        asyncio.run(_serve_alone(settings, picks))
    else:
        _supervise(settings, picks)


async def _serve_alone(settings: Settings, picks: Picks) -> None:
    server, stop = Server(settings, picks), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPS:
        loop.add_signal_handler(number, stop.set)
    async with _running(server):
        click.echo(greeting(settings, port=server.port, prepared=server.prepared))
        await stop.wait()
        click.echo(_STOPPING)
        for number in _STOPS:
            loop.add_signal_handler(number, _stop_at_once)


@contextlib.asynccontextmanager
async def _running(server: Server) -> AsyncIterator[None]:
    await server.start()
    try:
        yield
    finally:
        await server.stop()


def _supervise(settings: Settings, picks: Picks) -> None:
    # They outlive each worker: connections that nobody has accepted wait for the next one in its place.
    sockets = listening_sockets(settings, sets=settings.number_of_workers)
    # Likewise: a guesser is counted by all workers together.
    sign_ins = SharedNumbers()

    def renew() -> Work:
        changed = read_again()
        for name in ("listen", "workers"):
            if getattr(changed, name) != getattr(settings, name):
                _log.warning("A change of %s takes a restart", name)
        return _work(changed, pick(changed, load_plugins(changed.plugins)), sockets, sign_ins)

    def stopping() -> None:
        for listening in itertools.chain.from_iterable(sockets):
            listening.close()
        click.echo(_STOPPING)

    supervisor = Supervisor(
        settings.number_of_workers,
        _work(settings, picks, sockets, sign_ins),
        renew=renew,
        stopping=stopping,
        stop_seconds=settings.shutdown_seconds + _END_SECONDS,
    )
    status = supervisor.run()
    if status == STOPPED_AT_ONCE:
        click.echo(_STOPPED, err=True)
    if status is not None:
        sys.exit(status)


def _work(
    settings: Settings, picks: Picks, sockets: Sequence[Sequence[socket.socket]], sign_ins: SharedNumbers
) -> Work:
    def work(supervised: Supervised) -> None:
        own = sockets[supervised.place]
        for others in sockets:
            for listening in others if others is not own else ():
                listening.close()
        server = Server(settings, picks, sockets=own, share=settings.number_of_workers, sign_ins=sign_ins)
        asyncio.run(_serve_supervised(server, settings, supervised))

    return work


async def _serve_supervised(server: Server, settings: Settings, supervised: Supervised) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(supervised.lifeline, stop.set)
    async with _running(server):
        if supervised.is_first:
            click.echo(greeting(settings, port=server.port, prepared=server.prepared))
        supervised.ready()
        await stop.wait()
        loop.remove_reader(supervised.lifeline)


def _stop_at_once() -> None:
    """
    End as people expect of a second Ctrl+C.

    As safe as a power failure: what was not acknowledged is not published, and the next start cleans up.
    """
    click.echo(_STOPPED, err=True)
    os._exit(STOPPED_AT_ONCE)
